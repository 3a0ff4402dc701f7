package io.hearth.driver;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** A TLS connection to a host that is known by its certificate's fingerprint alone. */
final class TlsChannel implements ByteChannel {
  private static final int CONNECT_MS = 10_000;
  private static final int PIECE = 16 << 10;
  private static final int KEEP_IDLE_SECONDS = 30;

  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;
  private final byte[] inPiece = new byte[PIECE]; // the reader's alone
  private final byte[] outPiece = new byte[PIECE]; // the writer's alone

  private TlsChannel(Socket socket, SSLSocket tls) throws IOException {
    this.socket = socket;
    in = tls.getInputStream();
    out = tls.getOutputStream();
  }

  /**
   * Dials, and checks who answers.
   *
   * @param pin SHA-256 of the host's certificate, in hex
   * @throws IOException also when the host has another certificate
   */
  static TlsChannel connect(String host, int port, String pin) throws IOException {
    Socket socket = new Socket();
    try {
      socket.connect(new InetSocketAddress(host, port), CONNECT_MS);
      socket.setTcpNoDelay(true);
      keepAlive(socket);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new Pinned(pin)}, null);
      SSLSocket tls =
          (SSLSocket) context.getSocketFactory().createSocket(socket, host, port, true);
      tls.setUseClientMode(true);
      socket.setSoTimeout(CONNECT_MS);
      tls.startHandshake();
      socket.setSoTimeout(0);
      return new TlsChannel(socket, tls);
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    } catch (GeneralSecurityException e) {
      socket.close();
      throw new IOException("this Java has no TLS: " + e, e);
    }
  }

  // So that a host which vanished without a word is missed in minutes. The options are those of
  // Java 11 and later, while the driver is built for 8.
  private static void keepAlive(Socket socket) throws IOException {
    socket.setKeepAlive(true);
    set(socket, "TCP_KEEPIDLE", KEEP_IDLE_SECONDS);
    set(socket, "TCP_KEEPINTERVAL", KEEP_IDLE_SECONDS / 3);
  }

  private static void set(Socket socket, String option, int value) {
    try {
      Object key = Class.forName("jdk.net.ExtendedSocketOptions").getField(option).get(null);
      Socket.class.getMethod("setOption", SocketOption.class, Object.class)
          .invoke(socket, key, value);
    } catch (ReflectiveOperationException e) {
      // The system's own times, then.
    }
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    int count = in.read(inPiece, 0, Math.min(into.remaining(), PIECE));
    if (count > 0) {
      into.put(inPiece, 0, count);
    }
    return count;
  }

  @Override
  public int write(ByteBuffer from) throws IOException {
    int all = from.remaining();
    while (from.hasRemaining()) {
      int count = Math.min(from.remaining(), PIECE);
      from.get(outPiece, 0, count);
      out.write(outPiece, 0, count);
    }
    return all;
  }

  @Override
  public boolean isOpen() {
    return !socket.isClosed();
  }

  // The socket below: to close TLS in order would wait for a write that hangs.
  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** Trusts one certificate, whatever it says of names and times. */
  private static final class Pinned extends X509ExtendedTrustManager {
    private final String pin;

    Pinned(String pin) {
      this.pin = pin;
    }

    private void check(X509Certificate[] chain) throws CertificateException {
      try {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(chain[0].getEncoded());
        if (Handshake.same(pin, Hex.encode(digest))) {
          return;
        }
      } catch (GeneralSecurityException e) {
        throw new CertificateException(e);
      }
      throw new CertificateException("who answered is not the host: another certificate");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw new CertificateException("there are no clients here");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      checkClientTrusted(chain, type);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      checkClientTrusted(chain, type);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
