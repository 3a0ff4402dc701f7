package io.hearth.driver;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * What one statement prints: passed on as OUTPUT frames soon after it comes, and kept, up to a
 * bound, for the statement's text/plain. All methods may be called by any thread.
 */
final class Output {
  private static final long MOST_KEPT = 16L << 20;
  // Of more than that. Nobody reads a result of that size, which costs memory at each step on its
  // way; the stream of it is whole.
  private static final long HEAD = 4L << 20;

  private static final int MOST_IN_FRAME = 64 << 10;
  // The first words go out almost at once (a println is two writes), a stream of them in larger
  // pieces.
  private static final long FIRST_FLUSH_MS = 4;
  private static final long FLUSH_MS = 25;
  private static final String CUT = "\n[the output is cut here, after 4 MiB]\n";

  private final Link link;
  private final int channel;
  private final long statement;
  private final ScheduledExecutorService ticker;

  private final StringBuilder out = new StringBuilder();
  private final StringBuilder err = new StringBuilder();
  private final List<int[]> echoes = new ArrayList<>();
  private long kept;
  private boolean cut;

  private final StringBuilder waiting = new StringBuilder();
  private int waitingStream;
  private boolean flushDue;
  private long lastFlush = System.nanoTime() - TimeUnit.SECONDS.toNanos(1);
  private boolean ended;

  Output(Link link, int channel, long statement, ScheduledExecutorService ticker) {
    this.link = link;
    this.channel = channel;
    this.statement = statement;
    this.ticker = ticker;
  }

  /** Adds what was printed. Waits first while the host is too far behind. */
  void append(int stream, String text) {
    link.awaitRoom();
    add(stream, text);
  }

  /** Adds what the REPL says of a value. */
  synchronized void echo(String text) {
    int start = out.length();
    add(Frame.STDOUT, text);
    echoes.add(new int[] {start, out.length()});
  }

  private synchronized void add(int stream, String text) {
    if (ended || text.isEmpty()) {
      return;
    }
    keep(stream == Frame.STDERR ? err : out, text);
    if (waitingStream != stream) {
      flush();
      waitingStream = stream;
    }
    waiting.append(text);
    if (waiting.length() >= MOST_IN_FRAME) {
      flush();
    } else if (!flushDue) {
      flushDue = true;
      boolean first = System.nanoTime() - lastFlush > TimeUnit.MILLISECONDS.toNanos(FLUSH_MS);
      ticker.schedule(this::flush, first ? FIRST_FLUSH_MS : FLUSH_MS, TimeUnit.MILLISECONDS);
    }
  }

  private void keep(StringBuilder into, String text) {
    if (cut) {
      return;
    }
    into.append(text);
    kept += Utf8.length(text);
    if (kept > MOST_KEPT) {
      cutToHead();
    }
  }

  private void cutToHead() {
    cut = true;
    int fits = Utf8.fitting(out, 0, HEAD);
    if (fits < out.length()) {
      shorten(out, fits);
      err.setLength(0);
    } else {
      shorten(err, Utf8.fitting(err, 0, HEAD - Utf8.length(out)));
    }
  }

  private static void shorten(StringBuilder text, int length) {
    text.setLength(length);
    text.append(CUT);
    text.trimToSize();
  }

  private synchronized void flush() {
    flushDue = false;
    lastFlush = System.nanoTime();
    int start = 0;
    while (start < waiting.length()) {
      int count = Utf8.fitting(waiting, start, MOST_IN_FRAME);
      String text = waiting.substring(start, start + count);
      link.send(channel, Frame.OUTPUT, waitingStream, statement,
          text.getBytes(StandardCharsets.UTF_8));
      start += count;
    }
    waiting.setLength(0);
  }

  /** Passes on what waits; what comes later is dropped. */
  synchronized void end() {
    flush();
    ended = true;
  }

  /** All text: stdout, then stderr. */
  synchronized String text() {
    return out.toString() + err;
  }

  /** The text without the REPL's echoes. */
  synchronized String printed() {
    StringBuilder text = new StringBuilder();
    int from = 0;
    for (int[] echo : echoes) {
      text.append(out, from, Math.min(echo[0], out.length()));
      from = Math.min(echo[1], out.length());
    }
    return text.append(out, from, out.length()).append(err).toString();
  }
}
