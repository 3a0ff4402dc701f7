package io.hearth.driver;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.SpecializedGetters;
import org.apache.spark.sql.catalyst.expressions.ToPrettyString;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;
import org.apache.spark.sql.types.UserDefinedType;
import scala.Option;

/**
 * Values of SQL as JSON, from Spark's own form of them: what goes through Java's calendar classes
 * loses microseconds, old dates and the difference between the two kinds of timestamps.
 *
 * <p>Numbers are numbers, whatever their size, but for NaN and the infinities, which JSON does not
 * have: their names. Timestamps are ISO 8601 with the session's offset. Binary is Base64, a struct
 * or map an object, and what JSON has no form for, such as an interval, is text as Spark shows it.
 */
final class SqlValues {
  private final ZoneId zone;

  /** With the session's time zone. */
  SqlValues(ZoneId zone) {
    this.zone = zone;
  }

  void write(JsonGenerator out, SpecializedGetters from, int i, DataType type)
      throws IOException {
    if (from.isNullAt(i)) {
      out.writeNull();
    } else {
      write(out, from.get(i, type), type);
    }
  }

  private void write(JsonGenerator out, Object value, DataType type) throws IOException {
    if (type instanceof StringType) {
      out.writeString(value.toString());
    } else if (type instanceof BooleanType) {
      out.writeBoolean((Boolean) value);
    } else if (type instanceof LongType || type instanceof IntegerType
        || type instanceof ShortType || type instanceof ByteType) {
      out.writeNumber(((Number) value).longValue());
    } else if (type instanceof DoubleType || type instanceof FloatType) {
      writeFloating(out, (Number) value);
    } else if (type instanceof DecimalType) {
      BigDecimal decimal = ((Decimal) value).toJavaBigDecimal();
      out.writeNumber(decimal.toPlainString());
    } else if (type instanceof TimestampType) {
      out.writeString(DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
          instant((Long) value).atZone(zone)));
    } else if (type instanceof TimestampNTZType) {
      out.writeString(DateTimeFormatter.ISO_LOCAL_DATE_TIME.format(
          LocalDateTime.ofInstant(instant((Long) value), ZoneOffset.UTC)));
    } else if (type instanceof DateType) {
      out.writeString(LocalDate.ofEpochDay((Integer) value).toString());
    } else if (type instanceof BinaryType) {
      out.writeBinary((byte[]) value);
    } else if (type instanceof StructType) {
      writeStruct(out, (SpecializedGetters) value, (StructType) type);
    } else if (type instanceof ArrayType) {
      writeArray(out, (ArrayData) value, ((ArrayType) type).elementType());
    } else if (type instanceof MapType) {
      writeMap(out, (MapData) value, (MapType) type);
    } else if (type instanceof UserDefinedType) {
      write(out, value, ((UserDefinedType<?>) type).sqlType());
    } else if (type.typeName().equals("variant")) {
      // Of Spark 4; its own JSON.
      out.writeRawValue((String) Reflect.call(value, "toJson", zone));
    } else {
      out.writeString(shown(value, type));
    }
  }

  private static Instant instant(long micros) {
    return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
  }

  private static void writeFloating(JsonGenerator out, Number value) throws IOException {
    if (Double.isNaN(value.doubleValue()) || Double.isInfinite(value.doubleValue())) {
      out.writeString(value.toString());
    } else {
      out.writeNumber(value.toString()); // a float's own digits, not those of its double
    }
  }

  private void writeStruct(JsonGenerator out, SpecializedGetters row, StructType type)
      throws IOException {
    StructField[] fields = type.fields();
    out.writeStartObject();
    for (int i = 0; i < fields.length; i++) {
      out.writeFieldName(fields[i].name());
      write(out, row, i, fields[i].dataType());
    }
    out.writeEndObject();
  }

  private void writeArray(JsonGenerator out, ArrayData array, DataType element)
      throws IOException {
    out.writeStartArray();
    for (int i = 0; i < array.numElements(); i++) {
      write(out, array, i, element);
    }
    out.writeEndArray();
  }

  private void writeMap(JsonGenerator out, MapData map, MapType type) throws IOException {
    out.writeStartObject();
    for (int i = 0; i < map.numElements(); i++) {
      out.writeFieldName(text(map.keyArray(), i, type.keyType()));
      write(out, map.valueArray(), i, type.valueType());
    }
    out.writeEndObject();
  }

  /** A value for people: a text as it is, NULL, anything else as JSON. */
  String text(SpecializedGetters from, int i, DataType type) throws IOException {
    if (from.isNullAt(i)) {
      return "NULL";
    }
    Object value = from.get(i, type);
    if (type instanceof StringType) {
      return value.toString();
    }
    StringWriter json = new StringWriter();
    try (JsonGenerator out = Json.generator(json)) {
      write(out, value, type);
    }
    String text = json.toString();
    return text.startsWith("\"") ? Json.text(text) : text;
  }

  private String shown(Object value, DataType type) {
    return new ToPrettyString(new Literal(value, type), Option.apply(zone.getId())).eval(null)
        .toString();
  }
}
