package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.spark.SparkContext;

/** The session: takes the host's frames to the channels they are for, and sees to its end. */
final class Driver implements Link.Listener {
  private static final int HEARTH_OK = 0;
  private static final int HEARTH_E_INTERNAL = 7;
  private static final long FLUSH_MS = 1000;
  private static final long FLUSH_FAILED_MS = 10000;

  private final Log log;
  private final ScheduledExecutorService ticker =
      Executors.newSingleThreadScheduledExecutor(work -> Threads.daemon("hearth-ticker", work));
  private final Link link;
  private final Spark spark = new Spark();
  private final Jobs jobs;
  private final Surroundings around;
  private final ScalaInterpreter scala;
  private final WorkerServer server;
  private final CompletableFuture<Integer> exit = new CompletableFuture<>();

  // Guarded by this.
  private final Map<Integer, Interpreter> channels = new HashMap<>();
  private final Map<Integer, Long> lastStarted = new HashMap<>();
  private String failure;
  private boolean ending;

  Driver(LinkFile file, Capture capture, Log log) {
    this.log = log;
    link = new Link(file, this, ticker, log);
    jobs = new Jobs(link, ticker);
    around = new Surroundings(link, spark, jobs, capture, ticker, log);
    scala = new ScalaInterpreter(around);
    server = new WorkerServer(ticker, log);
    channels.put(ScalaInterpreter.CHANNEL, scala);
  }

  /** Runs the session on threads of its own. Returns its end: the status to exit with. */
  CompletableFuture<Integer> start() {
    Runtime.getRuntime().addShutdownHook(new Thread(this::dying, "hearth-shutdown"));
    spark.context().whenComplete((context, failed) -> {
      if (failed == null) {
        up(context);
      } else {
        Threads.daemon("hearth-failed", () -> failed(failed)).start();
      }
    });
    spark.start();
    link.start();
    return exit;
  }

  private void up(SparkContext context) {
    jobs.setContext(context);
    context.addSparkListener(jobs);
    link.send(ScalaInterpreter.CHANNEL, Frame.INFO, 0, 0, Spark.info(context));
  }

  private void failed(Throwable why) {
    log.failure("the Spark context did not start", why);
    String reason = "the Spark context did not start: " + why;
    synchronized (this) {
      failure = reason;
      for (Map.Entry<Integer, Interpreter> channel : channels.entrySet()) {
        channel.getValue().stop(reason);
        sendFailed(channel.getKey(), reason);
      }
    }
    link.flush(FLUSH_FAILED_MS);
    end(1, reason);
  }

  private void sendFailed(int channel, String reason) {
    link.send(channel, Frame.FAILED, 0, 0,
        Json.bytes(Json.object().put("reason", reason).put("output", "")));
  }

  @Override
  public synchronized void onFrame(Frame frame) {
    Interpreter interpreter = channels.get(frame.channel);
    switch (frame.type) {
      case Frame.PREPARE:
        if (frame.channel == ScalaInterpreter.CHANNEL) {
          scala.prepare();
        }
        break;
      case Frame.OPEN:
        open(frame);
        break;
      case Frame.EXECUTE:
        if (frame.statement <= lastStarted.getOrDefault(frame.channel, 0L)) {
          break; // a repetition
        }
        lastStarted.put(frame.channel, frame.statement);
        if (interpreter == null) {
          link.send(frame.channel, Frame.DONE, Frame.DONE_LOST, frame.statement,
              Json.error("InterpreterDied", "the channel is not open", Collections.emptyList()));
        } else {
          execute(interpreter, frame);
        }
        break;
      case Frame.INTERRUPT:
        if (interpreter != null) {
          interpreter.interrupt(frame.statement);
        }
        break;
      case Frame.COMPLETE:
      case Frame.INSPECT:
        if (interpreter == null) {
          link.send(frame.channel, Frame.REPLY, 3, frame.statement,
              Json.reason("the channel is not open"));
        } else {
          interpreter.ask(frame.type, frame.statement, frame.payload);
        }
        break;
      case Frame.SHARED:
        shared(frame.statement);
        break;
      case Frame.STOP:
        stop(frame.channel);
        break;
      default:
        log.line("the host sent a frame of unknown type " + frame.type);
    }
  }

  private void execute(Interpreter interpreter, Frame frame) {
    if (frame.outcome != Frame.WITH_OPTIONS) {
      interpreter.execute(frame.statement, frame.text(), Json.object());
      return;
    }
    try {
      ObjectNode given = Json.parseObject(frame.payload);
      JsonNode options = given.path("options");
      interpreter.execute(frame.statement, given.path("code").asText(),
          options instanceof ObjectNode ? (ObjectNode) options : Json.object());
    } catch (IOException e) {
      link.send(frame.channel, Frame.DONE, Frame.DONE_ERROR, frame.statement,
          Json.error("Error", "the statement cannot be read: " + e.getMessage(),
              Collections.emptyList()));
    }
  }

  private void open(Frame frame) {
    if (frame.channel == ScalaInterpreter.CHANNEL || channels.containsKey(frame.channel)) {
      log.line("channel " + frame.channel + " is open already");
    } else if (failure != null) {
      sendFailed(frame.channel, failure);
    } else {
      try {
        open(frame.channel, Json.parseObject(frame.payload));
      } catch (IOException e) {
        sendFailed(frame.channel, e.getMessage());
      }
    }
  }

  private void open(int channel, ObjectNode opening) throws IOException {
    String which = opening.path("interpreter").asText("worker");
    if (which.equals("sql")) {
      SqlInterpreter sql = new SqlInterpreter(channel, opening, around);
      channels.put(channel, sql);
      sql.prepare();
    } else if (which.equals("worker")) {
      Worker worker = new Worker(channel, opening, around, server);
      channels.put(channel, worker);
      worker.start();
    } else {
      throw new IOException("this driver has no interpreter " + which);
    }
  }

  // On a thread of its own: a catalog may be far away.
  private void shared(long request) {
    Threads.daemon("hearth-shared", () -> {
      try {
        link.send(ScalaInterpreter.CHANNEL, Frame.REPLY, HEARTH_OK, request,
            Json.bytes(SharedListing.of(spark)));
      } catch (RuntimeException | Error e) {
        log.failure("the list of shared data", e);
        link.send(ScalaInterpreter.CHANNEL, Frame.REPLY, HEARTH_E_INTERNAL, request,
            Json.reason(e.toString()));
      }
    }).start();
  }

  private void stop(int channel) {
    if (channel == ScalaInterpreter.CHANNEL) {
      Threads.daemon("hearth-stop", () -> end(0, "the host asked for it")).start();
      return;
    }
    Interpreter worker = channels.remove(channel);
    if (worker != null) {
      Threads.daemon("hearth-stop-" + channel, () -> worker.stop("the host asked for it")).start();
    }
  }

  @Override
  public void onOrphaned() {
    log.line("no host has come back in time");
    Threads.daemon("hearth-stop", () -> end(0, "no host has come back in time")).start();
  }

  /** Ends all in order: workers, context, BYE. */
  private void end(int status, String reason) {
    Map<Integer, Interpreter> open;
    synchronized (this) {
      if (ending) {
        return;
      }
      ending = true;
      open = new HashMap<>(channels);
    }
    open.values().parallelStream().forEach(interpreter -> interpreter.stop(reason));
    try {
      spark.stop();
    } catch (RuntimeException e) {
      log.failure("the Spark context did not stop", e);
    }
    link.send(ScalaInterpreter.CHANNEL, Frame.BYE, 0, 0, Json.reason(reason));
    link.flush(FLUSH_MS);
    link.close();
    exit.complete(status);
  }

  // Runs when the JVM exits without our doing: System.exit in a statement, or a signal.
  private void dying() {
    Map<Integer, Interpreter> open;
    synchronized (this) {
      if (ending) {
        return;
      }
      ending = true;
      open = new HashMap<>(channels);
    }
    String reason = "the driver's JVM exits: System.exit was called, or it was told to end";
    for (Interpreter interpreter : open.values()) {
      if (interpreter instanceof Worker) {
        ((Worker) interpreter).kill();
      } else {
        interpreter.stop(reason);
      }
    }
    link.send(ScalaInterpreter.CHANNEL, Frame.BYE, 0, 0, Json.reason(reason));
    link.flush(FLUSH_MS);
  }
}
