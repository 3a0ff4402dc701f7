package io.hearth.driver;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.ZoneId;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.SQLExecution$;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Function0;
import scala.Option;

/** The rows of a query as a bundle: Livy's schema and data, and for /v1 a table and what was cut. */
final class SqlResult {
  /** What a bundle can hold is bounded by the link's frames. */
  private static final long MOST_BYTES = 40L << 20;

  private final StructType schema;
  private final StructField[] fields;
  private final SqlValues values;
  private final TextTable table;
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  private int rows;
  private boolean truncated;

  private SqlResult(StructType schema, ZoneId zone) {
    this.schema = schema;
    fields = schema.fields();
    values = new SqlValues(zone);
    table = new TextTable(schema.fieldNames());
  }

  /** Runs the query as far as it has to, on the calling thread. */
  static byte[] of(SparkSession session, Dataset<Row> query, int maxRows) throws IOException {
    String zone = session.conf().get("spark.sql.session.timeZone");
    SqlResult result = new SqlResult(query.schema(),
        org.apache.spark.sql.catalyst.util.DateTimeUtils.getZoneId(zone));
    InternalRow[] found = collect(query.limit(maxRows + 1).queryExecution());
    result.add(found, maxRows);
    return result.bundle(maxRows, total(query, result));
  }

  // As Dataset.collect, but rows stay in Spark's own form.
  private static InternalRow[] collect(QueryExecution execution) {
    Function0<InternalRow[]> run = () -> execution.executedPlan().executeCollect();
    return SQLExecution$.MODULE$.withNewExecutionId(execution, Option.apply("sql"), run);
  }

  private void add(InternalRow[] found, int maxRows) throws IOException {
    try (JsonGenerator out = Json.generator(data)) {
      out.writeStartArray();
      for (InternalRow row : found) {
        if (rows == maxRows || data.size() > MOST_BYTES) {
          truncated = true;
          break;
        }
        out.writeStartArray();
        for (int i = 0; i < fields.length; i++) {
          values.write(out, row, i, fields[i].dataType());
        }
        out.writeEndArray();
        if (table.wantsMore()) {
          String[] cells = new String[fields.length];
          for (int i = 0; i < fields.length; i++) {
            cells[i] = values.text(row, i, fields[i].dataType());
          }
          table.add(cells);
        }
        rows++;
      }
      out.writeEndArray();
    }
  }

  /** How many rows there are in all, or -1 where that would take another run of the query. */
  private static long total(Dataset<Row> query, SqlResult result) {
    if (!result.truncated) {
      return result.rows;
    }
    LogicalPlan plan = query.queryExecution().optimizedPlan();
    for (String known : new String[] {"data", "rows"}) {
      String type = plan.getClass().getSimpleName();
      if ((type.equals("LocalRelation") || type.equals("CommandResult"))
          && Reflect.has(plan, known)) {
        return (Integer) Reflect.call(Reflect.call(plan, known), "size");
      }
    }
    return -1;
  }

  private byte[] bundle(int maxRows, long total) throws IOException {
    ObjectNode hearth = Json.object();
    hearth.putObject("data").put("text/plain", table.text(rows, truncated, total));
    ObjectNode metadata = hearth.putObject("metadata").put("rows", rows)
        .put("truncated", truncated).put("maxRows", maxRows);
    if (total >= 0) {
      metadata.put("total", total);
    }
    ByteArrayOutputStream bundle = new ByteArrayOutputStream(data.size() + 4096);
    bundle.write(bytes("{\"hearth\":"));
    bundle.write(Json.bytes(hearth));
    bundle.write(bytes(",\"application/json\":{\"schema\":" + schema.json() + ",\"data\":"));
    data.writeTo(bundle);
    bundle.write(bytes("}}"));
    return bundle.toByteArray();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
