package io.hearth.driver;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Finds the markers {@code 0x00 "hearth:" marker ":" statement 0x00} in what a worker's pipe gives,
 * also when reads cut them. Not thread safe.
 */
final class MarkerScanner {
  /** Takes the bytes between markers, in order with the markers. */
  interface Sink {
    void bytes(byte[] bytes, int offset, int length);

    void marker(long statement);
  }

  private static final int MOST_DIGITS = 19;

  private final byte[] start;
  private final Sink sink;
  /** The beginning of what may become a marker. */
  private final ByteArrayOutputStream candidate = new ByteArrayOutputStream();

  MarkerScanner(String marker, Sink sink) {
    this.start = ("\0hearth:" + marker + ":").getBytes(StandardCharsets.UTF_8);
    this.sink = sink;
  }

  void scan(byte[] bytes, int length) {
    int plain = 0; // where the bytes begin that have not been passed on
    for (int i = 0; i < length; i++) {
      byte b = bytes[i];
      if (candidate.size() == 0) {
        if (b == 0) {
          pass(bytes, plain, i);
          candidate.write(b);
          plain = i + 1;
        }
      } else if (goesOn(b)) {
        candidate.write(b);
        plain = i + 1;
        if (b == 0) {
          String text = new String(candidate.toByteArray(), StandardCharsets.US_ASCII);
          candidate.reset();
          sink.marker(Long.parseLong(text.substring(start.length, text.length() - 1)));
        }
      } else {
        finish(); // it was none; this byte may begin the next
        plain = i;
        i--;
      }
    }
    pass(bytes, plain, length);
  }

  /** Passes on what has begun like a marker and will not be one. */
  void finish() {
    byte[] text = candidate.toByteArray();
    candidate.reset();
    pass(text, 0, text.length);
  }

  private boolean goesOn(byte b) {
    int size = candidate.size();
    if (size < start.length) {
      return b == start[size];
    }
    int digits = size - start.length;
    return b >= '0' && b <= '9' ? digits < MOST_DIGITS - 1 : b == 0 && digits > 0;
  }

  private void pass(byte[] bytes, int from, int to) {
    if (to > from) {
      sink.bytes(bytes, from, to - from);
    }
  }
}
