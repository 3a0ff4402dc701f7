package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A value as a table: the elements of an array are its rows, anything else is the only row. An
 * object's cells have its keys as names, in their order; an array's have their indexes. Types are
 * guessed from all rows; null goes with every type.
 */
final class Table {
  /** A column's values, or those within a container, have more than one type. */
  static final class MixedTypes extends Exception {
    private static final long serialVersionUID = 1;
  }

  private static final String NULL = "NULL_TYPE";

  private Table() {}

  static JsonNode of(JsonNode value) throws MixedTypes {
    List<Map<String, JsonNode>> rows = new ArrayList<>();
    boolean indexed = true;
    if (value.isArray()) {
      for (JsonNode element : value) {
        indexed &= !element.isObject();
        rows.add(cells(element));
      }
    } else {
      indexed = !value.isObject();
      rows.add(cells(value));
    }

    Map<String, String> types = indexed ? new LinkedHashMap<>() : new TreeMap<>();
    for (Map<String, JsonNode> row : rows) {
      for (Map.Entry<String, JsonNode> cell : row.entrySet()) {
        types.put(cell.getKey(),
            merge(types.getOrDefault(cell.getKey(), NULL), typeOf(cell.getValue())));
      }
    }

    ObjectNode table = Json.object();
    ArrayNode headers = table.putArray("headers");
    types.forEach((name, type) -> headers.addObject().put("type", type).put("name", name));
    ArrayNode data = table.putArray("data");
    for (Map<String, JsonNode> row : rows) {
      ArrayNode cells = data.addArray();
      for (String name : types.keySet()) {
        cells.add(row.get(name)); // null where the row has no such cell
      }
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
    throw new MixedTypes();
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
      return "BIGINT_TYPE";
    }
    if (value.isBigDecimal()) {
      return "DECIMAL_TYPE";
    }
    if (value.isNumber()) {
      return "DOUBLE_TYPE";
    }
    String inner = NULL;
    for (JsonNode element : value) {
      inner = merge(inner, typeOf(element));
    }
    return value.isArray() ? "ARRAY_TYPE" : "MAP_TYPE";
  }
}
