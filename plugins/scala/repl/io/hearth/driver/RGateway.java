package io.hearth.driver;

import java.util.Map;
import org.apache.spark.api.r.RBackend;
import scala.Tuple2;

/** Spark's own backend for one R process, on the running context. */
final class RGateway {
  private final RBackend backend = new RBackend();

  private RGateway() {}

  /** Starts one, and names it in the environment of the process that is to join. */
  static RGateway start(Spark spark, Map<String, String> env) {
    // What R calls may need classes of the REPL's.
    Thread.currentThread().setContextClassLoader(spark.classLoader());
    RGateway gateway = new RGateway();
    Tuple2<?, ?> place = gateway.backend.init();
    Threads.daemon("hearth-r-backend", gateway.backend::run).start();
    env.put("EXISTING_SPARKR_BACKEND_PORT", place._1().toString());
    env.put("SPARKR_BACKEND_AUTH_SECRET", Reflect.call(place._2(), "secret").toString());
    return gateway;
  }

  void close() {
    backend.close();
  }
}
