package io.hearth.driver;

import java.io.IOException;
import java.security.SecureRandom;

/** Bytes as lower-case hex, and secrets in that form. */
final class Hex {
  private static final SecureRandom RANDOM = new SecureRandom();

  private Hex() {}

  static String encode(byte[] bytes) {
    StringBuilder text = new StringBuilder(bytes.length * 2);
    for (byte b : bytes) {
      text.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
    }
    return text.toString();
  }

  static byte[] decode(String text) throws IOException {
    if (text.length() % 2 != 0) {
      throw new IOException("hex text of odd length");
    }
    byte[] bytes = new byte[text.length() / 2];
    for (int i = 0; i < bytes.length; i++) {
      int high = Character.digit(text.charAt(2 * i), 16);
      int low = Character.digit(text.charAt(2 * i + 1), 16);
      if (high < 0 || low < 0) {
        throw new IOException("not hex text");
      }
      bytes[i] = (byte) (high << 4 | low);
    }
    return bytes;
  }

  static String random(int bytes) {
    byte[] value = new byte[bytes];
    RANDOM.nextBytes(value);
    return encode(value);
  }
}
