package io.hearth.driver;

import java.nio.file.Paths;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;

/** The program that spark-submit runs: a session's driver. */
public final class Main {
  /** The environment variable that names the link file of a driver beside its host. */
  static final String LINK_FILE = "HEARTH_LINK_FILE";

  /** The Spark property that names it for a driver in a cluster; goes before the variable. */
  private static final String LINK_FILE_PROPERTY = "spark.hearth.link.file";

  private static final long EXIT_MS = 3000;

  private Main() {}

  /**
   * Returns when the session has ended on a cluster, and exits the JVM elsewhere.
   *
   * @param arguments none
   */
  public static void main(String[] arguments) throws Exception {
    // Logging first, so that it keeps to the process's own stderr and stays out of statements.
    SparkConf conf = new SparkConf();
    conf.log();
    String path = conf.get(LINK_FILE_PROPERTY, System.getenv(LINK_FILE));
    if (path == null) {
      throw new IllegalArgumentException("neither " + LINK_FILE_PROPERTY + " nor " + LINK_FILE
          + " is set: the host starts this program");
    }
    Capture capture = Capture.install();
    Log log = new Log(capture.originalErr());
    Driver driver = new Driver(LinkFile.read(Paths.get(path)), capture, log);
    int status = driver.start().get();
    // YARN takes an exit of the JVM within main for a failure.
    if (status == 0 && "cluster".equals(conf.get("spark.submit.deployMode", "client"))
        && conf.get("spark.master", "").equals("yarn")) {
      return;
    }
    Thread watchdog = Threads.daemon("hearth-halt", () -> halt(status));
    watchdog.start();
    System.exit(status);
  }

  // A shutdown hook of the user's may hang.
  private static void halt(int status) {
    try {
      TimeUnit.MILLISECONDS.sleep(EXIT_MS);
    } catch (InterruptedException e) {
      // No more time, then.
    }
    Runtime.getRuntime().halt(status);
  }
}
