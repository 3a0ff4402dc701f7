package io.hearth.driver;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Makes text of bytes that come in pieces: a character that is cut in two waits for its rest, what
 * is no UTF-8 becomes U+FFFD. Not thread safe.
 */
final class Utf8 {
  private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
      .onMalformedInput(CodingErrorAction.REPLACE)
      .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private byte[] rest = new byte[0];

  String decode(byte[] bytes, int offset, int length) {
    ByteBuffer in = ByteBuffer.allocate(rest.length + length);
    in.put(rest).put(bytes, offset, length);
    in.flip();
    CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
    decoder.reset();
    CoderResult result = decoder.decode(in, out, false);
    assert result.isUnderflow();
    rest = new byte[in.remaining()];
    in.get(rest);
    out.flip();
    return out.toString();
  }

  /** What is left of a character that was never finished. */
  String finish() {
    String text = rest.length == 0 ? "" : "\ufffd";
    rest = new byte[0];
    return text;
  }

  /** How many of the chars from {@code start} fit into {@code most} bytes, pairs kept whole. */
  static int fitting(CharSequence text, int start, long most) {
    long bytes = 0;
    int i = start;
    while (i < text.length()) {
      char c = text.charAt(i);
      boolean pair = Character.isHighSurrogate(c) && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1));
      bytes += pair ? 4 : c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
      if (bytes > most) {
        break;
      }
      i += pair ? 2 : 1;
    }
    return i - start;
  }

  static long length(CharSequence text) {
    long bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      // Half a pair counts two, so that a pair counts four.
      bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }
    return bytes;
  }
}
