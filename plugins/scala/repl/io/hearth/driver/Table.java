package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.StructField;

/**
 * A value as a table: the elements of a collection are its rows, anything else is the only row.
 * Cells have field names, or keys, or indexes for names; what a row lacks is null. Types are
 * guessed from all rows; null goes with every type, and whole numbers with fractions. Columns come
 * as they are first met, those of maps, which have no order, sorted. A Dataset's are its schema's.
 */
final class Table {
  /** A column's values, or those within a container, have more than one type. */
  static final class MixedTypes extends Exception {
    private static final long serialVersionUID = 1;
  }

  private static final String NULL = "NULL_TYPE";
  private static final String BIGINT = "BIGINT_TYPE";
  private static final String DOUBLE = "DOUBLE_TYPE";

  private final Map<String, String> types; // of columns by name
  private final List<Map<String, JsonNode>> rows = new ArrayList<>();
  private boolean truncated;

  private Table(Map<String, String> types) {
    this.types = types;
  }

  static JsonNode of(Object value) throws MixedTypes, ScalaValues.NoJson {
    return (value instanceof Dataset ? ofDataset((Dataset<?>) value) : ofRows(value)).toJson();
  }

  private static Table ofRows(Object value) throws MixedTypes, ScalaValues.NoJson {
    List<Object> rows = new ArrayList<>();
    if (!ScalaValues.forEach(value, rows::add)) {
      rows.add(value);
    }
    boolean maps = false;
    boolean nulls = false;
    for (Object row : rows) {
      maps |= row instanceof scala.collection.Map || row instanceof Map;
      nulls |= ScalaValues.isNull(row);
    }
    Table table = new Table(maps ? new TreeMap<>(Table::compareNames) : new LinkedHashMap<>());
    for (Object row : rows) {
      table.add(ScalaValues.isNull(row) ? new LinkedHashMap<>() : cells(ScalaValues.toJson(row)));
    }
    if (nulls && table.types.isEmpty()) {
      table.types.put("0", NULL);
    }
    return table;
  }

  // Indexes by their numbers.
  private static int compareNames(String one, String other) {
    if (one.matches("\\d{1,9}") && other.matches("\\d{1,9}")) {
      return Integer.compare(Integer.parseInt(one), Integer.parseInt(other));
    }
    return one.compareTo(other);
  }

  private void add(Map<String, JsonNode> row) throws MixedTypes {
    rows.add(row);
    for (Map.Entry<String, JsonNode> cell : row.entrySet()) {
      types.put(cell.getKey(),
          merge(types.getOrDefault(cell.getKey(), NULL), typeOf(cell.getValue())));
    }
  }

  private static Table ofDataset(Dataset<?> dataset) throws ScalaValues.NoJson {
    Dataset<Row> frame = dataset.toDF();
    StructField[] fields = frame.schema().fields();
    // Of columns with the same name all are shown: the names are put back at the end.
    Map<String, String> types = new LinkedHashMap<>();
    for (int i = 0; i < fields.length; i++) {
      types.put(fields[i].name() + "\0" + i, typeOf(fields[i].dataType()));
    }
    Table table = new Table(types);
    for (Row row : frame.takeAsList(ScalaValues.DATASET_ROWS + 1)) {
      if (table.rows.size() == ScalaValues.DATASET_ROWS) {
        table.truncated = true;
        break;
      }
      Map<String, JsonNode> cells = new LinkedHashMap<>();
      for (int i = 0; i < fields.length; i++) {
        Object cell = row.get(i);
        cells.put(fields[i].name() + "\0" + i, cell instanceof byte[]
            ? JsonNodeFactory.instance.binaryNode((byte[]) cell) : ScalaValues.toJson(cell));
      }
      table.rows.add(cells);
    }
    return table;
  }

  private JsonNode toJson() {
    ObjectNode table = Json.object();
    ArrayNode headers = table.putArray("headers");
    types.forEach((name, type) -> headers.addObject().put("type", type)
        .put("name", name.indexOf('\0') < 0 ? name : name.substring(0, name.lastIndexOf('\0'))));
    ArrayNode data = table.putArray("data");
    for (Map<String, JsonNode> row : rows) {
      ArrayNode cells = data.addArray();
      types.forEach((name, type) -> {
        JsonNode cell = row.get(name);
        if (type.equals(DOUBLE) && cell != null && cell.isIntegralNumber()) {
          cells.add(cell.doubleValue());
        } else {
          cells.add(cell); // null where the row has no such cell
        }
      });
    }
    if (truncated) {
      table.put("truncated", true);
    }
    return table;
  }

  private static Map<String, JsonNode> cells(JsonNode row) {
    Map<String, JsonNode> cells = new LinkedHashMap<>();
    if (row.isObject()) {
      for (Iterator<String> names = row.fieldNames(); names.hasNext(); ) {
        String name = names.next();
        cells.put(name, row.get(name));
      }
    } else if (row.isArray()) {
      for (int i = 0; i < row.size(); i++) {
        cells.put(Integer.toString(i), row.get(i));
      }
    } else {
      cells.put("0", row);
    }
    return cells;
  }

  private static String merge(String one, String other) throws MixedTypes {
    if (one.equals(NULL) || one.equals(other)) {
      return other;
    }
    if (other.equals(NULL)) {
      return one;
    }
    if (one.equals(BIGINT) && other.equals(DOUBLE) || one.equals(DOUBLE) && other.equals(BIGINT)) {
      return DOUBLE;
    }
    throw new MixedTypes();
  }

  private static String typeOf(DataType type) {
    if (type instanceof DecimalType) {
      return "DECIMAL_TYPE";
    }
    switch (type.typeName()) {
      case "void":
        return NULL;
      case "boolean":
        return "BOOLEAN_TYPE";
      case "byte":
      case "short":
      case "integer":
      case "long":
        return BIGINT;
      case "float":
      case "double":
        return DOUBLE;
      case "date":
        return "DATE_TYPE";
      case "timestamp":
      case "timestamp_ntz":
        return "TIMESTAMP_TYPE";
      case "array":
        return "ARRAY_TYPE";
      case "map":
      case "struct":
        return "MAP_TYPE";
      default:
        return "STRING_TYPE";
    }
  }

  private static String typeOf(JsonNode value) throws MixedTypes {
    if (value.isNull()) {
      return NULL;
    }
    if (value.isBoolean()) {
      return "BOOLEAN_TYPE";
    }
    if (value.isTextual()) {
      return "STRING_TYPE";
    }
    if (value.isIntegralNumber()) {
      return BIGINT;
    }
    if (value.isBigDecimal()) {
      return "DECIMAL_TYPE";
    }
    if (value.isNumber()) {
      return DOUBLE;
    }
    String inner = NULL;
    for (JsonNode element : value) {
      inner = merge(inner, typeOf(element));
    }
    return value.isArray() ? "ARRAY_TYPE" : "MAP_TYPE";
  }
}
