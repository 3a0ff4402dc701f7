package io.hearth.driver;

/** Finds the name that a question about Scala code is about, and says what it is. */
final class ScalaInspection {
  private final ReplSupport repl;

  ScalaInspection(ReplSupport repl) {
    this.repl = repl;
  }

  /**
   * The definitions of the name at the cursor, in chars, or of the method whose arguments it is
   * among, each on a line, as {@code def map[B](f: Int => B): List[B]}; null where there is none.
   * Compiles up to the name, runs nothing.
   */
  String inspect(String code, int cursor) {
    int end = cursor;
    while (end < code.length() && isPartOfName(code.charAt(end))) {
      end++;
    }
    int start = startOf(code, end);
    if (start == end) {
      end = openCall(code, cursor);
      start = startOf(code, end);
    }
    if (start == end || Character.isDigit(code.charAt(start))) {
      return null;
    }
    String known = String.join("\n", repl.definitionsOf(code.substring(0, end), start));
    return known.isEmpty() ? null : known;
  }

  private static boolean isPartOfName(char c) {
    return Character.isJavaIdentifierPart(c);
  }

  private static int startOf(String code, int end) {
    int start = end;
    while (start > 0 && isPartOfName(code.charAt(start - 1))) {
      start--;
    }
    return start;
  }

  /** Where the name before the bracket ends that is open at the cursor; 0 without one. */
  private static int openCall(String code, int cursor) {
    int depth = 0;
    for (int at = cursor - 1; at >= 0; at--) {
      char c = code.charAt(at);
      if (c == ')' || c == ']' || c == '}') {
        depth++;
      } else if ((c == '(' || c == '[' || c == '{') && depth-- == 0) {
        return c == '(' ? at : 0;
      }
    }
    return 0;
  }
}
