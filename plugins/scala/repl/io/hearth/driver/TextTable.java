package io.hearth.driver;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Rows as a table of text, for people: of many the first hundred, of a long cell its beginning. */
final class TextTable {
  private static final int MOST_ROWS = 100;
  private static final int MOST_WIDTH = 60;

  private final List<String[]> lines = new ArrayList<>();
  private final int[] widths;

  TextTable(String[] names) {
    widths = new int[names.length];
    add(names);
  }

  boolean wantsMore() {
    return lines.size() <= MOST_ROWS;
  }

  void add(String[] cells) {
    String[] line = new String[cells.length];
    for (int i = 0; i < cells.length; i++) {
      line[i] = cut(cells[i]);
      widths[i] = Math.max(widths[i], width(line[i]));
    }
    lines.add(line);
  }

  /**
   * The table and a line that counts.
   *
   * @param rows how many the result has
   * @param truncated whether the query would have given more
   * @param total how many, or -1
   */
  String text(int rows, boolean truncated, long total) {
    StringBuilder text = new StringBuilder();
    if (widths.length > 0) {
      rule(text);
      for (int i = 0; i < lines.size(); i++) {
        line(text, lines.get(i));
        if (i == 0) {
          rule(text);
        }
      }
      rule(text);
    }
    text.append('(').append(rows).append(rows == 1 ? " row" : " rows");
    if (rows > lines.size() - 1 && widths.length > 0) {
      text.append(", the first ").append(lines.size() - 1).append(" are shown");
    }
    if (truncated) {
      text.append(total < 0 ? "; there are more" : "; there are " + total);
    }
    return text.append(')').toString();
  }

  private void rule(StringBuilder text) {
    for (int width : widths) {
      text.append('+').append(times('-', width));
    }
    text.append("+\n");
  }

  private void line(StringBuilder text, String[] cells) {
    for (int i = 0; i < cells.length; i++) {
      text.append('|').append(cells[i]).append(times(' ', widths[i] - width(cells[i])));
    }
    text.append("|\n");
  }

  private static String times(char c, int count) {
    return String.join("", Collections.nCopies(count, String.valueOf(c)));
  }

  private static String cut(String cell) {
    String line = cell.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t");
    if (line.codePointCount(0, line.length()) <= MOST_WIDTH) {
      return line;
    }
    return line.substring(0, line.offsetByCodePoints(0, MOST_WIDTH - 3)) + "...";
  }

  // Columns of a terminal: characters of the far east take two.
  private static int width(String text) {
    return text.codePoints().map(c -> isWide(c) ? 2 : 1).sum();
  }

  private static boolean isWide(int c) {
    Character.UnicodeScript script = Character.UnicodeScript.of(c);
    return script == Character.UnicodeScript.HAN || script == Character.UnicodeScript.HIRAGANA
        || script == Character.UnicodeScript.KATAKANA || script == Character.UnicodeScript.HANGUL;
  }
}
