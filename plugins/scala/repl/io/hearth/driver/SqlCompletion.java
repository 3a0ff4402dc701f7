package io.hearth.driver;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.catalog.SessionCatalog;
import scala.Tuple2;
import scala.collection.Iterable;
import scala.collection.Iterator;

/**
 * What may come next in a statement: columns of the tables that it names, tables and views,
 * databases, functions, keywords. Only the catalog is asked, no query runs.
 */
final class SqlCompletion {
  private static final Set<String> BEFORE_TABLE = new HashSet<>(Arrays.asList(
      "FROM", "JOIN", "INTO", "TABLE", "UPDATE", "VIEW", "DESCRIBE", "DESC"));

  private final SparkSession session;
  private final SessionCatalog catalog;
  private final List<String> keywords = SqlTokens.keywords();

  SqlCompletion(SparkSession session) {
    this.session = session;
    this.catalog = session.sessionState().catalog();
  }

  /** The candidates for the name that the cursor, in chars, is at the end of. */
  List<String> complete(String code, int cursor) {
    int start = cursor;
    while (start > 0 && isPartOfName(code.charAt(start - 1))) {
      start--;
    }
    String path = code.substring(start, cursor);
    int dot = path.lastIndexOf('.');
    Found found = new Found(path.substring(dot + 1));
    Map<String, String> named = tablesIn(code);
    if (dot >= 0) {
      String owner = path.substring(0, dot).replace("`", "");
      found.add(columns(named.getOrDefault(owner.toLowerCase(Locale.ROOT), owner)));
      found.add(tables(owner, false));
      return found.names();
    }
    if (!wantsTable(code.substring(0, start))) {
      for (String table : new LinkedHashSet<>(named.values())) {
        found.add(columns(table));
      }
      found.add(named.keySet());
    }
    found.add(tables(catalog.getCurrentDatabase(), true));
    found.add(strings(Reflect.call(catalog, "listDatabases")));
    found.add(functions());
    found.addKeywords(keywords);
    return found.names();
  }

  private static boolean isPartOfName(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '.' || c == '`';
  }

  /** The names that begin as was asked, each once. */
  private static final class Found {
    private final String prefix;
    private final Set<String> names = new LinkedHashSet<>();

    Found(String prefix) {
      this.prefix = prefix.replace("`", "");
    }

    void add(Collection<String> candidates) {
      for (String name : candidates) {
        if (name.regionMatches(true, 0, prefix, 0, prefix.length())) {
          names.add(name);
        }
      }
    }

    /** In lower case where that is how it is written so far. */
    void addKeywords(Collection<String> keywords) {
      boolean lower = !prefix.isEmpty() && prefix.equals(prefix.toLowerCase(Locale.ROOT));
      for (String keyword : keywords) {
        add(Collections.singleton(lower ? keyword.toLowerCase(Locale.ROOT) : keyword));
      }
    }

    List<String> names() {
      return new ArrayList<>(names);
    }
  }

  private static boolean wantsTable(String before) {
    List<SqlTokens.Word> words = SqlTokens.of(before);
    return !words.isEmpty() && BEFORE_TABLE.contains(words.get(words.size() - 1).kind);
  }

  /** The tables that a statement names, by name and by alias, in lower case. */
  static Map<String, String> tablesIn(String code) {
    Map<String, String> tables = new LinkedHashMap<>();
    List<SqlTokens.Word> words = SqlTokens.of(code);
    boolean expected = false;
    for (int i = 0; i < words.size(); i++) {
      if (expected && isName(words.get(i))) {
        StringBuilder table = new StringBuilder(name(words.get(i)));
        String last = table.toString();
        while (i + 2 < words.size() && words.get(i + 1).text.equals(".")
            && isName(words.get(i + 2))) {
          last = name(words.get(i + 2));
          table.append('.').append(last);
          i += 2;
        }
        int alias = i + 1 < words.size() && words.get(i + 1).is("AS") ? i + 2 : i + 1;
        if (alias < words.size() && words.get(alias).kind.endsWith("IDENTIFIER")) {
          last = name(words.get(alias));
          i = alias;
        }
        tables.put(last.toLowerCase(Locale.ROOT), table.toString());
        expected = i + 1 < words.size() && words.get(i + 1).text.equals(",");
        i += expected ? 1 : 0;
      } else {
        expected = BEFORE_TABLE.contains(words.get(i).kind);
      }
    }
    return tables;
  }

  static boolean isName(SqlTokens.Word word) {
    return word.kind.endsWith("IDENTIFIER") || word.text.matches("[\\p{L}_][\\p{L}\\p{N}_]*");
  }

  static String name(SqlTokens.Word word) {
    return word.text.replace("`", "");
  }

  private Collection<String> columns(String table) {
    try {
      return Arrays.asList(session.table(table).schema().fieldNames());
    } catch (Exception e) {
      return Collections.emptyList(); // there is no such table, yet
    }
  }

  private Collection<String> tables(String database, boolean temporary) {
    List<String> names = new ArrayList<>();
    try {
      for (Object table : list(Reflect.call(catalog, "listTables", database, "*", temporary))) {
        names.add(((TableIdentifier) table).table());
      }
    } catch (RuntimeException e) {
      return names; // there is no such database
    }
    return names;
  }

  private Collection<String> functions() {
    Set<String> names = new TreeSet<>();
    Object found = Reflect.call(catalog, "listFunctions", catalog.getCurrentDatabase());
    for (Object function : list(found)) {
      String name = ((FunctionIdentifier) ((Tuple2<?, ?>) function)._1()).funcName();
      if (Character.isLetter(name.charAt(0))) {
        names.add(name);
      }
    }
    return names;
  }

  private static List<String> strings(Object seq) {
    List<String> strings = new ArrayList<>();
    for (Object element : list(seq)) {
      strings.add((String) element);
    }
    return strings;
  }

  // Seq is another class in Scala 2.13 than in 2.12.
  private static List<Object> list(Object seq) {
    List<Object> elements = new ArrayList<>();
    for (Iterator<?> it = ((Iterable<?>) seq).iterator(); it.hasNext(); ) {
      elements.add(it.next());
    }
    return elements;
  }
}
