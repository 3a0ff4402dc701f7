package io.hearth.driver;

import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UnsupportedEncodingException;
import java.lang.reflect.Method;

/**
 * Stands in for System.out and System.err, and Scala's Console with them: what any thread of the
 * JVM prints goes to the running statement, and to the streams that the process was started with
 * when there is none. What a child process prints to descriptors it inherited is not seen here, it
 * goes to the session's log.
 */
final class Capture {
  private final PrintStream originalOut;
  private final PrintStream originalErr;
  private volatile Output target;

  private Capture(PrintStream originalOut, PrintStream originalErr) {
    this.originalOut = originalOut;
    this.originalErr = originalErr;
  }

  static Capture install() {
    Capture capture = new Capture(System.out, System.err);
    PrintStream out = capture.stream(Frame.STDOUT, capture.originalOut);
    PrintStream err = capture.stream(Frame.STDERR, capture.originalErr);
    System.setOut(out);
    System.setErr(err);
    setConsole("setOutDirect", out);
    setConsole("setErrDirect", err);
    return capture;
  }

  PrintStream originalErr() {
    return originalErr;
  }

  /** Directs what is printed from now on; null: to the original streams. */
  void setTarget(Output target) {
    this.target = target;
  }

  private PrintStream stream(int number, PrintStream original) {
    try {
      return new PrintStream(new Sink(number, original), true, "UTF-8");
    } catch (UnsupportedEncodingException e) {
      throw new IllegalStateException(e);
    }
  }

  // Where spark-submit has loaded scala.Console before, it holds the streams of that time. The
  // setters are protected in Scala, which its class files do not know.
  private static void setConsole(String setter, PrintStream stream) {
    try {
      Object console = Class.forName("scala.Console$").getField("MODULE$").get(null);
      for (Method method : console.getClass().getMethods()) {
        if (method.getName().equals(setter) && method.getParameterCount() == 1
            && method.getParameterTypes()[0] == PrintStream.class) {
          method.invoke(console, stream);
          return;
        }
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("scala.Console cannot be redirected", e);
    }
  }

  private final class Sink extends OutputStream {
    private final int number;
    private final PrintStream original;
    private Utf8 utf8 = new Utf8();
    private Output last;

    Sink(int number, PrintStream original) {
      this.number = number;
      this.original = original;
    }

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
      Output now = target;
      if (now != last) {
        utf8 = new Utf8();
        last = now;
      }
      if (now == null) {
        original.write(bytes, offset, length);
      } else {
        now.append(number, utf8.decode(bytes, offset, length));
      }
    }

    @Override
    public void flush() {
      if (target == null) {
        original.flush();
      }
    }
  }
}
