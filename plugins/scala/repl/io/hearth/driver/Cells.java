package io.hearth.driver;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts code into the pieces that are fed to the REPL one by one: a whole cell at once would lose
 * the values before an error, and break case classes used in the cell that defines them. A piece is
 * as many lines as the parser wants, and the lines that go on with it by Scala's own rule: no
 * statement begins with a dot, "else" and the like, and what ends in an operator goes on. A class
 * and its companion object are one piece, and so are a sealed type and its cases.
 */
final class Cells {
  /** A piece, and whether it is a line that begins with %, or with %% and all that follows. */
  static final class Piece {
    final String code;
    final boolean magic;

    Piece(String code, boolean magic) {
      this.code = code;
      this.magic = magic;
    }
  }

  private static final Pattern GOES_ON = Pattern.compile(
      "\\s*([.,;:\\])}]|=(\\s|$)|=>|<-|<:|>:"
      + "|(catch|else|extends|finally|forSome|match|with|yield)\\b).*", Pattern.DOTALL);
  private static final Pattern WANTS_MORE = Pattern.compile(".*\\s[-+*/%&|^<>=!~?:]+\\s*");
  private static final Pattern MAGIC = Pattern.compile("%([A-Za-z_].*)?");
  private static final Pattern BLOCK = Pattern.compile("%%[A-Za-z_].*");
  private static final Pattern DEFINITION = Pattern.compile(
      "\\s*(?:@\\w+(?:\\([^)]*\\))?\\s+)*"
      + "((?:(?:abstract|final|sealed|case|implicit|private|protected|lazy)\\s+)*)"
      + "(class|trait|object|def)\\s+([\\w$]+|`[^`]+`)(.*)", Pattern.DOTALL);

  private final Function<String, ReplSupport.Verdict> parser;

  Cells(Function<String, ReplSupport.Verdict> parser) {
    this.parser = parser;
  }

  List<Piece> cut(String code) {
    String[] lines = code.replace("\r\n", "\n").trim().split("\n", -1);
    List<Piece> pieces = new ArrayList<>();
    int next = 0;
    while (next < lines.length) {
      if (lines[next].trim().isEmpty()) {
        next++;
      } else if (MAGIC.matcher(lines[next]).matches()) {
        pieces.add(new Piece(lines[next++], true));
      } else if (BLOCK.matcher(lines[next]).matches()) {
        String block = String.join("\n", Arrays.copyOfRange(lines, next, lines.length));
        pieces.add(new Piece(block.substring(1), true));
        next = lines.length;
      } else {
        StringBuilder piece = new StringBuilder(lines[next]);
        next = grow(lines, next + 1, piece);
        String grown = piece.toString();
        if (afterComments(grown) < grown.length()) {
          pieces.add(new Piece(grown, false));
        }
      }
    }
    return together(pieces);
  }

  /** Adds lines until the piece is whole. Returns the number of the line after it. */
  private int grow(String[] lines, int next, StringBuilder piece) {
    while (next < lines.length) {
      int follower = next;
      while (follower < lines.length && isBlank(lines[follower])) {
        follower++;
      }
      boolean more = parser.apply(piece.toString()) == ReplSupport.Verdict.INCOMPLETE
          || follower < lines.length && (GOES_ON.matcher(lines[follower]).matches()
              || WANTS_MORE.matcher(lines[next - 1]).matches()
              || follower == next && opensBody(piece, lines[follower]));
      if (!more) {
        break;
      }
      // A comment that stands alone does not want the statement after it.
      for (int end = Math.min(follower + 1, lines.length); next < end; next++) {
        piece.append('\n').append(lines[next]);
      }
    }
    return next;
  }

  private static boolean isBlank(String line) {
    String text = line.trim();
    return text.isEmpty() || text.startsWith("//");
  }

  private static boolean opensBody(StringBuilder piece, String line) {
    return line.trim().startsWith("{") && piece.indexOf("{") < 0
        && definition(piece.toString()).matches();
  }

  private static Matcher definition(String code) {
    return DEFINITION.matcher(code.substring(afterComments(code)));
  }

  /** Where the code begins after blanks and comments, which may be nested. */
  private static int afterComments(String code) {
    int depth = 0;
    int i = 0;
    while (i < code.length()) {
      if (code.startsWith("/*", i)) {
        depth++;
        i += 2;
      } else if (depth > 0) {
        boolean ends = code.startsWith("*/", i);
        depth -= ends ? 1 : 0;
        i += ends ? 2 : 1;
      } else if (code.startsWith("//", i)) {
        int end = code.indexOf('\n', i);
        i = end < 0 ? code.length() : end;
      } else if (Character.isWhitespace(code.charAt(i))) {
        i++;
      } else {
        return i;
      }
    }
    // A comment that does not end is incomplete code.
    return depth > 0 ? 0 : i;
  }

  private static List<Piece> together(List<Piece> pieces) {
    List<Piece> result = new ArrayList<>();
    int next = 0;
    while (next < pieces.size()) {
      Piece piece = pieces.get(next++);
      while (!piece.magic && next < pieces.size() && belong(piece.code, pieces.get(next))) {
        piece = new Piece(piece.code + "\n" + pieces.get(next++).code, false);
      }
      result.add(piece);
    }
    return result;
  }

  /** Whether the next piece has to be compiled with the one before, to which others may belong. */
  private static boolean belong(String code, Piece next) {
    Matcher second = definition(next.code);
    if (next.magic || !second.matches() || second.group(2).equals("def")) {
      return false;
    }
    Matcher first = definition(code);
    if (!first.matches() || first.group(2).equals("def")) {
      return false;
    }
    String name = first.group(3);
    boolean companions = name.equals(second.group(3))
        && first.group(2).equals("object") != second.group(2).equals("object");
    boolean cases = first.group(1).contains("sealed") && Pattern.compile(
        "\\b(extends|with)\\s+" + Pattern.quote(name) + "\\b").matcher(next.code).find();
    return companions || cases;
  }
}
