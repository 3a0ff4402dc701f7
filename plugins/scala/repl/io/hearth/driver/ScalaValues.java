package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import scala.Option;
import scala.Product;
import scala.Symbol;
import scala.Tuple2;
import scala.collection.Iterable;
import scala.collection.Iterator;

/**
 * Values of the REPL as JSON: collections, maps, case classes by field, tuples as _1, _2. Of an RDD
 * the first ten elements, of a Dataset ten thousand rows. NaN and the infinities, which JSON has
 * not, are null.
 */
final class ScalaValues {
  /** There is no JSON for the value. */
  static final class NoJson extends Exception {
    private static final long serialVersionUID = 1;

    NoJson(String message) {
      super(message);
    }
  }

  static final int DATASET_ROWS = 10000;
  private static final int RDD_ROWS = 10;
  private static final int DEEPEST = 100;
  private static final JsonNodeFactory NODES = new JsonNodeFactory(true);

  private ScalaValues() {}

  static JsonNode toJson(Object value) throws NoJson {
    return toJson(value, 0);
  }

  /** Whether it becomes JSON's null, as None does. */
  static boolean isNull(Object value) {
    return value == null || value instanceof scala.runtime.BoxedUnit
        || value instanceof Option && ((Option<?>) value).isEmpty();
  }

  /** Gives the elements of what has elements, of an RDD the first; false for anything else. */
  static boolean forEach(Object value, Consumer<Object> take) {
    if (value instanceof Option && !isNull(value)) {
      return forEach(((Option<?>) value).get(), take);
    }
    if (value instanceof scala.collection.Map || value instanceof Map || value instanceof Row) {
      return false;
    }
    Object elements = value instanceof RDD ? ((RDD<?>) value).take(RDD_ROWS) : value;
    if (elements instanceof Iterable) {
      for (Iterator<?> it = ((Iterable<?>) elements).iterator(); it.hasNext(); ) {
        take.accept(it.next());
      }
      return true;
    }
    if (elements instanceof java.lang.Iterable) {
      ((java.lang.Iterable<?>) elements).forEach(take);
      return true;
    }
    if (elements == null || !elements.getClass().isArray()) {
      return false;
    }
    for (int i = 0; i < Array.getLength(elements); i++) {
      take.accept(Array.get(elements, i));
    }
    return true;
  }

  private static JsonNode toJson(Object value, int depth) throws NoJson {
    if (depth > DEEPEST) {
      throw new NoJson("it is nested deeper than " + DEEPEST);
    }
    if (value instanceof Option) {
      Option<?> option = (Option<?>) value;
      return option.isEmpty() ? NODES.nullNode() : toJson(option.get(), depth + 1);
    }
    JsonNode scalar = scalar(value);
    if (scalar != null) {
      return scalar;
    }
    if (value instanceof RDD) {
      return elements(((RDD<?>) value).take(RDD_ROWS), depth);
    }
    if (value instanceof Dataset) {
      return elements(((Dataset<?>) value).take(DATASET_ROWS), depth);
    }
    if (value instanceof Row) {
      return row((Row) value, depth);
    }
    if (value instanceof scala.collection.Map) {
      return map((scala.collection.Map<?, ?>) value, depth);
    }
    if (value instanceof Map) {
      ObjectNode object = NODES.objectNode();
      for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
        object.set(String.valueOf(entry.getKey()), toJson(entry.getValue(), depth + 1));
      }
      return object;
    }
    if (value instanceof Iterable) {
      return elements(((Iterable<?>) value).iterator(), depth);
    }
    if (value instanceof java.lang.Iterable) {
      ArrayNode array = NODES.arrayNode();
      for (Object element : (java.lang.Iterable<?>) value) {
        array.add(toJson(element, depth + 1));
      }
      return array;
    }
    if (value.getClass().isArray()) {
      return elements(value, depth);
    }
    if (value instanceof Product) {
      return product((Product) value, depth);
    }
    throw new NoJson("it is a " + value.getClass().getName());
  }

  private static JsonNode scalar(Object value) {
    if (value == null || value instanceof scala.runtime.BoxedUnit) {
      return NODES.nullNode();
    }
    if (value instanceof Boolean) {
      return NODES.booleanNode((Boolean) value);
    }
    if (value instanceof Byte || value instanceof Short || value instanceof Integer
        || value instanceof Long) {
      return NODES.numberNode(((Number) value).longValue());
    }
    if (value instanceof Float || value instanceof Double) {
      double number = value instanceof Float
          ? Double.parseDouble(value.toString()) : (Double) value;
      return Double.isNaN(number) || Double.isInfinite(number)
          ? NODES.nullNode() : NODES.numberNode(number);
    }
    if (value instanceof BigInteger) {
      return NODES.numberNode((BigInteger) value);
    }
    if (value instanceof BigDecimal) {
      return NODES.numberNode((BigDecimal) value);
    }
    if (value instanceof scala.math.BigInt) {
      return NODES.numberNode(((scala.math.BigInt) value).bigInteger());
    }
    if (value instanceof scala.math.BigDecimal) {
      return NODES.numberNode(((scala.math.BigDecimal) value).bigDecimal());
    }
    if (value instanceof Symbol) {
      return NODES.textNode(((Symbol) value).name());
    }
    boolean text = value instanceof CharSequence || value instanceof Character
        || value instanceof Enum || value instanceof UUID || value instanceof java.util.Date
        || value instanceof java.time.temporal.TemporalAccessor
        || value instanceof java.time.temporal.TemporalAmount || value instanceof java.net.URI;
    return text ? NODES.textNode(value.toString()) : null;
  }

  private static JsonNode elements(Object array, int depth) throws NoJson {
    ArrayNode node = NODES.arrayNode();
    for (int i = 0; i < Array.getLength(array); i++) {
      node.add(toJson(Array.get(array, i), depth + 1));
    }
    return node;
  }

  private static JsonNode elements(Iterator<?> elements, int depth) throws NoJson {
    ArrayNode node = NODES.arrayNode();
    while (elements.hasNext()) {
      node.add(toJson(elements.next(), depth + 1));
    }
    return node;
  }

  private static JsonNode map(scala.collection.Map<?, ?> map, int depth) throws NoJson {
    ObjectNode object = NODES.objectNode();
    Iterator<?> entries = map.iterator();
    while (entries.hasNext()) {
      Tuple2<?, ?> entry = (Tuple2<?, ?>) entries.next();
      object.set(String.valueOf(entry._1()), toJson(entry._2(), depth + 1));
    }
    return object;
  }

  private static JsonNode row(Row row, int depth) throws NoJson {
    ArrayNode array = NODES.arrayNode();
    ObjectNode object = NODES.objectNode();
    for (int i = 0; i < row.length(); i++) {
      JsonNode cell = toJson(row.get(i), depth + 1);
      if (row.schema() == null) {
        array.add(cell);
      } else {
        object.set(row.schema().fieldNames()[i], cell);
      }
    }
    return row.schema() == null ? array : object;
  }

  private static JsonNode product(Product product, int depth) throws NoJson {
    List<String> names = fieldNames(product);
    ObjectNode object = NODES.objectNode();
    for (int i = 0; i < product.productArity(); i++) {
      String name = i < names.size() ? names.get(i) : "_" + (i + 1);
      object.set(name, toJson(product.productElement(i), depth + 1));
    }
    return object;
  }

  // Scala 2.12 has no productElementNames; a case class declares its parameters as fields first.
  static List<String> fieldNames(Product product) {
    List<String> names = new ArrayList<>();
    if (product.getClass().getName().startsWith("scala.Tuple")) {
      return names;
    }
    for (Field field : product.getClass().getDeclaredFields()) {
      if (!Modifier.isStatic(field.getModifiers()) && !field.isSynthetic()
          && !field.getName().equals("$outer")) {
        names.add(scala.reflect.NameTransformer.decode(field.getName()));
      }
    }
    return names;
  }
}
