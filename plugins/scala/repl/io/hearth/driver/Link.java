package io.hearth.driver;

import java.io.IOException;
import java.nio.channels.ByteChannel;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * The connection to the host. Frames that are sent are numbered and kept until the host has
 * acknowledged them; when the connection drops, the link dials again and both sides send what the
 * other has not got. All methods may be called by any thread.
 */
final class Link {
  /** Takes what the host sends, on the link's thread: must not block. */
  interface Listener {
    void onFrame(Frame frame);

    /** No host has been there for the orphan time-out, or it wants this driver no more. Called once. */
    void onOrphaned();
  }

  private static final long MOST_HELD = 256L << 20;
  private static final long FIRST_WAIT_MS = 200;
  private static final long LONGEST_WAIT_MS = 2000;
  private static final long HANDSHAKE_SECONDS = 10;

  private final LinkFile file;
  private final Listener listener;
  private final ScheduledExecutorService ticker;
  private final Log log;

  private final ArrayDeque<Frame> unacknowledged = new ArrayDeque<>();
  private final ArrayDeque<Frame> unsent = new ArrayDeque<>();
  private long held;
  private long lastSequence;
  private long received;
  private boolean ackDue;
  private boolean closed;
  private ByteChannel current;

  Link(LinkFile file, Listener listener, ScheduledExecutorService ticker, Log log) {
    this.file = file;
    this.listener = listener;
    this.ticker = ticker;
    this.log = log;
  }

  void start() {
    Threads.daemon("hearth-link", this::run).start();
  }

  /** Queues a frame. Never blocks: who sends without end calls {@link #awaitRoom} before. */
  synchronized void send(int channel, int type, int outcome, long statement, byte[] payload) {
    if (closed) {
      return;
    }
    if (payload.length > Frame.MAX_PAYLOAD) {
      payload = Json.error("ResultTooLarge",
          "the result has " + payload.length + " bytes, more than the link carries",
          java.util.Collections.emptyList());
      outcome = type == Frame.DONE ? Frame.DONE_ERROR : outcome;
    }
    Frame frame = new Frame(channel, type, outcome, statement, ++lastSequence, payload);
    unsent.add(frame);
    held += frame.weight();
    notifyAll();
  }

  /**
   * Waits while more is unacknowledged than the bound, so that what REPLs print is held back. A
   * thread that is interrupted goes on: its code is about to stop.
   */
  synchronized void awaitRoom() {
    while (held > MOST_HELD && !closed) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** Waits until the host has acknowledged all. Returns false when it has not within the time. */
  synchronized boolean flush(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (!unsent.isEmpty() || !unacknowledged.isEmpty()) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        return false;
      }
      try {
        wait(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return true;
  }

  /** Hangs up for good. */
  synchronized void close() {
    closed = true;
    hangUp(current);
    notifyAll();
  }

  private void run() {
    long lastSeen = System.nanoTime();
    long wait = FIRST_WAIT_MS;
    while (!isClosed()) {
      try (ByteChannel channel = Endpoint.connect(file)) {
        shakeHands(channel);
        wait = FIRST_WAIT_MS;
        Threads.daemon("hearth-link-writer", () -> writeTo(channel)).start();
        try {
          readFrom(channel);
        } finally {
          lastSeen = System.nanoTime();
        }
      } catch (Handshake.Refused e) {
        log.line("link: " + e.getMessage());
        disconnected();
        listener.onOrphaned();
        return;
      } catch (IOException e) {
        if (!isClosed()) {
          log.line("link: " + e.getMessage());
        }
      }
      disconnected();
      if (System.nanoTime() - lastSeen > TimeUnit.SECONDS.toNanos(file.orphanSeconds)) {
        listener.onOrphaned();
        return;
      }
      pause(wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  private void shakeHands(ByteChannel channel) throws IOException {
    ScheduledFuture<?> tooLate =
        ticker.schedule(() -> hangUp(channel), HANDSHAKE_SECONDS, TimeUnit.SECONDS);
    long hostHas;
    try {
      hostHas = Handshake.perform(channel, file, lastReceived());
    } finally {
      tooLate.cancel(false);
    }
    synchronized (this) {
      if (hostHas > lastSequence) {
        throw new IOException("the host claims frames that were never sent");
      }
      // What the last connection took but the host has not got goes first again.
      while (!unacknowledged.isEmpty()) {
        unsent.addFirst(unacknowledged.pollLast());
      }
      forget(unsent, hostHas);
      current = channel;
      ackDue = false;
      notifyAll();
    }
  }

  private void readFrom(ByteChannel channel) throws IOException {
    while (true) {
      Frame frame = Frame.read(channel, Frame.MAX_PAYLOAD);
      if (frame.channel == 0) {
        if (frame.type != Frame.ACK) {
          throw new IOException("frame type " + frame.type + " after the handshake");
        }
        acknowledged(frame.sequence);
      } else if (isNew(frame)) {
        listener.onFrame(frame);
      }
    }
  }

  private synchronized boolean isNew(Frame frame) throws IOException {
    if (frame.sequence > received + 1) {
      throw new IOException("frame " + frame.sequence + " came after " + received);
    }
    ackDue = true;
    notifyAll();
    if (frame.sequence <= received) {
      return false;
    }
    received = frame.sequence;
    return true;
  }

  private synchronized void acknowledged(long sequence) {
    forget(unacknowledged, sequence);
    notifyAll();
  }

  private void forget(ArrayDeque<Frame> frames, long upTo) {
    for (Iterator<Frame> it = frames.iterator(); it.hasNext(); ) {
      Frame frame = it.next();
      if (frame.sequence > upTo) {
        break;
      }
      held -= frame.weight();
      it.remove();
    }
  }

  private void writeTo(ByteChannel channel) {
    try {
      for (Frame frame = next(channel); frame != null; frame = next(channel)) {
        frame.write(channel);
      }
    } catch (IOException e) {
      hangUp(channel);
    }
  }

  /** The next frame for this connection, or null when it is no longer the current one. */
  private synchronized Frame next(ByteChannel channel) {
    while (current == channel) {
      if (ackDue) {
        ackDue = false;
        return Frame.ack(received);
      }
      if (!unsent.isEmpty()) {
        Frame frame = unsent.poll();
        unacknowledged.add(frame);
        return frame;
      }
      try {
        wait();
      } catch (InterruptedException e) {
        return null;
      }
    }
    return null;
  }

  private synchronized void disconnected() {
    current = null;
    notifyAll();
  }

  private synchronized void pause(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    for (long left = millis; left > 0 && !closed;
        left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())) {
      try {
        wait(left);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  private synchronized long lastReceived() {
    return received;
  }

  private static void hangUp(ByteChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // It is closed for us either way.
      }
    }
  }
}
