package io.hearth.driver;

import java.io.Writer;

/** Takes what the REPL itself says: echoes of values, warnings, errors. Kept until it is asked. */
final class EchoWriter extends Writer {
  private final StringBuilder text = new StringBuilder();

  @Override
  public synchronized void write(char[] chars, int offset, int length) {
    text.append(chars, offset, length);
  }

  /** Returns what was said since the last call. */
  synchronized String take() {
    String taken = text.toString();
    text.setLength(0);
    return taken;
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}
}
