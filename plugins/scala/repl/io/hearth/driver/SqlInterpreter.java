package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** SQL on the session that all languages share: their temporary views are the same. */
final class SqlInterpreter extends JvmInterpreter {
  private static final String MAX_ROWS = "spark.hearth.sql.maxRows";
  static final int ROWS = 1000;
  private static final int MOST_ROWS = 10_000_000;
  private static final int MOST_FRAMES = 30;

  private final Spark spark;
  private final int maxRows;
  private volatile SqlCompletion completion;
  private volatile SqlInspection inspection;
  private SparkSession session;

  /**
   * Starts nothing.
   *
   * @param opening OPEN's payload: {@code maxRows}
   */
  SqlInterpreter(int channel, ObjectNode opening, Surroundings around) {
    super(channel, "SQL", around);
    spark = around.spark;
    maxRows = opening.path("maxRows").asInt(ROWS);
  }

  @Override
  void begin() {
    session = spark.session();
    Thread.currentThread().setContextClassLoader(spark.classLoader());
    SparkSession.setActiveSession(session);
    completion = new SqlCompletion(session);
    inspection = new SqlInspection(session);
  }

  @Override
  Result evaluate(Statement statement, Output output, BooleanSupplier stop) {
    try {
      byte[] bundle = run(session, statement.code, rows(statement.options), stop);
      return bundle == null ? Result.stopped() : Result.ok(bundle);
    } catch (Exception e) {
      return Result.error(message(e), traceback(e));
    }
  }

  /**
   * Runs the statements of a text, on the calling thread. Returns the bundle of the last one.
   *
   * @param stop asked between statements whether to go on; null is returned where not
   */
  static byte[] run(SparkSession session, String text, int rows, BooleanSupplier stop)
      throws Exception {
    List<SqlScript.Piece> pieces = SqlScript.cut(text, session.sessionState().sqlParser());
    byte[] bundle = null;
    for (int at = 0; at < pieces.size(); at++) {
      if (stop.getAsBoolean()) {
        return null;
      }
      try {
        bundle = SqlResult.of(session, session.sql(pieces.get(at).text), rows);
      } catch (Exception e) {
        throw pieces.size() < 2 ? e : new Failed("statement " + (at + 1) + " of " + pieces.size()
            + " (line " + pieces.get(at).line + "): " + message(e), e);
      }
    }
    return bundle;
  }

  /** One of several statements has failed: says which, and is else what has failed it. */
  private static final class Failed extends Exception {
    private static final long serialVersionUID = 1;

    Failed(String message, Exception cause) {
      super(message, cause);
    }
  }

  /** How many rows the result may have: as the statement, else the session, else OPEN says. */
  private int rows(ObjectNode options) {
    JsonNode asked = options.path("maxRows");
    if (!asked.isMissingNode() && !asked.isNull()) {
      return checked(asked.isIntegralNumber() ? asked.asLong() : 0, "maxRows");
    }
    return rows(session, maxRows);
  }

  /** How many rows a result may have as the session says, or else. */
  static int rows(SparkSession session, int otherwise) {
    String set = session.conf().get(MAX_ROWS, null);
    try {
      return set == null ? otherwise : checked(Long.parseLong(set.trim()), MAX_ROWS);
    } catch (NumberFormatException e) {
      return checked(0, MAX_ROWS);
    }
  }

  private static int checked(long rows, String key) {
    if (rows < 1 || rows > MOST_ROWS) {
      throw new IllegalArgumentException(key + " is no number from 1 to " + MOST_ROWS);
    }
    return (int) rows;
  }

  static String message(Throwable e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }

  // Of what the analysis finds wrong with a statement, frames say nothing.
  static List<String> traceback(Throwable failure) {
    Throwable error = failure instanceof Failed ? failure.getCause() : failure;
    List<String> lines = new ArrayList<>();
    for (Throwable e = error; e != null && lines.size() < MOST_FRAMES; e = e.getCause()) {
      lines.add(e == error ? e.getClass().getName() + "\n" : "Caused by: " + e + "\n");
      if (e instanceof AnalysisException) {
        continue;
      }
      for (StackTraceElement frame : e.getStackTrace()) {
        if (lines.size() >= MOST_FRAMES || frame.getClassName().startsWith("io.hearth.")) {
          break;
        }
        lines.add("\tat " + frame + "\n");
      }
    }
    return lines;
  }

  @Override
  List<String> candidates(String code, int cursor) {
    SqlCompletion ready = completion;
    return ready == null ? Collections.emptyList() : ready.complete(code, cursor);
  }

  @Override
  String inspection(String code, int cursor, int detail) {
    SqlInspection ready = inspection;
    return ready == null ? null : ready.inspect(code, cursor, detail);
  }
}
