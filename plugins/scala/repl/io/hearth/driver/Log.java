package io.hearth.driver;

import java.io.PrintStream;

/** The session's log: the stderr that the process was started with. */
final class Log {
  private final PrintStream stream;

  Log(PrintStream stream) {
    this.stream = stream;
  }

  void line(String text) {
    stream.println("hearth-driver: " + text);
  }

  void failure(String what, Throwable why) {
    line(what + ": " + why);
    why.printStackTrace(stream);
  }

  /** Text as it comes, such as what a worker prints while no statement runs. */
  void text(String text) {
    stream.print(text);
    stream.flush();
  }
}
