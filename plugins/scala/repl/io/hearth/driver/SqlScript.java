package io.hearth.driver;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.parser.ParserInterface;

/**
 * Cuts a text into its statements. What is a semicolon and what is within quotes or a comment says
 * Spark's lexer, where a BEGIN ends its parser.
 */
final class SqlScript {
  /** A statement and the line of the text, from 1, that it begins on. */
  static final class Piece {
    final String text;
    final int line;

    Piece(String text, int line) {
      this.text = text;
      this.line = line;
    }
  }

  private final String text;
  private final ParserInterface parser;
  private final List<SqlTokens.Word> words;

  private SqlScript(String text, ParserInterface parser) {
    this.text = text;
    this.parser = parser;
    this.words = SqlTokens.of(text);
  }

  /** The statements. Of a text without any the text itself: Spark says what is wrong with it. */
  static List<Piece> cut(String text, ParserInterface parser) {
    List<Piece> pieces = new SqlScript(text, parser).pieces();
    if (pieces.isEmpty()) {
      pieces.add(new Piece(text, 1));
    }
    return pieces;
  }

  private List<Piece> pieces() {
    List<Piece> pieces = new ArrayList<>();
    int from = 0;
    while (from < words.size()) {
      int end = words.get(from).is("SEMICOLON") ? from : end(from);
      if (end > from) {
        pieces.add(new Piece(between(from, end), words.get(from).line));
      }
      from = end + 1;
    }
    return pieces;
  }

  /** The index of the semicolon that ends the statement, or the number of words. */
  private int end(int from) {
    boolean block = false;
    int nearest = words.size();
    for (int i = from; i < words.size(); i++) {
      block |= words.get(i).is("BEGIN");
      if (words.get(i).is("SEMICOLON")) {
        // Within a block semicolons end nothing; but `begin` may also be the name of a column.
        if (!block || parses(from, i)) {
          return i;
        }
        nearest = Math.min(nearest, i);
      }
    }
    // A block that is never right is complained of as a whole.
    return words.get(from).is("BEGIN") || parses(from, words.size()) ? words.size() : nearest;
  }

  private boolean parses(int from, int end) {
    try {
      parser.parsePlan(between(from, end));
      return true;
    } catch (ParseException e) {
      return false;
    } catch (RuntimeException e) {
      return true; // Spark has read it, and does not do it
    }
  }

  private String between(int from, int end) {
    int stop = end < words.size() ? words.get(end).start : text.length();
    return text.substring(words.get(from).start, stop).trim();
  }
}
