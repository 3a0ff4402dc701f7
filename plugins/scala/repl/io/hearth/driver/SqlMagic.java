package io.hearth.driver;

import org.apache.spark.repl.Main;
import org.apache.spark.sql.SparkSession;

/**
 * {@code %sql} in other languages, on the calling thread: the bundle that the kind sql gives, so
 * that it is the same everywhere. Public, since Python calls it through its gateway.
 */
public final class SqlMagic {
  private SqlMagic() {}

  /** Runs the statements of a text and returns the bundle of the last one. */
  public static byte[] run(String text) throws Exception {
    SparkSession session = Main.sparkSession();
    int rows = SqlInterpreter.rows(session, SqlInterpreter.ROWS);
    return SqlInterpreter.run(session, text, rows, () -> false);
  }
}
