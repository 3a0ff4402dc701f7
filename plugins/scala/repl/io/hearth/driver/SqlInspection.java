package io.hearth.driver;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.catalog.SessionCatalog;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * What the catalog knows of a name in a statement: a table's or view's columns, a column's type, a
 * function's usage. No query runs.
 */
final class SqlInspection {
  private final SparkSession session;
  private final SessionCatalog catalog;

  SqlInspection(SparkSession session) {
    this.session = session;
    this.catalog = session.sessionState().catalog();
  }

  /**
   * What is known of the name at the cursor, in chars, or of the function whose arguments it is
   * among; null where nothing is.
   *
   * @param detail 1: with a function's examples and a view's query
   */
  String inspect(String code, int cursor, int detail) {
    List<SqlTokens.Word> words = SqlTokens.of(code);
    int at = wordAt(words, cursor);
    boolean call = at >= 0 && at + 1 < words.size() && words.get(at + 1).text.equals("(");
    if (at < 0) {
      at = callAround(words, cursor);
      call = true;
    }
    if (at < 0) {
      return null;
    }
    String path = SqlCompletion.name(words.get(at));
    String owner = "";
    for (int i = at; i >= 2 && words.get(i - 1).text.equals(".")
        && SqlCompletion.isName(words.get(i - 2)); i -= 2) {
      String before = SqlCompletion.name(words.get(i - 2));
      owner = owner.isEmpty() ? before : before + "." + owner;
    }
    String known = call ? function(owner, path, detail) : null;
    if (known == null) {
      known = relation(code, owner, path, detail);
    }
    return known != null || call ? known : function(owner, path, detail);
  }

  private static int wordAt(List<SqlTokens.Word> words, int cursor) {
    for (int i = 0; i < words.size(); i++) {
      SqlTokens.Word word = words.get(i);
      if (word.start <= cursor && cursor <= word.end && SqlCompletion.isName(word)) {
        return i;
      }
    }
    return -1;
  }

  private static int callAround(List<SqlTokens.Word> words, int cursor) {
    int depth = 0;
    for (int i = words.size() - 1; i > 0; i--) {
      SqlTokens.Word word = words.get(i);
      if (word.end > cursor) {
        continue;
      }
      if (word.text.equals(")")) {
        depth++;
      } else if (word.text.equals("(") && depth-- == 0) {
        return SqlCompletion.isName(words.get(i - 1)) ? i - 1 : -1;
      }
    }
    return -1;
  }

  private String relation(String code, String owner, String name, int detail) {
    Map<String, String> tables = SqlCompletion.tablesIn(code);
    if (!owner.isEmpty()) {
      String column = column(tables.getOrDefault(owner.toLowerCase(Locale.ROOT), owner), name);
      return column != null ? column : table(owner + "." + name, detail);
    }
    String table = table(tables.getOrDefault(name.toLowerCase(Locale.ROOT), name), detail);
    if (table != null) {
      return table;
    }
    for (String each : tables.values()) {
      String column = column(each, name);
      if (column != null) {
        return column;
      }
    }
    return null;
  }

  private String table(String name, int detail) {
    StructType schema = schema(name);
    if (schema == null) {
      return null;
    }
    StringBuilder text = new StringBuilder(name);
    for (StructField field : schema.fields()) {
      text.append("\n  ").append(described(field));
    }
    String query = detail > 0 ? query(name) : null;
    return query == null ? text.toString() : text.append("\nQuery:\n").append(query).toString();
  }

  private String column(String table, String name) {
    StructType schema = schema(table);
    if (schema != null) {
      for (StructField field : schema.fields()) {
        if (field.name().equalsIgnoreCase(name)) {
          return described(field) + "\nColumn of " + table;
        }
      }
    }
    return null;
  }

  private static String described(StructField field) {
    String comment = field.getComment().isDefined() ? "  -- " + field.getComment().get() : "";
    return field.name() + " " + field.dataType().sql() + (field.nullable() ? "" : " NOT NULL")
        + comment;
  }

  private StructType schema(String table) {
    try {
      return session.table(quoted(table)).schema();
    } catch (Exception e) {
      return null; // there is no such table
    }
  }

  private String query(String table) {
    try {
      CatalogTable known = catalog.getTempViewOrPermanentTableMetadata(
          session.sessionState().sqlParser().parseTableIdentifier(quoted(table)));
      return known.viewText().isDefined() ? known.viewText().get() : null;
    } catch (Exception e) {
      return null;
    }
  }

  private String function(String owner, String name, int detail) {
    ExpressionInfo info;
    try {
      info = catalog.lookupFunctionInfo(session.sessionState().sqlParser()
          .parseFunctionIdentifier(quoted(owner.isEmpty() ? name : owner + "." + name)));
    } catch (Exception e) {
      return null; // there is no such function
    }
    String usage = info.getUsage() == null ? "" : info.getUsage().trim();
    String more = detail > 0 && info.getExtended() != null ? info.getExtended().trim() : "";
    return "Function: " + info.getName() + (usage.isEmpty() ? "" : "\nUsage: " + usage)
        + (more.isEmpty() ? "" : "\n" + more);
  }

  // Names come here without their quotes.
  private static String quoted(String path) {
    return "`" + path.replace(".", "`.`") + "`";
  }
}
