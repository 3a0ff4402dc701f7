package io.hearth.driver;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.python.SerDeUtil;
import org.apache.spark.rdd.RDD;
import org.apache.spark.repl.Main;
import scala.Tuple2;
import scala.reflect.ClassTag;

/**
 * The session's named RDDs, which its languages share. It lives as long as the driver, whatever
 * becomes of the interpreter that named them. A name has an RDD, in the form of the language that
 * it came from, and the pairs that were set since: these stay in memory beside it, so that setting
 * starts no job and a thousand of them make no lineage of a thousand steps. Any thread; Python
 * calls it through its gateway, so it is public.
 */
public final class SharedData {
  /** A pair as the language that set it has left it. */
  private static final class Pair implements Serializable {
    private static final long serialVersionUID = 1;

    final byte[] pickle; // of a tuple of two, from Python; or null
    final Tuple2<Object, Object> scala; // from Scala; or null

    Pair(byte[] pickle, Tuple2<Object, Object> scala) {
      this.pickle = pickle;
      this.scala = scala;
    }
  }

  /** What a name stands for. */
  static final class Entry {
    final JavaRDD<byte[]> pickled; // records of pickled lists, from Python or a file; or null
    final RDD<Object> scala; // from Scala; or null
    final int partitions;
    private final Map<Object, Pair> set = new LinkedHashMap<>(); // guarded by SharedData.class
    private Object sample; // of the Scala RDD; an empty array as long as nobody has looked

    Entry(JavaRDD<byte[]> pickled, RDD<Object> scala) {
      this.pickled = pickled;
      this.scala = scala;
      this.sample = new Object[0];
      this.partitions = countPartitions(rdd());
    }

    RDD<?> rdd() {
      return pickled != null ? pickled.rdd() : scala;
    }

    private static int countPartitions(RDD<?> rdd) {
      try {
        return rdd.getNumPartitions();
      } catch (RuntimeException e) {
        return -1; // what it reads is not there, or not yet
      }
    }
  }

  private static final Map<String, Entry> ENTRIES = new TreeMap<>();

  private SharedData() {}

  /** The names in use, in order. */
  public static synchronized List<String> names() {
    return new ArrayList<>(ENTRIES.keySet());
  }

  public static synchronized boolean has(String name) {
    return ENTRIES.containsKey(name);
  }

  /** Forgets a name. Returns whether it was there. */
  public static synchronized boolean remove(String name) {
    return ENTRIES.remove(name) != null;
  }

  /** Names an RDD of Python's, whose records are pickled lists. A name that exists is replaced. */
  public static void putPickled(String name, JavaRDD<byte[]> rdd) {
    put(name, new Entry(rdd, null));
  }

  @SuppressWarnings("unchecked")
  public static void putScala(String name, RDD<?> rdd) {
    put(name, new Entry(null, (RDD<Object>) rdd));
  }

  private static void put(String name, Entry entry) {
    if (name == null || name.trim().isEmpty()) {
      throw new IllegalArgumentException("a shared RDD wants a name");
    }
    if (entry.rdd().name() == null) {
      entry.rdd().setName(name);
    }
    synchronized (SharedData.class) {
      ENTRIES.put(name, entry);
    }
  }

  static synchronized Map<String, Entry> entries() {
    return new TreeMap<>(ENTRIES);
  }

  private static synchronized Entry entry(String name) {
    Entry entry = ENTRIES.get(name);
    if (entry == null) {
      throw new IllegalArgumentException("there is no shared RDD named '" + name + "'"
          + (ENTRIES.isEmpty() ? "" : "; there are " + String.join(", ", ENTRIES.keySet())));
    }
    return entry;
  }

  private static JavaSparkContext context() {
    return JavaSparkContext.fromSparkContext(Main.sparkContext());
  }

  /** Names what save() has written. */
  public static void load(String name, String path) {
    putPickled(name, context().objectFile(path));
  }

  // Python --------------------------------------------------------------------------------------

  /** The RDD without the pairs that were set, as records of pickled lists. */
  public static JavaRDD<byte[]> pickled(String name) {
    Entry entry = entry(name);
    return entry.pickled != null ? entry.pickled : toPython(entry.scala.toJavaRDD());
  }

  private static JavaRDD<byte[]> toPython(JavaRDD<?> rdd) {
    return SerDeUtil.javaToPython(rdd.map(PythonValues::toPython));
  }

  /** The pairs that were set, as a pickled list of pickles of tuples of two. */
  public static byte[] pickledPairs(String name) {
    List<Object> pickles = new ArrayList<>();
    for (Pair pair : pairs(entry(name))) {
      pickles.add(pickle(pair));
    }
    return PythonValues.dump(pickles);
  }

  /** The pair that was set under a key, as a pickled tuple of two; or null. */
  public static byte[] pickledPair(String name, byte[] pickledKey) {
    Pair pair = pair(entry(name), PythonValues.load(pickledKey));
    return pair == null ? null : pickle(pair);
  }

  /** Sets a pair. The key must be one that Scala reads too; the value need not. */
  public static void setPickled(String name, byte[] pickledKey, byte[] pickledPair) {
    set(entry(name), PythonValues.load(pickledKey), new Pair(pickledPair, null));
  }

  private static byte[] pickle(Pair pair) {
    return pair.pickle != null ? pair.pickle : PythonValues.dump(pair.scala);
  }

  // Scala ---------------------------------------------------------------------------------------

  /** The RDD with the pairs that were set, of a class that tells its elements'. */
  @SuppressWarnings("unchecked")
  public static <T> RDD<T> scala(String name, ClassTag<T> type) {
    Entry entry = entry(name);
    List<Object> pairs = new ArrayList<>();
    for (Pair pair : pairs(entry)) {
      pairs.add(toScala(entry, pair));
    }
    JavaRDD<Object> rdd = base(entry);
    if (!pairs.isEmpty()) {
      HashMap<Object, Boolean> keys = new HashMap<>();
      for (Object pair : pairs) {
        keys.put(normal(((Tuple2<?, ?>) pair)._1()), true);
      }
      rdd = rdd.filter(element -> !isPair(element) || !keys.containsKey(normal(key(element))))
          .union(context().parallelize(pairs, 1));
    }
    RDD<?> found = rdd.rdd();
    return rdd.classTag().equals(type)
        ? (RDD<T>) found
        : (RDD<T>) ((RDD<Object>) found).map(new Same<>(), (ClassTag<Object>) type);
  }

  /** The map that changes nothing but the class that its RDD tells. */
  private static final class Same<T> extends scala.runtime.AbstractFunction1<T, T>
      implements Serializable {
    private static final long serialVersionUID = 1;

    @Override
    public T apply(T value) {
      return value;
    }
  }

  private static JavaRDD<Object> base(Entry entry) {
    FlatMapFunction<byte[], Object> load = PythonValues::loadBatch;
    return entry.pickled != null ? entry.pickled.flatMap(load) : entry.scala.toJavaRDD();
  }

  /** The values under a key, one at most where it was set; at most so many. */
  public static List<Object> lookup(String name, Object key, int most) {
    Entry entry = entry(name);
    Object wanted = normal(key);
    Pair pair = pair(entry, wanted);
    if (pair != null) {
      return new ArrayList<>(Arrays.asList(toScala(entry, pair)._2()));
    }
    try {
      JavaRDD<Object> found = base(entry).filter(
          element -> isPair(element) && java.util.Objects.equals(normal(key(element)), wanted));
      List<Object> values = new ArrayList<>();
      for (Object element : most == Integer.MAX_VALUE ? found.collect() : found.take(most)) {
        values.add(value(element));
      }
      return values;
    } catch (Exception e) {
      throw NotPortable.told(e);
    }
  }

  public static void setScala(String name, Object key, Object value) {
    set(entry(name), normal(key), new Pair(null, new Tuple2<>(key, value)));
  }

  /** Writes it in a form that both languages load. */
  public static void save(String name, String path) {
    Entry entry = entry(name);
    RDD<Object> all = scala(name, tag(Object.class));
    JavaRDD<byte[]> pickled = entry.pickled != null && pairs(entry).isEmpty()
        ? entry.pickled : toPython(all.toJavaRDD());
    try {
      pickled.saveAsObjectFile(path);
    } catch (Exception e) {
      throw NotPortable.told(e);
    }
  }

  public static scala.collection.immutable.List<Object> list(List<?> values) {
    return PythonValues.list(values);
  }

  public static <T> ClassTag<T> tag(Class<T> type) {
    return scala.reflect.ClassTag$.MODULE$.apply(type);
  }

  private static Tuple2<?, ?> toScala(Entry entry, Pair pair) {
    if (pair.scala != null) {
      return pair.scala;
    }
    Object value = PythonValues.load(pair.pickle);
    return (Tuple2<?, ?>) (entry.scala == null ? value : PythonValues.like(sample(entry), value));
  }

  /** An element of a Scala RDD: what Python has set shall be of the same class. */
  private static Object sample(Entry entry) {
    if (entry.sample instanceof Object[]) {
      List<Object> first = entry.scala.toJavaRDD().take(1);
      entry.sample = first.isEmpty() ? null : first.get(0);
    }
    return entry.sample;
  }

  // Pairs ---------------------------------------------------------------------------------------

  private static synchronized List<Pair> pairs(Entry entry) {
    return new ArrayList<>(entry.set.values());
  }

  private static synchronized Pair pair(Entry entry, Object key) {
    return entry.set.get(key);
  }

  private static synchronized void set(Entry entry, Object key, Pair pair) {
    if (key instanceof byte[]) {
      throw new IllegalArgumentException("bytes cannot be a key");
    }
    entry.set.put(key, pair);
  }

  /** The key as it is compared: 1 of Scala's Int and 1 of Python's int are one. */
  private static Object normal(Object key) {
    if (key == null || key instanceof String || key instanceof Long) {
      return key;
    }
    try {
      return PythonValues.normal(key);
    } catch (NotPortable e) {
      return key; // of Scala's own: no other language has it
    }
  }

  // Python's pairs may be lists, too.
  private static boolean isPair(Object element) {
    return element instanceof Tuple2
        || element instanceof scala.collection.immutable.List
            && ((scala.collection.immutable.List<?>) element).length() == 2;
  }

  private static Object key(Object element) {
    return element instanceof Tuple2 ? ((Tuple2<?, ?>) element)._1()
        : ((scala.collection.immutable.List<?>) element).head();
  }

  private static Object value(Object element) {
    return element instanceof Tuple2 ? ((Tuple2<?, ?>) element)._2()
        : ((scala.collection.immutable.List<?>) element).last();
  }
}
