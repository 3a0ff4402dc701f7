package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code %json expression}, {@code %table expression} and {@code %sql query}. */
final class ScalaMagics {
  /** Gives the value of an expression; may bind it to the name. */
  interface Evaluator {
    Object evaluate(String name, String expression) throws Failure;
  }

  /** A magic that ends its statement in an error. */
  static final class Failure extends Exception {
    private static final long serialVersionUID = 1;

    final String name;
    final transient List<String> traceback;

    Failure(String name, String value, List<String> traceback) {
      super(value);
      this.name = name;
      this.traceback = traceback;
    }
  }

  private static final Pattern MAGIC = Pattern.compile("%(\\w+)\\s*(.*)", Pattern.DOTALL);
  private static final Pattern IDENTIFIER = Pattern.compile("[\\w$]+");

  private final Evaluator evaluator;
  private int count;

  ScalaMagics(Evaluator evaluator) {
    this.evaluator = evaluator;
  }

  /** Returns the member that the value becomes in the bundle: {@code "<MIME type>":<value>}. */
  String run(String line) throws Failure {
    Matcher matcher = MAGIC.matcher(line.trim());
    if (!matcher.matches()) {
      throw new Failure("UnknownMagic", "magic command not specified", Collections.emptyList());
    }
    String operand = matcher.group(2);
    switch (matcher.group(1)) {
      case "json":
        return json(value(operand));
      case "table":
        return table(value(operand));
      case "sql":
        return sql(operand);
      default:
        throw new Failure("UnknownMagic", "unknown magic command '" + matcher.group(1) + "'",
            Collections.singletonList(matcher.group(1).equals("matplot")
                ? "Scala has no standard plot library: name the data with "
                    + "createOrReplaceTempView and draw it in a pyspark statement, where %matplot "
                    + "is, or show its rows with %table\n"
                : "the magics of Scala are %json, %sql and %table\n"));
    }
  }

  private Object value(String expression) throws Failure {
    if (expression.isEmpty()) {
      throw new Failure("ValueError", "the magic wants a value", Collections.emptyList());
    }
    try {
      return evaluator.evaluate("hearthMagic" + count++, expression);
    } catch (Failure e) {
      if (IDENTIFIER.matcher(expression).matches() && says(e, "not found: value " + expression)) {
        throw new Failure("NameError", "Value " + expression + " does not exist",
            Collections.emptyList());
      }
      throw e;
    }
  }

  private static String json(Object value) throws Failure {
    try {
      return member("application/json", ScalaValues.toJson(value));
    } catch (ScalaValues.NoJson e) {
      throw noJson(e);
    }
  }

  private static String table(Object value) throws Failure {
    try {
      return member("application/vnd.livy.table.v1+json", Table.of(value));
    } catch (ScalaValues.NoJson e) {
      throw noJson(e);
    } catch (Table.MixedTypes e) {
      throw new Failure("TypeError", "table rows have different types", Collections.emptyList());
    }
  }

  private static Failure noJson(ScalaValues.NoJson why) {
    return new Failure("ValueError", "Failed to convert value into a JSON value: "
        + why.getMessage(), Collections.emptyList());
  }

  private static String sql(String query) throws Failure {
    if (query.trim().isEmpty()) {
      throw new Failure("ValueError", "the magic wants a query", Collections.emptyList());
    }
    try {
      String bundle = new String(SqlMagic.run(query), StandardCharsets.UTF_8);
      return bundle.substring(1, bundle.length() - 1);
    } catch (Exception e) {
      throw new Failure("Error", SqlInterpreter.message(e), SqlInterpreter.traceback(e));
    }
  }

  private static boolean says(Failure failure, String text) {
    return failure.getMessage().contains(text)
        || failure.traceback.stream().anyMatch(line -> line.contains(text));
  }

  private static String member(String mime, JsonNode value) {
    return Json.quoted(mime) + ":" + new String(Json.bytes(value), StandardCharsets.UTF_8);
  }
}
