package io.hearth.driver;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;

/** One frame of the link or of a worker's connection: 24 bytes of header, then the payload. */
final class Frame {
  static final int HELLO = 1;
  static final int CHALLENGE = 2;
  static final int PROOF = 3;
  static final int WELCOME = 4;
  static final int REFUSED = 5;
  static final int ACK = 6;
  static final int EXECUTE = 16;
  static final int INTERRUPT = 17;
  static final int COMPLETE = 18;
  static final int OPEN = 19;
  static final int STOP = 20;
  static final int PREPARE = 21;
  static final int SHARED = 22;
  static final int INSPECT = 23;
  static final int READY = 32;
  static final int OUTPUT = 33;
  static final int PROGRESS = 34;
  static final int DONE = 35;
  static final int REPLY = 36;
  static final int FAILED = 37;
  static final int INFO = 38;
  static final int BYE = 39;
  static final int DISPLAY = 40;

  static final int DONE_OK = 0;
  static final int DONE_ERROR = 1;
  static final int DONE_CANCELLED = 2;
  static final int DONE_LOST = 4;

  /** Outcome of an EXECUTE that carries options beside its code. */
  static final int WITH_OPTIONS = 1;

  static final int STDOUT = 1;
  static final int STDERR = 2;

  static final int MAX_PAYLOAD = 64 << 20;

  private static final int HEADER = 24;
  private static final int SMALL = 16 << 10;
  private static final byte[] NOTHING = new byte[0];

  final int channel;
  final int type;
  final int outcome;
  final long statement;
  final long sequence;
  final byte[] payload;

  Frame(int channel, int type, int outcome, long statement, long sequence, byte[] payload) {
    this.channel = channel;
    this.type = type;
    this.outcome = outcome;
    this.statement = statement;
    this.sequence = sequence;
    this.payload = payload;
  }

  static Frame control(int type, String payload) {
    return new Frame(0, type, 0, 0, 0, payload.getBytes(StandardCharsets.UTF_8));
  }

  static Frame ack(long received) {
    return new Frame(0, ACK, 0, 0, received, NOTHING);
  }

  String text() {
    return new String(payload, StandardCharsets.UTF_8);
  }

  /** What the frame counts for in a bound on memory. */
  long weight() {
    return HEADER + payload.length;
  }

  void write(WritableByteChannel out) throws IOException {
    // A small frame goes at once: one packet, and one record of TLS.
    boolean small = payload.length <= SMALL;
    ByteBuffer header = ByteBuffer.allocate(small ? HEADER + payload.length : HEADER);
    header.putInt(payload.length);
    header.putShort((short) channel);
    header.put((byte) type);
    header.put((byte) outcome);
    header.putLong(statement);
    header.putLong(sequence);
    if (small) {
      header.put(payload);
    }
    header.rewind();
    writeAll(out, header);
    if (!small) {
      writeAll(out, ByteBuffer.wrap(payload));
    }
  }

  private static void writeAll(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  /**
   * Reads a whole frame.
   *
   * @param most bound on the payload, at most {@link #MAX_PAYLOAD}
   * @throws EOFException when the peer has closed
   * @throws IOException also when the header breaks the rules
   */
  static Frame read(ReadableByteChannel in, int most) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    readAll(in, header);
    header.rewind();
    int length = header.getInt();
    int channel = header.getShort() & 0xffff;
    int type = header.get() & 0xff;
    int outcome = header.get() & 0xff;
    long statement = header.getLong();
    long sequence = header.getLong();
    if (length < 0 || length > most) {
      throw new IOException("a frame of " + (length & 0xffffffffL) + " bytes is out of bounds");
    }
    if (type == 0 || channel == 0 && (type > ACK || type != ACK && sequence != 0)) {
      throw new IOException("frame type " + type + " does not belong on channel " + channel);
    }
    ByteBuffer payload = ByteBuffer.allocate(length);
    readAll(in, payload);
    return new Frame(channel, type, outcome, statement, sequence, payload.array());
  }

  private static void readAll(ReadableByteChannel in, ByteBuffer into) throws IOException {
    while (into.hasRemaining()) {
      if (in.read(into) < 0) {
        throw new EOFException("the peer has closed");
      }
    }
  }
}
