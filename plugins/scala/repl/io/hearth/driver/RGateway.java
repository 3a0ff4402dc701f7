package io.hearth.driver;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.bytes.ByteArrayDecoder;
import io.netty.handler.codec.bytes.ByteArrayEncoder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.apache.spark.api.r.RBackend;
import org.apache.spark.api.r.RBackendAuthHandler;

/**
 * Serves R's calls into the JVM: Spark's own handlers and object table, on a server of ours. Spark's
 * server makes calls on the two threads that it accepts and reads with, so that a call that never
 * returns, from which R was broken off, would keep R from coming back. Here each connection has a
 * thread of its own for its calls. A connection that is idle for hours stays.
 */
final class RGateway {
  private static final int SECRET_BYTES = 32;
  private static final long ALIVE_SECONDS = 60;

  private final RBackend backend = new RBackend();
  private final String secret = Hex.random(SECRET_BYTES);
  private final ClassLoader classes;
  private final Set<RCalls> open = ConcurrentHashMap.newKeySet();
  private final EventLoopGroup loop;
  private final Channel listener;

  private RGateway(ClassLoader classes) throws UnknownHostException {
    this.classes = classes;
    loop = loop();
    ServerBootstrap server = new ServerBootstrap();
    server.group(loop).channel(NioServerSocketChannel.class)
        .childHandler(new ChannelInitializer<SocketChannel>() {
          @Override
          protected void initChannel(SocketChannel channel) {
            prepare(channel);
          }
        });
    listener = server.bind(
        new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0))
        .syncUninterruptibly().channel();
  }

  /** Starts one, and names it in the environment of the process that is to join. */
  static RGateway start(Spark spark, Map<String, String> env) throws UnknownHostException {
    RGateway gateway = new RGateway(spark.classLoader());
    int port = ((InetSocketAddress) gateway.listener.localAddress()).getPort();
    env.put("EXISTING_SPARKR_BACKEND_PORT", Integer.toString(port));
    env.put("SPARKR_BACKEND_AUTH_SECRET", gateway.secret);
    return gateway;
  }

  // Its successor is unknown to the Netty of Spark 3.5.
  @SuppressWarnings("deprecation")
  private static EventLoopGroup loop() {
    ThreadFactory thread = work -> Threads.daemon("hearth-r", work);
    return new io.netty.channel.nio.NioEventLoopGroup(1, thread);
  }

  private void prepare(SocketChannel channel) {
    RCalls calls = new RCalls(backend, classes);
    channel.pipeline().addLast(new ByteArrayEncoder(),
        new LengthFieldBasedFrameDecoder(Integer.MAX_VALUE, 0, 4, 0, 4), new ByteArrayDecoder(),
        new RBackendAuthHandler(secret), calls);
    open.add(calls);
    // The signs of life that Spark writes during a long call: R gives up without.
    Future<?> alive = loop.scheduleAtFixedRate(channel::flush, ALIVE_SECONDS, ALIVE_SECONDS,
        TimeUnit.SECONDS);
    channel.closeFuture().addListener(closed -> {
      alive.cancel(false);
      open.remove(calls);
      calls.close();
    });
  }

  /** Interrupts the calls that are being made. Returns whether there are any. */
  boolean interrupt() {
    boolean any = false;
    for (RCalls calls : open) {
      any |= calls.interrupt();
    }
    return any;
  }

  void close() {
    listener.close();
    loop.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    backend.close();
  }
}
