package io.hearth.driver;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.ByteChannel;
import java.nio.channels.SocketChannel;

/** Opens connections to {@code unix:/path}, {@code tls:host:port} and {@code tcp:host:port}. */
final class Endpoint {
  private Endpoint() {}

  static ByteChannel connect(LinkFile file) throws IOException {
    String endpoint = file.endpoint;
    if (endpoint.startsWith("unix:")) {
      return connectUnix(endpoint.substring(5));
    }
    if (endpoint.startsWith("tls:")) {
      if (file.pin.isEmpty()) {
        throw new IOException("the link file has no \"pin\" for " + endpoint);
      }
      InetSocketAddress address = parse(endpoint.substring(4));
      return TlsChannel.connect(address.getHostString(), address.getPort(), file.pin);
    }
    if (endpoint.startsWith("tcp:")) {
      InetSocketAddress address = parse(endpoint.substring(4));
      SocketChannel channel =
          SocketChannel.open(new InetSocketAddress(address.getHostString(), address.getPort()));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      return channel;
    }
    throw new IOException("unknown kind of endpoint: " + endpoint);
  }

  // Unresolved: a name is looked up anew each time it is dialled.
  private static InetSocketAddress parse(String address) throws IOException {
    int colon = address.lastIndexOf(':');
    try {
      String host = address.substring(0, Math.max(colon, 0)).replaceAll("^\\[|\\]$", "");
      return InetSocketAddress.createUnresolved(host,
          Integer.parseInt(address.substring(colon + 1)));
    } catch (IllegalArgumentException e) {
      throw new IOException("no port in endpoint " + address);
    }
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
