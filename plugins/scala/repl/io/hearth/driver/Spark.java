package io.hearth.driver;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.CompletableFuture;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.api.python.Py4JServer;
import org.apache.spark.repl.Main;
import org.apache.spark.sql.SparkSession;

/** The session's Spark context, started in the background, and the gateway to it for Python. */
final class Spark {
  private final CompletableFuture<SparkContext> context = new CompletableFuture<>();
  private final ReplClassLoader classes =
      new ReplClassLoader(Thread.currentThread().getContextClassLoader());
  private Py4JServer gateway;

  /** Done when the context is up, or with the reason why it is not. */
  CompletableFuture<SparkContext> context() {
    return context;
  }

  /** Where the REPL's classes are from now on. */
  void setRepl(ClassLoader repl) {
    classes.setRepl(repl);
  }

  /** Knows the REPL's classes too: for threads that run Spark's code. */
  ClassLoader classLoader() {
    return classes;
  }

  /** The session that all languages share; waits for the context. */
  SparkSession session() {
    context.join();
    return Main.sparkSession();
  }

  void start() {
    Thread starter = Threads.daemon("hearth-spark", () -> {
      try {
        SparkConf conf = Main.conf();
        // Hive would leave a metastore in the working folder, and costs seconds.
        conf.setIfMissing("spark.sql.catalogImplementation", "in-memory");
        // The bar would be drawn into what statements print.
        conf.setIfMissing("spark.ui.showConsoleProgress", "false");
        Main.createSparkSession();
        context.complete(Main.sparkContext());
      } catch (Throwable e) {
        context.completeExceptionally(e);
      }
    });
    starter.setContextClassLoader(classes);
    starter.start();
  }

  /** What the host tells clients about the application. */
  static byte[] info(SparkContext context) {
    ObjectNode info = Json.object();
    info.put("appId", context.applicationId());
    info.put("sparkUiUrl", context.uiWebUrl().isEmpty() ? null : context.uiWebUrl().get());
    info.put("driverLogUrl", driverLogUrl(context));
    info.put("sparkVersion", context.version());
    info.put("scalaVersion", scala.util.Properties.versionNumberString());
    return Json.bytes(info);
  }

  // The folder of the container's logs, as YARN's own pages show it; null where the cluster has none.
  private static String driverLogUrl(SparkContext context) {
    try {
      Object urls = Reflect.call(context.schedulerBackend(), "getDriverLogUrls");
      Object stderr = Reflect.call(Reflect.call(urls, "get"), "get", "stderr");
      return Reflect.call(stderr, "get").toString().replaceFirst("/stderr[^/]*$", "");
    } catch (RuntimeException e) {
      return null;
    }
  }

  /** The Py4J gateway of the running context, started when it is first asked for. */
  synchronized Py4JServer gateway() {
    if (gateway == null) {
      Py4JServer server = new Py4JServer(context.join().getConf());
      server.start();
      gateway = server;
    }
    return gateway;
  }

  /** Stops the context, if there is one. */
  void stop() {
    if (context.isDone() && !context.isCompletedExceptionally()) {
      context.join().stop();
    }
  }
}
