package io.hearth;

import io.hearth.driver.SharedData;
import java.io.Serializable;
import org.apache.spark.rdd.RDD;

/** What {@code SharedRdd} is in the session's Scala: {@code SharedRdd("states", rdd)}. */
public final class SharedRdds implements Serializable {
  private static final long serialVersionUID = 1;

  /** Gives an RDD a name; one that had it before loses it. */
  public <T> SharedRdd<T> apply(String name, RDD<T> rdd) {
    SharedData.putScala(name, rdd);
    return new SharedRdd<>(name, rdd.toJavaRDD().classTag());
  }

  /** What has the name, or will have it: it is looked up each time. */
  public SharedRdd<Object> apply(String name) {
    return new SharedRdd<>(name, SharedData.tag(Object.class));
  }

  /** The names in use, in order. */
  public scala.collection.immutable.List<Object> names() {
    return SharedData.list(SharedData.names());
  }
}
