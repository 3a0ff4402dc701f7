package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.spark.SparkContext;

/**
 * Channel 1: Scala, in this JVM. Its statements run on one thread, in order; the compiler starts
 * when it is first needed, while the Spark context may still be starting.
 */
final class ScalaInterpreter implements Interpreter {
  static final int CHANNEL = 1;

  private static final int HEARTH_OK = 0;
  private static final int HEARTH_E_INVALID = 1;
  private static final int HEARTH_E_INTERNAL = 7;

  private static final long COMPLETION_WAIT_MS = 1000;
  private static final long NAG_MS = 200;
  private static final int NAGS_BEFORE_STOP = 10;
  private static final int NAGS_BEFORE_FAILED = 50;

  /** A statement from when it is taken until it has ended. */
  private static final class Statement {
    final long number;
    final String code;
    boolean cancelled;
    boolean running;
    int nags;

    Statement(long number, String code) {
      this.number = number;
      this.code = code;
    }
  }

  private final Link link;
  private final Spark spark;
  private final Jobs jobs;
  private final Capture capture;
  private final ScheduledExecutorService ticker;
  private final Log log;

  private final LinkedBlockingQueue<Statement> queue = new LinkedBlockingQueue<>();
  private final EchoWriter echo = new EchoWriter();
  /** Held while the compiler or code of the user runs. */
  private final ReentrantLock compiler = new ReentrantLock();
  private volatile ScalaEvaluator evaluator;

  // Guarded by this.
  private Thread thread;
  private Statement current;
  private boolean dead;

  ScalaInterpreter(Link link, Spark spark, Jobs jobs, Capture capture,
      ScheduledExecutorService ticker, Log log) {
    this.link = link;
    this.spark = spark;
    this.jobs = jobs;
    this.capture = capture;
    this.ticker = ticker;
    this.log = log;
  }

  /** Starts the interpreter if it is not started; READY follows. */
  synchronized void prepare() {
    if (thread == null) {
      thread = Threads.daemon("hearth-scala", this::run);
      thread.start();
    }
  }

  @Override
  public synchronized void execute(long number, String code) {
    if (dead) {
      lost(number, "the Scala interpreter is gone");
      return;
    }
    prepare();
    queue.add(new Statement(number, code));
  }

  private void run() {
    try {
      ReplSupport repl = new ReplSupport(echo);
      SparkContext context = spark.context().join();
      spark.setRepl(repl.classLoader());
      repl.bindSpark();
      echo.take();
      context.setLocalProperty(Jobs.CHANNEL, Integer.toString(CHANNEL));
      evaluator = new ScalaEvaluator(repl, echo);
      link.send(CHANNEL, Frame.READY, 0, 0, Json.bytes(Json.object()));
    } catch (Throwable e) {
      // The context's own failure is reported for all channels in one place.
      if (!spark.context().isCompletedExceptionally()) {
        log.failure("the Scala interpreter did not start", e);
        fail("the Scala interpreter did not start: " + e);
      }
      return;
    }
    while (true) {
      Statement statement;
      try {
        statement = queue.take();
      } catch (InterruptedException e) {
        continue; // meant for a statement that has ended meanwhile
      }
      serve(statement);
    }
  }

  private void serve(Statement statement) {
    Output output = new Output(link, CHANNEL, statement.number, ticker);
    ScalaEvaluator.Result result;
    compiler.lock();
    try {
      result = evaluate(statement, output);
    } finally {
      compiler.unlock();
    }
    jobs.end(CHANNEL);
    capture.setTarget(null);
    output.end();
    synchronized (this) {
      current = null;
      if (dead) {
        return; // its end has been reported
      }
      Thread.interrupted();
      int outcome = result.outcome;
      byte[] bundle = result.bundle;
      if (statement.cancelled && outcome != Frame.DONE_OK) {
        outcome = Frame.DONE_CANCELLED;
        bundle = Json.error("Cancelled", "the statement was cancelled", Collections.emptyList());
      }
      link.send(CHANNEL, Frame.DONE, outcome, statement.number, bundle);
    }
  }

  private ScalaEvaluator.Result evaluate(Statement statement, Output output) {
    synchronized (this) {
      current = statement;
      if (statement.cancelled) {
        return ScalaEvaluator.Result.stopped();
      }
      statement.running = true;
      Thread.interrupted();
    }
    SparkContext context = spark.context().join();
    try {
      context.setLocalProperty(Jobs.CHANNEL, Integer.toString(CHANNEL));
      context.setLocalProperty(Jobs.STATEMENT, Long.toString(statement.number));
      // Lets a cancelled job interrupt its tasks too.
      context.setLocalProperty("spark.job.interruptOnCancel", "true");
      jobs.begin(CHANNEL, statement.number);
      capture.setTarget(output);
      ScalaEvaluator.Result result =
          evaluator.evaluate(statement.code, output, () -> isCancelled(statement));
      leave(statement);
      return result;
    } catch (Throwable e) {
      // ThreadDeath of a cancel, or a defect of the REPL; the session goes on.
      leave(statement);
      return ScalaEvaluator.Result.error(e.toString(), Collections.emptyList());
    }
  }

  // From here on nothing may stop this thread: interrupts and stops are sent under the same lock.
  private synchronized void leave(Statement statement) {
    statement.running = false;
  }

  private synchronized boolean isCancelled(Statement statement) {
    return statement.cancelled;
  }

  @Override
  public synchronized void interrupt(long number) {
    if (current != null && current.number == number) {
      if (!current.cancelled) {
        current.cancelled = true;
        Statement statement = current;
        ticker.execute(() -> nag(statement));
      }
      return;
    }
    for (Statement waiting : queue) {
      waiting.cancelled |= waiting.number == number;
    }
  }

  // Jobs may start, and interrupts be swallowed, after the first try: again until the code stops.
  private void nag(Statement statement) {
    if (stillRuns(statement)) {
      ticker.schedule(() -> nag(statement), NAG_MS, TimeUnit.MILLISECONDS);
    }
  }

  private boolean stillRuns(Statement statement) {
    try {
      jobs.cancel(CHANNEL);
    } catch (RuntimeException e) {
      log.failure("cannot cancel jobs", e);
    }
    synchronized (this) {
      if (!statement.running || dead) {
        return false;
      }
      statement.nags++;
      if (statement.nags <= NAGS_BEFORE_STOP
          || statement.nags <= NAGS_BEFORE_FAILED && isInSpark(thread)) {
        thread.interrupt();
      } else if (!stopThread() && statement.nags > NAGS_BEFORE_FAILED) {
        String reason = "the code does not react to an interrupt, and this Java (20 or later) "
            + "cannot stop a thread";
        link.send(CHANNEL, Frame.DONE, Frame.DONE_LOST, statement.number,
            Json.error("Lost", reason, Collections.emptyList()));
        fail(reason);
      }
      return true;
    }
  }

  // Working Spark code comes to a point where it sees the interrupt, and a stop would do it lasting
  // harm: in a class's initialization, for one.
  private static boolean isInSpark(Thread thread) {
    Thread.State state = thread.getState();
    if (state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING) {
      return false;
    }
    for (StackTraceElement frame : thread.getStackTrace()) {
      String type = frame.getClassName();
      if (type.startsWith("$line")) {
        return false;
      }
      if (type.startsWith("org.apache.spark.") || type.startsWith("org.codehaus.")
          || frame.getMethodName().equals("<clinit>")) {
        return true;
      }
    }
    return false;
  }

  @SuppressWarnings("deprecation")
  private boolean stopThread() {
    try {
      thread.stop();
      return true;
    } catch (UnsupportedOperationException e) {
      thread.interrupt();
      return false;
    }
  }

  @Override
  public void complete(long request, byte[] question) {
    Threads.daemon("hearth-completion", () -> {
      ObjectNode answer = Json.object();
      int status = HEARTH_OK;
      ArrayNode candidates = answer.putArray("candidates");
      try {
        JsonNode asked = Json.parseObject(question);
        for (String candidate : candidates(asked.path("code").asText(),
            asked.path("cursor").asInt())) {
          candidates.add(candidate);
        }
      } catch (IOException e) {
        status = HEARTH_E_INVALID;
        answer.put("reason", e.getMessage());
      } catch (RuntimeException | Error e) {
        log.failure("completion", e);
        status = HEARTH_E_INTERNAL;
        answer.put("reason", e.toString());
      }
      link.send(CHANNEL, Frame.REPLY, status, request, Json.bytes(answer));
    }).start();
  }

  /** Empty when the compiler stays busy with a statement. */
  private List<String> candidates(String code, int cursor) {
    ScalaEvaluator ready = evaluator;
    try {
      if (ready == null || !compiler.tryLock(COMPLETION_WAIT_MS, TimeUnit.MILLISECONDS)) {
        return Collections.emptyList();
      }
    } catch (InterruptedException e) {
      return Collections.emptyList();
    }
    try {
      int most = code.codePointCount(0, code.length());
      int chars = code.offsetByCodePoints(0, Math.max(0, Math.min(cursor, most)));
      return ready.complete(code, chars);
    } finally {
      compiler.unlock();
    }
  }

  @Override
  public void stop(String reason) {
    synchronized (this) {
      if (dead) {
        return;
      }
      dead = true;
      if (current != null) {
        lost(current.number, reason);
      }
      for (Statement waiting : queue) {
        lost(waiting.number, reason);
      }
      queue.clear();
    }
  }

  private synchronized void fail(String reason) {
    dead = true;
    for (Statement waiting : queue) {
      lost(waiting.number, reason);
    }
    queue.clear();
    link.send(CHANNEL, Frame.FAILED, 0, 0,
        Json.bytes(Json.object().put("reason", reason).put("output", "")));
  }

  private void lost(long number, String reason) {
    link.send(CHANNEL, Frame.DONE, Frame.DONE_LOST, number,
        Json.error("Lost", reason, Collections.emptyList()));
  }
}
