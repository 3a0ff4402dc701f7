package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the host's link file says: whom to dial, as which session, with which secret. */
final class LinkFile {
  static final int PROTOCOL = 1;

  final String session;
  final String endpoint;
  final String pin; // of a tls: endpoint; else empty
  final byte[] secret;
  final long orphanSeconds;

  private LinkFile(String session, String endpoint, String pin, byte[] secret,
      long orphanSeconds) {
    this.session = session;
    this.endpoint = endpoint;
    this.pin = pin;
    this.secret = secret;
    this.orphanSeconds = orphanSeconds;
  }

  static LinkFile read(Path path) throws IOException {
    ObjectNode node = Json.parseObject(Files.readAllBytes(path));
    if (node.path("protocol").asInt() != PROTOCOL) {
      throw new IOException("the link file asks for protocol " + node.path("protocol")
          + ", this driver speaks " + PROTOCOL);
    }
    return new LinkFile(required(node, "session"), required(node, "endpoint"),
        node.path("pin").asText(), Hex.decode(required(node, "secret")),
        node.path("orphan_seconds").asLong(600));
  }

  private static String required(ObjectNode node, String name) throws IOException {
    JsonNode value = node.get(name);
    if (value == null || value.asText().isEmpty()) {
      throw new IOException("the link file has no \"" + name + "\"");
    }
    return value.asText();
  }
}
