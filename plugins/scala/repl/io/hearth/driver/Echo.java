package io.hearth.driver;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the REPL of Scala 2.13 says in the form of 2.12, which clients know: {@code res0: Int = 2}
 * for {@code val res0: Int = 2}, and {@code <console>:1: error: ...} before the line and its caret.
 */
final class Echo {
  private static final Pattern LINE = Pattern.compile(
      "(lazy val|val|var|def|class|trait|object|type) ([^\\s:\\[(]+|`[^`]+`)(.*)",
      Pattern.DOTALL);

  private static final Pattern MUTATED = Pattern.compile("// mutated (.+)");
  private static final Pattern CARET = Pattern.compile("\\s*\\^");
  private static final Pattern PROBLEM =
      Pattern.compile("(?: {7}|On line (\\d+): )((?:error|warning): .*)", Pattern.DOTALL);
  private static final String INDENT = "       ";

  private Echo() {}

  /**
   * Values and definitions. Only a line that names what the code has defined is changed, and each
   * definition once, so that a value's own text stays as it is.
   *
   * @param said what Scala 2.13 has printed
   * @param code the code that it was said of
   * @param definitions how many things the code may have defined
   * @param describe gives a variable's own echo, {@code x: Int = 2}
   */
  static String values(String said, String code, int definitions,
      Function<String, String> describe) {
    List<String> text = new ArrayList<>();
    int left = definitions;
    for (String line : lines(problems(said, code))) {
      Matcher defined = LINE.matcher(line);
      Matcher mutated = MUTATED.matcher(line);
      if (left > 0 && defined.matches()) {
        left--;
        text.add(value(defined.group(1), defined.group(2), defined.group(3)));
      } else if (left > 0 && mutated.matches()) {
        left--;
        // As 2.12, which says nothing of +=.
        if (code.trim().matches("(?s)" + Pattern.quote(mutated.group(1)) + "\\s*=[^=].*")) {
          text.add(describe.apply(mutated.group(1)));
        }
      } else {
        text.add(line);
      }
    }
    return joined(text);
  }

  /** Errors and warnings, which 2.13 puts after the line that they are about. */
  static String problems(String said, String code) {
    List<String> in = lines(said);
    List<String> out = new ArrayList<>();
    int i = 0;
    while (i < in.size()) {
      Matcher problem = PROBLEM.matcher(i + 1 < in.size() ? in.get(i + 1) : "");
      if (!CARET.matcher(in.get(i)).matches() || !problem.matches()) {
        out.add(in.get(i++));
        continue;
      }
      String caret = in.get(i);
      String number = problem.group(1);
      // Of code of one line the line is not said again.
      String source = number != null && !out.isEmpty()
          ? out.remove(out.size() - 1) : INDENT + lines(code).get(0);
      out.add("<console>:" + (number == null ? "1" : number) + ": " + problem.group(2));
      i += 2;
      while (i < in.size() && in.get(i).startsWith(INDENT) && !isCaret(in, i)
          && !isSource(in, i)) {
        out.add(in.get(i++).substring(INDENT.length()));
      }
      out.add(source);
      out.add(caret);
    }
    return joined(out);
  }

  private static boolean isSource(List<String> lines, int i) {
    return isCaret(lines, i + 1) && i + 2 < lines.size() && lines.get(i + 2).startsWith("On line ");
  }

  private static boolean isCaret(List<String> lines, int i) {
    return i < lines.size() && CARET.matcher(lines.get(i)).matches();
  }

  private static List<String> lines(String text) {
    List<String> lines = new ArrayList<>(Arrays.asList(text.split("\n", -1)));
    if (lines.get(lines.size() - 1).isEmpty()) {
      lines.remove(lines.size() - 1);
    }
    return lines;
  }

  private static String joined(List<String> lines) {
    return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
  }

  private static String value(String kind, String name, String rest) {
    switch (kind) {
      case "val":
      case "var":
        return name + rest;
      case "lazy val":
        return name + rest.replaceFirst(" // unevaluated$", " = <lazy>");
      case "def":
        return function(name, rest);
      case "type":
        return "defined type alias " + name;
      default:
        return "defined " + kind + " " + name;
    }
  }

  /** {@code f(x: Int): Int} becomes {@code f: (x: Int)Int}. */
  private static String function(String name, String rest) {
    int depth = 0;
    for (int i = 0; i < rest.length(); i++) {
      char c = rest.charAt(i);
      if (c == '(' || c == '[') {
        depth++;
      } else if (c == ')' || c == ']') {
        depth--;
      } else if (c == ':' && depth == 0) {
        return name + ": " + rest.substring(0, i) + rest.substring(i + 1).trim();
      }
    }
    return name + rest;
  }
}
