package io.hearth.driver;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;

/**
 * A shell beside a worker that outlives the driver, however that ends, just long enough to end the
 * worker and all that it has started: a worker that computes sees no end of its connection. It waits
 * on a pipe whose other end the driver has, and knows the processes by a mark in their environment.
 */
final class WorkerGuard {
  static final String MARK = "HEARTH_WORKER";

  // A worker that sees the end by itself has two seconds to tidy up.
  private static final String SCRIPT =
      "trap '' HUP INT TERM\n"
      + "read -r over && exit\n"
      + "for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 \"$1\" 2>/dev/null || break; sleep 0.2; done\n"
      + "[ -r /proc/self/environ ] || { kill -KILL \"$1\"; exit; } 2>/dev/null\n"
      + "for i in 1 2 3 4 5; do\n"
      + "  left=$(grep -lsF " + MARK + "=$2 /proc/[0-9]*/environ)\n"
      + "  [ -n \"$left\" ] || exit\n"
      + "  for file in $left; do file=${file#/proc/}; kill -KILL ${file%/*} 2>/dev/null; done\n"
      + "done\n";

  private final Process shell;

  private WorkerGuard(Process shell) {
    this.shell = shell;
  }

  /** Guards a process whose environment has MARK with the value `mark`. */
  static WorkerGuard over(Process process, String mark) throws IOException {
    String pid = "";
    try {
      pid = WorkerProcess.pid(process);
    } catch (IOException e) {
      // Java 8: the mark alone tells, and there are no two seconds.
    }
    ProcessBuilder builder = new ProcessBuilder("sh", "-c", SCRIPT, "sh", pid, mark);
    builder.redirectErrorStream(true);
    builder.directory(new File("/")); // the session's folder may go first
    builder.environment().remove(Main.LINK_FILE);
    return new WorkerGuard(builder.start());
  }

  /** To be called when the worker has ended, and the guard is to leave alone what it has left. */
  void close() {
    try (OutputStream word = shell.getOutputStream()) {
      word.write('\n');
    } catch (IOException e) {
      // It is gone already.
    }
  }
}
