package io.hearth.driver;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** JSON by way of Jackson, which every Spark has on its class path. */
final class Json {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Json() {}

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  static ArrayNode array() {
    return MAPPER.createArrayNode();
  }

  /** Parses an object; anything else is an error. */
  static ObjectNode parseObject(byte[] text) throws IOException {
    JsonNode node = MAPPER.readTree(new String(text, StandardCharsets.UTF_8));
    if (!(node instanceof ObjectNode)) {
      throw new IOException("not a JSON object");
    }
    return (ObjectNode) node;
  }

  static byte[] bytes(JsonNode node) {
    try {
      return MAPPER.writeValueAsBytes(node);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The text as a JSON string with its quotes. */
  static String quoted(String text) {
    try {
      return MAPPER.writeValueAsString(text);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The text that a JSON string stands for. */
  static String text(String quoted) {
    try {
      return MAPPER.readTree(quoted).asText();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Writes JSON piece by piece, for what is too large to be held as nodes. */
  static JsonGenerator generator(Writer to) throws IOException {
    return MAPPER.getFactory().createGenerator(to);
  }

  static JsonGenerator generator(OutputStream to) throws IOException {
    return MAPPER.getFactory().createGenerator(to);
  }

  /** The answer to a question, COMPLETE or INSPECT, of which nothing is known. */
  static ObjectNode nothing(int question) {
    ObjectNode answer = object();
    if (question == Frame.COMPLETE) {
      answer.putArray("candidates");
    } else {
      answer.put("found", false).putObject("data");
    }
    return answer;
  }

  static byte[] reason(String reason) {
    return bytes(object().put("reason", reason));
  }

  /** The bundle of a statement that did not end well. */
  static byte[] error(String name, String value, List<String> traceback) {
    ObjectNode node = object().put("ename", name).put("evalue", value);
    ArrayNode lines = node.putArray("traceback");
    for (String line : traceback) {
      lines.add(line);
    }
    return bytes(node);
  }
}
