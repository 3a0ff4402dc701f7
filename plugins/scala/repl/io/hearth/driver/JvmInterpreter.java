package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.spark.SparkContext;

/**
 * A language that runs in this JVM. Its statements run on one thread of its own, in order; the
 * thread starts when it is first needed, while the Spark context may still be starting.
 */
abstract class JvmInterpreter implements Interpreter {
  private static final int HEARTH_OK = 0;
  private static final int HEARTH_E_INVALID = 1;
  private static final int HEARTH_E_INTERNAL = 7;

  private static final long NAG_MS = 200;
  private static final int NAGS_BEFORE_STOP = 10;
  private static final int NAGS_BEFORE_FAILED = 50;

  /** A statement from when it is taken until it has ended. */
  static final class Statement {
    final long number;
    final String code;
    final ObjectNode options;
    private boolean cancelled;
    private boolean running;
    private int nags;

    Statement(long number, String code, ObjectNode options) {
      this.number = number;
      this.code = code;
      this.options = options;
    }
  }

  private final int channel;
  private final String name;
  private final Surroundings around;
  private final Link link;
  private final LinkedBlockingQueue<Statement> queue = new LinkedBlockingQueue<>();

  // Guarded by this.
  private Thread thread;
  private Statement current;
  private boolean dead;

  /**
   * Starts nothing.
   *
   * @param name what the language is called: "Scala"
   */
  JvmInterpreter(int channel, String name, Surroundings around) {
    this.channel = channel;
    this.name = name;
    this.around = around;
    this.link = around.link;
  }

  /** Makes the language ready, on its thread. May wait for the Spark context. */
  abstract void begin() throws Exception;

  /**
   * Runs a statement, on the language's thread. What it throws becomes an error too.
   *
   * @param stop asked between pieces whether to go on
   */
  abstract Result evaluate(Statement statement, Output output, BooleanSupplier stop);

  /** Completion, on a thread of its own, also before begin(). The cursor is in chars. */
  abstract List<String> candidates(String code, int cursor);

  /**
   * What is known of the name at the cursor, or null; called as candidates() is.
   *
   * @param detail 1 where more is wanted than fits a tooltip
   */
  abstract String inspection(String code, int cursor, int detail);

  /** Starts the interpreter if it is not started; READY follows. */
  synchronized void prepare() {
    if (thread == null) {
      thread = Threads.daemon("hearth-" + name.toLowerCase(Locale.ROOT), this::run);
      thread.start();
    }
  }

  @Override
  public synchronized void execute(long number, String code, ObjectNode options) {
    if (dead) {
      lost(number, "the " + name + " interpreter is gone");
      return;
    }
    prepare();
    queue.add(new Statement(number, code, options));
  }

  private void run() {
    try {
      begin();
      link.send(channel, Frame.READY, 0, 0, Json.bytes(Json.object()));
    } catch (Throwable e) {
      // The context's own failure is reported for all channels in one place.
      if (!around.spark.context().isCompletedExceptionally()) {
        around.log.failure("the " + name + " interpreter did not start", e);
        fail("the " + name + " interpreter did not start: " + e);
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
    Output output = new Output(link, channel, statement.number, around.ticker);
    Result result = run(statement, output);
    if (isCancelled(statement)) {
      cancelLeftJobs(statement);
    }
    around.jobs.end(channel);
    around.capture.setTarget(null);
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
      link.send(channel, Frame.DONE, outcome, statement.number, bundle);
    }
  }

  private Result run(Statement statement, Output output) {
    synchronized (this) {
      current = statement;
      if (statement.cancelled) {
        return Result.stopped();
      }
      statement.running = true;
      Thread.interrupted();
    }
    SparkContext context = around.spark.context().join();
    try {
      context.setLocalProperty(Jobs.CHANNEL, Integer.toString(channel));
      context.setLocalProperty(Jobs.STATEMENT, Long.toString(statement.number));
      // Lets a cancelled job interrupt its tasks too.
      context.setLocalProperty("spark.job.interruptOnCancel", "true");
      around.jobs.begin(channel, statement.number);
      around.capture.setTarget(output);
      Result result = evaluate(statement, output, () -> isCancelled(statement));
      leave(statement);
      return result;
    } catch (Throwable e) {
      // ThreadDeath of a cancel, or a defect of ours; the session goes on.
      leave(statement);
      return Result.error(e.toString(), Collections.emptyList());
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
        around.ticker.execute(() -> nag(statement));
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
      around.ticker.schedule(() -> nag(statement), NAG_MS, TimeUnit.MILLISECONDS);
    }
  }

  // Also of a thread that the code has left behind.
  private void cancelLeftJobs(Statement statement) {
    try {
      around.jobs.cancel(channel, statement.number);
    } catch (RuntimeException e) {
      around.log.failure("cannot cancel jobs", e);
    }
  }

  private boolean stillRuns(Statement statement) {
    cancelLeftJobs(statement);
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
        link.send(channel, Frame.DONE, Frame.DONE_LOST, statement.number,
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
  public void ask(int type, long request, byte[] question) {
    Threads.daemon("hearth-question", () -> {
      ObjectNode answer = Json.nothing(type);
      int status = HEARTH_OK;
      try {
        answer(type, Json.parseObject(question), answer);
      } catch (IOException e) {
        status = HEARTH_E_INVALID;
        answer = Json.object().put("reason", e.getMessage());
      } catch (RuntimeException | Error e) {
        around.log.failure("completion or inspection", e);
        status = HEARTH_E_INTERNAL;
        answer = Json.object().put("reason", e.toString());
      }
      link.send(channel, Frame.REPLY, status, request, Json.bytes(answer));
    }).start();
  }

  private void answer(int type, ObjectNode asked, ObjectNode answer) {
    String code = asked.path("code").asText();
    int most = code.codePointCount(0, code.length());
    int cursor =
        code.offsetByCodePoints(0, Math.max(0, Math.min(asked.path("cursor").asInt(), most)));
    if (type == Frame.INSPECT) {
      String known = inspection(code, cursor, asked.path("detail").asInt());
      if (known != null) {
        answer.put("found", true).putObject("data").put("text/plain", known);
      }
      return;
    }
    ArrayNode candidates = (ArrayNode) answer.get("candidates");
    for (String candidate : candidates(code, cursor)) {
      candidates.add(candidate);
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
    link.send(channel, Frame.FAILED, 0, 0,
        Json.bytes(Json.object().put("reason", reason).put("output", "")));
  }

  private void lost(long number, String reason) {
    link.send(channel, Frame.DONE, Frame.DONE_LOST, number,
        Json.error("Lost", reason, Collections.emptyList()));
  }
}
