package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A channel that a process beside the driver serves, such as a Python interpreter. Frames go
 * through; what the process prints on its pipes becomes output of its running statement.
 */
final class Worker implements Interpreter {
  private static final long EXIT_MS = 2000;
  private static final long PIPES_MS = 1000;
  private static final long NAG_MS = 200;
  private static final int NAGS_FOR_ANSWERS = 10;
  private static final int TAIL = 4 << 10;
  private static final int NOTHING_PRINTED_NO_TEXT = 0x80;
  private static final int HEARTH_OK = 0;
  private static final int HEARTH_E_STATE = 3;
  private static final byte[] EMPTY = new byte[0];

  /** One of the two pipes. */
  private final class Pipe implements MarkerScanner.Sink {
    private final int stream;
    private final InputStream in;
    private final MarkerScanner scanner = new MarkerScanner(marker, this);
    private final Utf8 utf8 = new Utf8();
    private final StringBuilder tail = new StringBuilder();
    private long marked; // guarded by Worker.this, as is ended
    private boolean ended;

    Pipe(int stream, InputStream in) {
      this.stream = stream;
      this.in = in;
    }

    void read() {
      byte[] bytes = new byte[64 << 10];
      try {
        for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
          scanner.scan(bytes, n);
        }
      } catch (IOException e) {
        log.line("a worker's pipe: " + e.getMessage());
      }
      scanner.finish();
      print(utf8.finish());
      synchronized (Worker.this) {
        ended = true;
        Worker.this.notifyAll();
      }
    }

    @Override
    public void bytes(byte[] bytes, int offset, int length) {
      print(utf8.decode(bytes, offset, length));
    }

    @Override
    public void marker(long statement) {
      print(utf8.finish());
      synchronized (Worker.this) {
        marked = Math.max(marked, statement);
        Worker.this.notifyAll();
      }
    }

    private void print(String text) {
      if (text.isEmpty()) {
        return;
      }
      Output target;
      synchronized (Worker.this) {
        target = output;
        tail.append(text);
        if (tail.length() > TAIL) {
          tail.delete(0, tail.length() - TAIL);
        }
      }
      if (target != null) {
        target.append(stream, text);
      } else {
        log.text(text);
      }
    }
  }

  private final int channel;
  private final ObjectNode open;
  private final boolean bySignal;
  private final Link link;
  private final Spark spark;
  private final Jobs jobs;
  private final WorkerServer server;
  private final ScheduledExecutorService ticker;
  private final Log log;
  private final String secret = Hex.random(32);
  private final String marker = Hex.random(16);
  private final LinkedBlockingQueue<Frame> toWorker = new LinkedBlockingQueue<>();

  // Guarded by this.
  private final ArrayDeque<Frame> untilReady = new ArrayDeque<>();
  private WorkerProcess files;
  private Process process;
  private Pipe stdout;
  private Pipe stderr;
  private Output output;
  private long running;
  private boolean interrupted;
  private boolean heeded;
  private boolean ready;
  private boolean stopping;
  private String dead;

  Worker(int channel, ObjectNode open, Surroundings around, WorkerServer server) {
    this.channel = channel;
    this.open = open;
    this.bySignal = open.path("interrupt").asText().equals("signal");
    this.link = around.link;
    this.spark = around.spark;
    this.jobs = around.jobs;
    this.server = server;
    this.ticker = around.ticker;
    this.log = around.log;
  }

  int channel() {
    return channel;
  }

  boolean knows(String given) {
    return Handshake.same(secret, given);
  }

  /** Starts the process once the Spark context is up, and returns. */
  void start() {
    Threads.daemon("hearth-worker-" + channel, this::live).start();
  }

  private void live() {
    try {
      spark.context().join();
    } catch (RuntimeException e) {
      return; // reported for all channels in one place
    }
    try (WorkerProcess made = new WorkerProcess(open, spark)) {
      Process started = made.start();
      Thread out;
      Thread err;
      synchronized (this) {
        files = made;
        process = started;
        stdout = new Pipe(Frame.STDOUT, started.getInputStream());
        stderr = new Pipe(Frame.STDERR, started.getErrorStream());
        out = Threads.daemon("hearth-worker-" + channel + "-out", stdout::read);
        err = Threads.daemon("hearth-worker-" + channel + "-err", stderr::read);
        if (stopping) {
          started.destroyForcibly();
        }
      }
      out.start();
      err.start();
      greet(started, server.expect(this));
      int status = started.waitFor();
      // A grandchild may hold the pipes for longer.
      out.join(PIPES_MS);
      err.join(PIPES_MS);
      died(status > 128 ? "it was ended by signal " + (status - 128)
          : "it exited with status " + status);
    } catch (IOException | RuntimeException e) {
      died("it could not be started: " + e.getMessage());
    } catch (InterruptedException e) {
      died("the driver gave it up");
    } finally {
      server.forget(this);
    }
  }

  private void greet(Process started, int port) {
    ObjectNode hello = Json.object().put("port", port).put("secret", secret)
        .put("marker", marker).put("channel", channel);
    try (OutputStream stdin = started.getOutputStream()) {
      stdin.write((hello + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      log.line("worker of channel " + channel + " does not listen: " + e.getMessage());
    }
  }

  /** Serves the worker's connection until it ends; then the worker has a moment to exit. */
  void serve(SocketChannel connection) {
    Thread writer = Threads.daemon("hearth-worker-" + channel + "-writer", () -> write(connection));
    writer.start();
    try {
      while (true) {
        received(Frame.read(connection, Frame.MAX_PAYLOAD));
      }
    } catch (IOException e) {
      log.line("worker of channel " + channel + ": " + e.getMessage());
    }
    writer.interrupt();
    Process mine;
    synchronized (this) {
      mine = process;
    }
    WorkerProcess.end(mine, EXIT_MS);
  }

  private void write(SocketChannel connection) {
    try {
      while (true) {
        toWorker.take().write(connection);
      }
    } catch (IOException | InterruptedException e) {
      // The reader sees the end of the connection too.
    }
  }

  private void received(Frame frame) throws IOException {
    if (frame.channel != channel) {
      throw new IOException("a frame for channel " + frame.channel);
    }
    switch (frame.type) {
      case Frame.READY:
        ready(frame);
        break;
      case Frame.OUTPUT:
        Output target = outputOf(frame.statement);
        if (target != null) {
          target.append(frame.outcome == Frame.STDERR ? Frame.STDERR : Frame.STDOUT, frame.text());
        }
        break;
      case Frame.DONE:
        done(frame);
        break;
      case Frame.INTERRUPT:
        heeded(frame);
        break;
      case Frame.PROGRESS:
      case Frame.DISPLAY:
      case Frame.REPLY:
        link.send(channel, frame.type, frame.outcome, frame.statement, frame.payload);
        break;
      default:
        throw new IOException("frame type " + frame.type + " from a worker");
    }
  }

  private synchronized Output outputOf(long statement) {
    return running == statement ? output : null;
  }

  private synchronized void ready(Frame frame) {
    ready = true;
    link.send(channel, Frame.READY, 0, 0, frame.payload);
    while (!untilReady.isEmpty()) {
      forward(untilReady.poll());
    }
  }

  // The code has stopped; what the worker does until DONE is its own, and gets no more signals. The
  // lock is that of signal(): when the answer goes, the last signal has arrived.
  private synchronized void heeded(Frame frame) {
    if (running == frame.statement) {
      heeded = true;
    }
    toWorker.add(new Frame(channel, Frame.INTERRUPT, 0, frame.statement, 0, EMPTY));
  }

  private void done(Frame frame) {
    Output printed;
    long ended;
    boolean wasInterrupted;
    boolean cancelled;
    synchronized (this) {
      if (running != frame.statement || running == 0) {
        log.line("worker of channel " + channel + " ends statement " + frame.statement
            + ", which does not run");
        return;
      }
      // Before its markers, the pipes still carry what the statement has printed.
      while (!passed(stdout, frame.statement) || !passed(stderr, frame.statement)) {
        try {
          wait();
        } catch (InterruptedException e) {
          return;
        }
      }
      if (dead != null) {
        return;
      }
      printed = output;
      // Its job was cancelled, it may be, before it got the signal.
      cancelled = bySignal && interrupted && frame.outcome == Frame.DONE_ERROR;
      output = null;
      ended = running;
      wasInterrupted = interrupted;
      running = 0;
    }
    if (wasInterrupted) {
      cancelLeftJobs(ended);
    }
    jobs.end(channel);
    printed.end();
    int outcome = frame.outcome & ~NOTHING_PRINTED_NO_TEXT;
    byte[] bundle = frame.payload;
    if (outcome == Frame.DONE_OK) {
      bundle = withText(frame.payload, trimEnd(printed.text()),
          (frame.outcome & NOTHING_PRINTED_NO_TEXT) != 0);
    }
    link.send(channel, Frame.DONE, cancelled ? Frame.DONE_CANCELLED : outcome, frame.statement,
        bundle);
  }

  private static boolean passed(Pipe pipe, long statement) {
    return pipe.marked >= statement || pipe.ended;
  }

  private static String trimEnd(String text) {
    int end = text.length();
    while (end > 0 && Character.isWhitespace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }

  // Spliced, not parsed: a bundle may be large.
  private static byte[] withText(byte[] payload, String text, boolean onlyIfPrinted) {
    if (onlyIfPrinted && text.isEmpty()) {
      return payload;
    }
    String bundle = new String(payload, StandardCharsets.UTF_8).trim();
    String rest = bundle.startsWith("{") ? bundle.substring(1).trim() : "}";
    String member = "{\"text/plain\":" + Json.quoted(text);
    return (member + (rest.equals("}") ? "" : ",") + rest).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public synchronized void execute(long statement, String code, ObjectNode options) {
    if (dead != null || stopping) {
      lost(statement, dead != null ? dead : "the worker is being stopped");
      return;
    }
    send(new Frame(channel, Frame.EXECUTE, 0, statement, 0,
        code.getBytes(StandardCharsets.UTF_8)));
  }

  private void send(Frame frame) {
    if (ready) {
      forward(frame);
    } else {
      untilReady.add(frame);
    }
  }

  private void forward(Frame frame) {
    if (frame.type == Frame.EXECUTE) {
      running = frame.statement;
      interrupted = false;
      heeded = false;
      output = new Output(link, channel, running, ticker);
      jobs.begin(channel, running);
    }
    toWorker.add(frame);
  }

  @Override
  public synchronized void interrupt(long statement) {
    if (running == statement) {
      if (!bySignal) {
        toWorker.add(new Frame(channel, Frame.INTERRUPT, 0, statement, 0, EMPTY));
      }
      if (!interrupted) {
        interrupted = true;
        ticker.execute(() -> nag(statement, 1));
      }
    } else if (untilReady.removeIf(
        frame -> frame.type == Frame.EXECUTE && frame.statement == statement)) {
      link.send(channel, Frame.DONE, Frame.DONE_CANCELLED, statement,
          Json.error("Cancelled", "the statement was cancelled", Collections.emptyList()));
    }
  }

  // Again until the statement ends: what starts a job may only now get to it.
  private void nag(long statement, int times) {
    WorkerProcess mine;
    synchronized (this) {
      if (running != statement || dead != null) {
        return;
      }
      mine = heeded ? null : files;
    }
    int jobsLeft = 0;
    try {
      jobsLeft = jobs.cancel(channel, statement);
    } catch (RuntimeException e) {
      log.failure("cannot cancel jobs", e);
    }
    if (bySignal && mine != null) {
      // The end of a job or call is an answer that the worker waits for: better not broken off.
      boolean answerComes = jobsLeft > 0 || mine.interruptCalls();
      if (!answerComes || times > NAGS_FOR_ANSWERS) {
        signal(statement);
      }
    }
    ticker.schedule(() -> nag(statement, times + 1), NAG_MS, TimeUnit.MILLISECONDS);
  }

  // The code may have stopped before its jobs were told to, or they are of a thread that goes on.
  private void cancelLeftJobs(long statement) {
    try {
      jobs.cancel(channel, statement);
    } catch (RuntimeException e) {
      log.failure("cannot cancel jobs", e);
    }
  }

  // Under the lock, so that the signal is there before the next statement is.
  private synchronized void signal(long statement) {
    if (running != statement || heeded || dead != null) {
      return;
    }
    try {
      WorkerProcess.interrupt(process);
    } catch (IOException | RuntimeException e) {
      log.failure("channel " + channel + " cannot be interrupted", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public synchronized void ask(int type, long request, byte[] question) {
    if (dead != null || stopping) {
      link.send(channel, Frame.REPLY, HEARTH_E_STATE, request, Json.reason("the worker is gone"));
      return;
    }
    if (bySignal && running != 0) {
      link.send(channel, Frame.REPLY, HEARTH_OK, request, Json.bytes(Json.nothing(type)));
      return;
    }
    send(new Frame(channel, type, 0, request, 0, question));
  }

  @Override
  public void stop(String reason) {
    Process mine;
    synchronized (this) {
      if (dead != null || stopping) {
        return;
      }
      stopping = true;
      endStatements(reason);
      toWorker.add(new Frame(channel, Frame.STOP, 0, 0, 0, EMPTY));
      mine = process;
    }
    WorkerProcess.end(mine, EXIT_MS);
  }

  /** Ends the process at once, without any word to it. */
  void kill() {
    Process mine;
    synchronized (this) {
      stopping = true;
      mine = process;
    }
    WorkerProcess.end(mine, 0);
  }

  private synchronized void died(String how) {
    if (dead != null) {
      return;
    }
    dead = "the worker is gone: " + how;
    notifyAll();
    if (stopping) {
      return;
    }
    endStatements(dead);
    String last = stderr == null ? "" : stderr.tail.toString();
    if (last.trim().isEmpty() && stdout != null) {
      last = stdout.tail.toString();
    }
    log.line("channel " + channel + ": " + dead);
    link.send(channel, Frame.FAILED, 0, 0,
        Json.bytes(Json.object().put("reason", dead).put("output", last)));
  }

  private void endStatements(String reason) {
    if (running != 0) {
      output.end();
      jobs.end(channel);
      lost(running, reason);
      running = 0;
      output = null;
    }
    for (Frame frame : untilReady) {
      if (frame.type == Frame.EXECUTE) {
        lost(frame.statement, reason);
      } else {
        link.send(channel, Frame.REPLY, HEARTH_E_STATE, frame.statement, Json.reason(reason));
      }
    }
    untilReady.clear();
  }

  private void lost(long statement, String reason) {
    link.send(channel, Frame.DONE, Frame.DONE_LOST, statement,
        Json.error("InterpreterDied", reason, Collections.emptyList()));
  }
}
