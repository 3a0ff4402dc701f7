package io.hearth;

import io.hearth.driver.SharedData;
import java.io.Serializable;
import java.util.List;
import org.apache.spark.rdd.RDD;
import scala.Option;
import scala.reflect.ClassTag;

/**
 * An RDD that all languages of the session know by a name. In the session's Scala:
 *
 * <pre>
 * val srdd = SharedRdd("states", sc.parallelize(Seq("ak" -> "Alaska")))
 * srdd.get("ak")                          // Some(Alaska)
 * srdd.set("ca", "California")
 * SharedRdd("states").rdd.count           // 2, also of one that Python has named
 * </pre>
 *
 * <p>What Python has named is read as Long, Double, String, Boolean, Array[Byte], List, Tuple, Map
 * and Set; {@code as(classOf[(String, Long)])} says so to the compiler.
 */
public final class SharedRdd<T> implements Serializable {
  private static final long serialVersionUID = 1;

  private final String name;
  private final ClassTag<T> type;

  SharedRdd(String name, ClassTag<T> type) {
    this.name = name;
    this.type = type;
  }

  public String name() {
    return name;
  }

  /** The same with elements of a class that the caller knows. */
  public <U> SharedRdd<U> as(Class<U> elements) {
    return new SharedRdd<>(name, SharedData.tag(elements));
  }

  /** The RDD, with the pairs that were set in place of those that had their keys. */
  public RDD<T> rdd() {
    return SharedData.scala(name, type);
  }

  /** The first value under a key, of an RDD of pairs. */
  public Option<Object> get(Object key) {
    List<Object> found = SharedData.lookup(name, key, 1);
    return found.isEmpty() ? Option.empty() : Option.apply(found.get(0));
  }

  /** All values under a key, of an RDD of pairs. */
  public scala.collection.immutable.List<Object> lookup(Object key) {
    return SharedData.list(SharedData.lookup(name, key, Integer.MAX_VALUE));
  }

  /** Puts one pair in place of all that have the key. Starts no job. */
  public SharedRdd<T> set(Object key, Object value) {
    SharedData.setScala(name, key, value);
    return this;
  }

  /** Writes it to a folder that must not exist, in a form that Python's load() reads too. */
  public void save(String path) {
    SharedData.save(name, path);
  }

  /** Gives the name to what save() has written. */
  public SharedRdd<T> load(String path) {
    SharedData.load(name, path);
    return this;
  }

  /** Forgets the name. */
  public void remove() {
    SharedData.remove(name);
  }

  @Override
  public String toString() {
    return "SharedRdd(" + name + ")";
  }
}
