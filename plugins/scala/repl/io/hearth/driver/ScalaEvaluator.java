package io.hearth.driver;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;

/** Runs the pieces of a cell one after the other and makes the statement's result of what comes. */
final class ScalaEvaluator {
  private final ReplSupport repl;
  private final EchoWriter echo;
  private final Cells cells;
  private final ScalaMagics magics;

  ScalaEvaluator(ReplSupport repl, EchoWriter echo) {
    this.repl = repl;
    this.echo = echo;
    this.cells = new Cells(this::parse);
    this.magics = new ScalaMagics(this::evaluateTo);
  }

  /**
   * Runs code on the calling thread.
   *
   * @param output takes the echoes of values
   * @param stop asked between pieces whether to go on
   */
  Result evaluate(String code, Output output, BooleanSupplier stop) {
    String value = null;
    for (Cells.Piece piece : cells.cut(code)) {
      if (stop.getAsBoolean()) {
        return Result.stopped();
      }
      if (piece.magic) {
        try {
          value = magics.run(piece.code);
        } catch (ScalaMagics.Failure e) {
          return Result.named(e.name, e.getMessage(), e.traceback);
        }
      } else {
        Result failure = run(piece.code, output);
        if (failure != null) {
          return failure;
        }
        value = null;
      }
    }
    return Result.ok(bundle(value, output));
  }

  List<String> complete(String code, int cursor) {
    List<String> candidates = repl.complete(code, cursor);
    echo.take();
    return candidates;
  }

  /** What is known of the name at the cursor, or null. Runs nothing. */
  String inspect(String code, int cursor) {
    String known = new ScalaInspection(repl).inspect(code, cursor);
    echo.take();
    return known;
  }

  /** Returns null when all went well. */
  private Result run(String code, Output output) {
    ReplSupport.Verdict verdict = repl.interpret(code);
    if (verdict == ReplSupport.Verdict.INCOMPLETE) {
      // As Livy: what only seems incomplete, is whole between braces.
      String block = "{\n" + code + "\n}";
      if (parse(block) != ReplSupport.Verdict.SUCCESS) {
        return Result.error("incomplete statement", Collections.emptyList());
      }
      verdict = repl.interpret(block);
    }
    String said = echo.take();
    if (verdict != ReplSupport.Verdict.SUCCESS) {
      List<String> lines = problems(said, code);
      return Result.error(lines.remove(0), lines);
    }
    output.echo(repl.isScala213()
        ? Echo.values(said, code, repl.definitions(), this::describe) : said);
    return null;
  }

  /** The echo of a variable that has changed. */
  private String describe(String variable) {
    String name = "hearthValue";
    repl.interpret("val " + name + " = " + variable);
    return echo.take().trim().replaceFirst("^val " + name, Matcher.quoteReplacement(variable));
  }

  private ReplSupport.Verdict parse(String code) {
    ReplSupport.Verdict verdict = repl.parse(code);
    echo.take(); // a complaint comes again when the piece is run
    return verdict;
  }

  /** What the REPL has said against the code: the first line without its end, the rest with. */
  private List<String> problems(String said, String code) {
    String text = repl.isScala213() ? Echo.problems(said, code) : said;
    List<String> lines = new ArrayList<>(Arrays.asList(text.split("(?<=\n)")));
    lines.set(0, lines.get(0).replaceFirst("\n$", ""));
    return lines;
  }

  /** The value of an expression. */
  private Object evaluateTo(String name, String expression) throws ScalaMagics.Failure {
    String code = "val " + name + " = {\n" + expression + "\n}";
    ReplSupport.Verdict verdict = repl.interpret(code);
    String said = echo.take();
    if (verdict == ReplSupport.Verdict.INCOMPLETE) {
      throw new ScalaMagics.Failure("Error", "incomplete statement", Collections.emptyList());
    }
    if (verdict == ReplSupport.Verdict.ERROR) {
      List<String> lines = problems(said, code);
      throw new ScalaMagics.Failure("Error", lines.remove(0), lines);
    }
    return repl.lastValue();
  }

  private static String bundle(String value, Output output) {
    if (value == null) {
      return "{\"text/plain\":" + Json.quoted(output.text()) + "}";
    }
    String printed = output.printed();
    return printed.isEmpty() ? "{" + value + "}"
        : "{\"text/plain\":" + Json.quoted(printed) + "," + value + "}";
  }
}
