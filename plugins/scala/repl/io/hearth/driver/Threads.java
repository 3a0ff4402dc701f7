package io.hearth.driver;

/** Threads of the driver's own: daemons, so that none of them keeps the JVM alive. */
final class Threads {
  private Threads() {}

  static Thread daemon(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    return thread;
  }
}
