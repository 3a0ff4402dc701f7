package io.hearth.driver;

import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.spark.SparkContext;

/** Channel 1: Scala. */
final class ScalaInterpreter extends JvmInterpreter {
  static final int CHANNEL = 1;

  private static final long COMPLETION_WAIT_MS = 1000;

  private final Spark spark;
  private final EchoWriter echo = new EchoWriter();
  /** Held while the compiler or code of the user runs. */
  private final ReentrantLock compiler = new ReentrantLock();
  private volatile ScalaEvaluator evaluator;
  private volatile boolean evaluating;

  ScalaInterpreter(Surroundings around) {
    super(CHANNEL, "Scala", around);
    spark = around.spark;
  }

  // The compiler starts beside the Spark context.
  @Override
  void begin() {
    ReplSupport repl = new ReplSupport(echo);
    SparkContext context = spark.context().join();
    spark.setRepl(repl.classLoader());
    repl.bindSpark();
    echo.take();
    context.setLocalProperty(Jobs.CHANNEL, Integer.toString(CHANNEL));
    evaluator = new ScalaEvaluator(repl, echo);
  }

  @Override
  Result evaluate(Statement statement, Output output, BooleanSupplier stop) {
    try {
      compiler.lockInterruptibly();
    } catch (InterruptedException e) {
      return Result.stopped();
    }
    evaluating = true;
    try {
      return evaluator.evaluate(statement.code, output, stop);
    } finally {
      evaluating = false;
      compiler.unlock();
    }
  }

  /** Empty when the compiler stays busy with a statement. */
  @Override
  List<String> candidates(String code, int cursor) {
    return ask(ready -> ready.complete(code, cursor), Collections.emptyList());
  }

  /** Nothing while a statement runs. */
  @Override
  String inspection(String code, int cursor, int detail) {
    return evaluating ? null : ask(ready -> ready.inspect(code, cursor), null);
  }

  private <T> T ask(Function<ScalaEvaluator, T> question, T nothing) {
    ScalaEvaluator ready = evaluator;
    try {
      if (ready == null || !compiler.tryLock(COMPLETION_WAIT_MS, TimeUnit.MILLISECONDS)) {
        return nothing;
      }
    } catch (InterruptedException e) {
      return nothing;
    }
    try {
      return question.apply(ready);
    } finally {
      compiler.unlock();
    }
  }
}
