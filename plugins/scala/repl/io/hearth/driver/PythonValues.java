package io.hearth.driver;

import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Calendar;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.razorvine.pickle.IObjectPickler;
import net.razorvine.pickle.PickleException;
import net.razorvine.pickle.Pickler;
import net.razorvine.pickle.Unpickler;
import net.razorvine.pickle.objects.ClassDict;
import org.apache.spark.api.python.SerDeUtil;
import org.apache.spark.sql.Row;
import scala.Option;
import scala.Product;
import scala.Symbol;
import scala.Tuple2;
import scala.collection.Iterable;
import scala.collection.Iterator;
import scala.collection.immutable.$colon$colon;
import scala.collection.immutable.Map$;
import scala.collection.immutable.Nil$;

/**
 * Values between Python and Scala, by way of pickles. Python's int is a Long (a BigInt where it is
 * too large), float a Double, list a List, tuple a Tuple, dict a Map, set a Set, bytes an
 * Array[Byte], Decimal a BigDecimal, date and datetime a Timestamp, a Row a Map. Back, a case class
 * is a dict of its fields, and an Option what it holds or None. Works on executors too.
 */
final class PythonValues {
  private static final int DEEPEST = 100;
  private static final int MOST_OF_A_TUPLE = 22;
  private static final String READABLE = "what both languages read are None, bool, int, float, str,"
      + " bytes, list, tuple, dict, set, Decimal, date and datetime";
  private static final Constructor<?>[] TUPLES = new Constructor<?>[MOST_OF_A_TUPLE + 1];
  // Scala 2.12 and 2.13 declare these with different types.
  private static final Method UPDATED;
  private static final Method PLUS;
  private static final Object NO_MEMBERS =
      Reflect.call(scala.collection.immutable.Set$.MODULE$, "empty");

  /** Bytes that become Python's bytes; a byte[] would become a bytearray. */
  private static final class Bytes implements Serializable {
    private static final long serialVersionUID = 1;

    final byte[] bytes;

    Bytes(byte[] bytes) {
      this.bytes = bytes;
    }
  }

  private static final class BytesPickler implements IObjectPickler {
    private static final int BINBYTES = 'B';

    @Override
    public void pickle(Object value, OutputStream out, Pickler pickler) throws IOException {
      byte[] bytes = ((Bytes) value).bytes;
      out.write(BINBYTES);
      out.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(bytes.length).array());
      out.write(bytes);
    }
  }

  static {
    SerDeUtil.initialize();
    Pickler.registerCustomPickler(Bytes.class, new BytesPickler());
    Unpickler.registerConstructor("pyspark.sql.types", "_create_row", PythonValues::row);
    try {
      for (int n = 1; n <= MOST_OF_A_TUPLE; n++) {
        TUPLES[n] = Class.forName("scala.Tuple" + n).getConstructors()[0];
      }
      UPDATED = scala.collection.immutable.Map.class.getMethod(
          "updated", Object.class, Object.class);
      PLUS = scala.collection.immutable.Set.class.getMethod("$plus", Object.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private PythonValues() {}

  private static Object row(Object[] arguments) {
    Map<Object, Object> row = new LinkedHashMap<>();
    List<Object> names = elements(arguments[0]);
    List<Object> values = elements(arguments[1]);
    for (int i = 0; i < names.size(); i++) {
      row.put(names.get(i), values.get(i));
    }
    return row;
  }

  private static List<Object> elements(Object sequence) {
    return sequence instanceof Object[]
        ? Arrays.asList((Object[]) sequence) : new ArrayList<>((Collection<?>) sequence);
  }

  /** A pickle as a Scala value. */
  static Object load(byte[] pickle) {
    return toScala(unpickle(pickle), 0);
  }

  /** The values that a record of an RDD of Python's holds, as Scala values. */
  static java.util.Iterator<Object> loadBatch(byte[] pickle) {
    List<Object> values = new ArrayList<>();
    for (Object value : elements(unpickle(pickle))) {
      values.add(toScala(value, 0));
    }
    return values.iterator();
  }

  private static Object unpickle(byte[] pickle) {
    try {
      return new Unpickler().loads(pickle);
    } catch (PickleException | IOException e) {
      throw new NotPortable("an object of Python's own cannot be read in Scala ("
          + e.getMessage() + "); " + READABLE);
    }
  }

  /** A Scala value as a pickle. */
  static byte[] dump(Object value) {
    try {
      return new Pickler().dumps(toPython(value));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A Scala value as what Spark pickles for Python. */
  static Object toPython(Object value) {
    return toPython(value, 0);
  }

  /** The value as it would come back from Python: what is the same there is equal. */
  static Object normal(Object value) {
    return load(dump(value));
  }

  /** The value with numbers in the type that those of a sample have: a Python int is no Int. */
  static Object like(Object sample, Object value) {
    if (value instanceof Long) {
      long number = (Long) value;
      if (sample instanceof Integer && number == (int) number) {
        return (int) number;
      }
      if (sample instanceof Short && number == (short) number) {
        return (short) number;
      }
      if (sample instanceof Byte && number == (byte) number) {
        return (byte) number;
      }
      if (sample instanceof Double) {
        return (double) number;
      }
    }
    if (value instanceof Double && sample instanceof Float) {
      return ((Double) value).floatValue();
    }
    if (value != null && sample != null && value.getClass() == sample.getClass()
        && isTuple(value)) {
      Object[] parts = parts((Product) value);
      for (int i = 0; i < parts.length; i++) {
        parts[i] = like(((Product) sample).productElement(i), parts[i]);
      }
      return tuple(parts);
    }
    return value;
  }

  private static Object toScala(Object value, int depth) {
    check(depth);
    if (value instanceof Byte || value instanceof Short || value instanceof Integer) {
      return ((Number) value).longValue();
    }
    if (value instanceof BigInteger) {
      return new scala.math.BigInt((BigInteger) value);
    }
    if (value instanceof BigDecimal) {
      return scala.math.BigDecimal.exact((BigDecimal) value);
    }
    if (value instanceof Calendar) {
      return new java.sql.Timestamp(((Calendar) value).getTimeInMillis());
    }
    if (value instanceof ClassDict) {
      throw new NotPortable("an object of Python's class " + ((ClassDict) value).getClassName()
          + " cannot be read in Scala; " + READABLE);
    }
    if (value == null || value instanceof Boolean || value instanceof Long
        || value instanceof Double || value instanceof String || value instanceof byte[]) {
      return value;
    }
    if (value instanceof Object[]) {
      Object[] parts = ((Object[]) value).clone();
      for (int i = 0; i < parts.length; i++) {
        parts[i] = toScala(parts[i], depth + 1);
      }
      return parts.length == 0 || parts.length > MOST_OF_A_TUPLE
          ? list(Arrays.asList(parts)) : tuple(parts);
    }
    try {
      if (value instanceof Map) {
        Object map = Map$.MODULE$.empty();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
          map = UPDATED.invoke(map, toScala(entry.getKey(), depth + 1),
              toScala(entry.getValue(), depth + 1));
        }
        return map;
      }
      if (value instanceof Set) {
        Object set = NO_MEMBERS;
        for (Object member : (Set<?>) value) {
          set = PLUS.invoke(set, toScala(member, depth + 1));
        }
        return set;
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
    if (value instanceof Collection) {
      List<Object> values = new ArrayList<>();
      for (Object member : (Collection<?>) value) {
        values.add(toScala(member, depth + 1));
      }
      return list(values);
    }
    throw new NotPortable("an object of Python's own cannot be read in Scala (it comes as a "
        + value.getClass().getName() + "); " + READABLE);
  }

  static scala.collection.immutable.List<Object> list(List<?> values) {
    scala.collection.immutable.List<Object> list = empty();
    for (int i = values.size() - 1; i >= 0; i--) {
      list = new $colon$colon<>(values.get(i), list);
    }
    return list;
  }

  @SuppressWarnings("unchecked")
  private static scala.collection.immutable.List<Object> empty() {
    return (scala.collection.immutable.List<Object>) (Object) Nil$.MODULE$;
  }

  private static boolean isTuple(Object value) {
    return value.getClass().getName().startsWith("scala.Tuple");
  }

  private static Object[] parts(Product product) {
    Object[] parts = new Object[product.productArity()];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = product.productElement(i);
    }
    return parts;
  }

  private static Object tuple(Object[] parts) {
    try {
      return TUPLES[parts.length].newInstance(parts);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void check(int depth) {
    if (depth > DEEPEST) {
      throw new NotPortable("a value that is nested deeper than " + DEEPEST + " is not shared");
    }
  }

  private static Object toPython(Object value, int depth) {
    check(depth);
    if (value == null || value instanceof Boolean || value instanceof String
        || value instanceof Byte || value instanceof Short || value instanceof Integer
        || value instanceof Long || value instanceof Double || value instanceof BigInteger
        || value instanceof BigDecimal || value instanceof java.util.Date) {
      return value;
    }
    if (value instanceof scala.runtime.BoxedUnit) {
      return null;
    }
    if (value instanceof Float) {
      return ((Float) value).doubleValue();
    }
    if (value instanceof Character || value instanceof Enum || value instanceof CharSequence) {
      return value.toString();
    }
    if (value instanceof Symbol) {
      return ((Symbol) value).name();
    }
    if (value instanceof scala.math.BigInt) {
      return ((scala.math.BigInt) value).bigInteger();
    }
    if (value instanceof scala.math.BigDecimal) {
      return ((scala.math.BigDecimal) value).bigDecimal();
    }
    if (value instanceof java.time.LocalDate) {
      return java.sql.Date.valueOf((java.time.LocalDate) value);
    }
    if (value instanceof java.time.LocalDateTime) {
      return java.sql.Timestamp.valueOf((java.time.LocalDateTime) value);
    }
    if (value instanceof java.time.Instant) {
      return java.sql.Timestamp.from((java.time.Instant) value);
    }
    if (value instanceof byte[]) {
      return new Bytes((byte[]) value);
    }
    if (value instanceof Option) {
      Option<?> option = (Option<?>) value;
      return option.isEmpty() ? null : toPython(option.get(), depth + 1);
    }
    return container(value, depth + 1);
  }

  private static Object container(Object value, int depth) {
    if (value.getClass().isArray()) {
      List<Object> values = new ArrayList<>();
      for (int i = 0; i < Array.getLength(value); i++) {
        values.add(toPython(Array.get(value, i), depth));
      }
      return values;
    }
    if (value instanceof Row) {
      return row((Row) value, depth);
    }
    if (value instanceof scala.collection.Map) {
      Map<Object, Object> map = new LinkedHashMap<>();
      Iterator<?> entries = ((scala.collection.Map<?, ?>) value).iterator();
      while (entries.hasNext()) {
        Tuple2<?, ?> entry = (Tuple2<?, ?>) entries.next();
        map.put(toPython(entry._1(), depth), toPython(entry._2(), depth));
      }
      return map;
    }
    if (value instanceof Map) {
      Map<Object, Object> map = new LinkedHashMap<>();
      ((Map<?, ?>) value).forEach(
          (key, held) -> map.put(toPython(key, depth), toPython(held, depth)));
      return map;
    }
    if (value instanceof Iterable || value instanceof Collection) {
      Collection<Object> values =
          value instanceof scala.collection.Set || value instanceof Set
              ? new HashSet<>() : new ArrayList<>();
      if (value instanceof Collection) {
        ((Collection<?>) value).forEach(member -> values.add(toPython(member, depth)));
      } else {
        for (Iterator<?> it = ((Iterable<?>) value).iterator(); it.hasNext(); ) {
          values.add(toPython(it.next(), depth));
        }
      }
      return values;
    }
    if (value instanceof Product) {
      Object[] parts = parts((Product) value);
      for (int i = 0; i < parts.length; i++) {
        parts[i] = toPython(parts[i], depth);
      }
      return isTuple(value) ? parts : named(ScalaValues.fieldNames((Product) value), parts);
    }
    throw new NotPortable("an object of Scala's class " + value.getClass().getName()
        + " cannot be read in Python");
  }

  private static Object row(Row row, int depth) {
    Object[] cells = new Object[row.length()];
    for (int i = 0; i < cells.length; i++) {
      cells[i] = toPython(row.get(i), depth);
    }
    return row.schema() == null ? cells : named(Arrays.asList(row.schema().fieldNames()), cells);
  }

  private static Map<Object, Object> named(List<String> names, Object[] values) {
    Map<Object, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < values.length; i++) {
      map.put(i < names.size() ? names.get(i) : "_" + (i + 1), values[i]);
    }
    return map;
  }
}
