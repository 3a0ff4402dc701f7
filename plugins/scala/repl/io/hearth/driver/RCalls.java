package io.hearth.driver;

import io.netty.channel.ChannelHandlerContext;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.spark.api.r.RBackend;
import org.apache.spark.api.r.RBackendHandler;

/** Makes the calls that come over one connection of R's, on a thread of its own. */
final class RCalls extends RBackendHandler {
  private final ExecutorService thread;
  private Thread calling; // guarded by this

  RCalls(RBackend backend, ClassLoader classes) {
    super(backend);
    thread = Executors.newSingleThreadExecutor(work -> {
      Thread made = Threads.daemon("hearth-r-calls", work);
      made.setContextClassLoader(classes); // what R calls may need classes of the REPL's
      return made;
    });
  }

  @Override
  public void channelRead0(ChannelHandlerContext context, byte[] call) {
    thread.execute(() -> make(context, call));
  }

  private void make(ChannelHandlerContext context, byte[] call) {
    begin();
    try {
      super.channelRead0(context, call);
      context.flush(); // which Netty's own thread does only for what it has read itself
    } catch (RuntimeException | Error e) {
      exceptionCaught(context, e);
    } finally {
      end();
    }
  }

  private synchronized void begin() {
    calling = Thread.currentThread();
  }

  // An interrupt that was too late for this call is not for the next.
  private synchronized void end() {
    calling = null;
    Thread.interrupted();
  }

  /** Interrupts the call that is being made. Returns whether there is one. */
  synchronized boolean interrupt() {
    if (calling == null) {
      return false;
    }
    calling.interrupt();
    return true;
  }

  /** Interrupts the call that is being made, and makes no more. */
  void close() {
    thread.shutdownNow();
  }
}
