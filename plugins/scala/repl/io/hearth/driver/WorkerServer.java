package io.hearth.driver;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Where workers connect: a loopback port that hands a connection with the right secret on. */
final class WorkerServer {
  private static final int MOST_IN_HELLO = 64 << 10;
  private static final long HELLO_SECONDS = 10;

  private final ScheduledExecutorService ticker;
  private final Log log;
  private final Map<Integer, Worker> expected = new ConcurrentHashMap<>();
  private ServerSocketChannel listener;

  WorkerServer(ScheduledExecutorService ticker, Log log) {
    this.ticker = ticker;
    this.log = log;
  }

  /** Expects a worker's connection. Returns the port to tell it. */
  synchronized int expect(Worker worker) throws IOException {
    if (listener == null) {
      listener = ServerSocketChannel.open();
      listener.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0));
      Threads.daemon("hearth-workers", this::accept).start();
    }
    expected.put(worker.channel(), worker);
    return listener.socket().getLocalPort();
  }

  void forget(Worker worker) {
    expected.remove(worker.channel(), worker);
  }

  private void accept() {
    while (true) {
      try {
        SocketChannel connection = listener.accept();
        connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
        Threads.daemon("hearth-worker-connection", () -> serve(connection)).start();
      } catch (IOException e) {
        log.failure("no more workers can connect", e);
        return;
      }
    }
  }

  private void serve(SocketChannel connection) {
    try (SocketChannel open = connection) {
      ScheduledFuture<?> tooLate = ticker.schedule(() -> close(open), HELLO_SECONDS,
          TimeUnit.SECONDS);
      Frame hello = Frame.read(open, MOST_IN_HELLO);
      tooLate.cancel(false);
      Worker worker = expected.get(hello.channel);
      boolean known = worker != null && hello.type == Frame.HELLO
          && worker.knows(Json.parseObject(hello.payload).path("secret").asText());
      if (!known) {
        throw new IOException("not a worker that was asked for");
      }
      expected.remove(hello.channel, worker);
      worker.serve(open);
    } catch (IOException e) {
      log.line("a worker's connection: " + e.getMessage());
    }
  }

  private static void close(SocketChannel connection) {
    try {
      connection.close();
    } catch (IOException e) {
      // It is closed for us either way.
    }
  }
}
