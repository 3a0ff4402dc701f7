package io.hearth.driver;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The driver's half of the handshake: both sides prove the secret, neither sends it. */
final class Handshake {
  private static final int MOST = 64 << 10;

  private Handshake() {}

  /** The host knows no such session, or it is over: dialling again is of no use. */
  static final class Refused extends IOException {
    private static final long serialVersionUID = 1;

    Refused(String reason) {
      super(reason);
    }
  }

  /**
   * @param received the last sequence that the driver has received
   * @return the last sequence that the host has received
   * @throws Refused when the host refuses the driver, which is final
   * @throws IOException when the host cannot prove itself
   */
  static long perform(ByteChannel channel, LinkFile file, long received) throws IOException {
    String mine = Hex.random(32);
    ObjectNode hello = Json.object().put("protocol", LinkFile.PROTOCOL)
        .put("session", file.session).put("nonce", mine).put("received", received);
    Frame.control(Frame.HELLO, hello.toString()).write(channel);

    ObjectNode challenge = expect(channel, Frame.CHALLENGE);
    String theirs = challenge.path("nonce").asText();
    String nonces = ":" + mine + ":" + theirs;
    if (!same(hmac(file.secret, "host" + nonces), challenge.path("proof").asText())) {
      throw new IOException("whoever answered does not know the session's secret");
    }
    ObjectNode proof = Json.object().put("proof", hmac(file.secret, "driver" + nonces));
    Frame.control(Frame.PROOF, proof.toString()).write(channel);
    return expect(channel, Frame.WELCOME).path("received").asLong();
  }

  private static ObjectNode expect(ByteChannel channel, int type) throws IOException {
    Frame frame = Frame.read(channel, MOST);
    if (frame.channel == 0 && frame.type == Frame.REFUSED) {
      throw new Refused("the host refuses: "
          + Json.parseObject(frame.payload).path("reason").asText());
    }
    if (frame.channel != 0 || frame.type != type) {
      throw new IOException("frame type " + frame.type + " in a handshake");
    }
    return Json.parseObject(frame.payload);
  }

  static boolean same(String expected, String given) {
    return MessageDigest.isEqual(expected.getBytes(StandardCharsets.UTF_8),
        given.getBytes(StandardCharsets.UTF_8));
  }

  private static String hmac(byte[] secret, String text) throws IOException {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret, "HmacSHA256"));
      return Hex.encode(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }
}
