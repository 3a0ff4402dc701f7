package io.hearth.driver;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;

/** Opens connections to {@code unix:/path} and {@code tcp:host:port}. */
final class Endpoint {
  private Endpoint() {}

  static SocketChannel connect(String endpoint) throws IOException {
    if (endpoint.startsWith("unix:")) {
      return connectUnix(endpoint.substring(5));
    }
    if (endpoint.startsWith("tcp:")) {
      return connectTcp(endpoint.substring(4));
    }
    throw new IOException("unknown kind of endpoint: " + endpoint);
  }

  private static SocketChannel connectTcp(String address) throws IOException {
    int colon = address.lastIndexOf(':');
    if (colon < 0) {
      throw new IOException("no port in endpoint " + address);
    }
    String host = address.substring(0, colon).replaceAll("^\\[|\\]$", "");
    int port;
    try {
      port = Integer.parseInt(address.substring(colon + 1));
    } catch (NumberFormatException e) {
      throw new IOException("no port in endpoint " + address);
    }
    SocketChannel channel = SocketChannel.open(new InetSocketAddress(host, port));
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    return channel;
  }

  // The classes are those of JDK 16 and later, while the driver is built for Java 8.
  private static SocketChannel connectUnix(String path) throws IOException {
    SocketChannel channel = null;
    try {
      Class<?> addresses = Class.forName("java.net.UnixDomainSocketAddress");
      SocketAddress address =
          (SocketAddress) addresses.getMethod("of", String.class).invoke(null, path);
      channel = (SocketChannel) SocketChannel.class.getMethod("open", ProtocolFamily.class)
          .invoke(null, StandardProtocolFamily.valueOf("UNIX"));
      channel.connect(address);
      return channel;
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      Throwable cause = e instanceof InvocationTargetException ? e.getCause() : e;
      throw new IOException("this Java has no Unix sockets, 16 or later is needed: " + cause, e);
    } catch (IOException | RuntimeException e) {
      if (channel != null) {
        channel.close();
      }
      throw e;
    }
  }
}
