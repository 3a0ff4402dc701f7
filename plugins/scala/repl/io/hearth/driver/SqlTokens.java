package io.hearth.driver;

import java.util.ArrayList;
import java.util.List;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.Token;
import org.apache.spark.sql.catalyst.parser.SqlBaseLexer;
import org.apache.spark.sql.catalyst.parser.UpperCaseCharStream;

/** What Spark's own lexer sees in a text: quotes and comments are what this Spark takes for them. */
final class SqlTokens {
  /** A token. Positions are in chars. */
  static final class Word {
    /** Its kind, as the lexer names it: SEMICOLON, IDENTIFIER, SELECT. */
    final String kind;
    final String text;
    final int start;
    final int end;
    /** From 1. */
    final int line;

    Word(String kind, String text, int start, int line) {
      this.kind = kind;
      this.text = text;
      this.start = start;
      this.end = start + text.length();
      this.line = line;
    }

    boolean is(String other) {
      return kind.equals(other);
    }
  }

  private SqlTokens() {}

  /** All but white space and comments. Never fails: what is no token comes out as one. */
  static List<Word> of(String text) {
    SqlBaseLexer lexer = lexer(text);
    List<Word> words = new ArrayList<>();
    int chars = 0;
    int points = 0; // what the lexer counts
    for (Token token = lexer.nextToken(); token.getType() != Token.EOF;
        token = lexer.nextToken()) {
      if (token.getChannel() != Token.DEFAULT_CHANNEL) {
        continue;
      }
      int start = text.offsetByCodePoints(chars, token.getStartIndex() - points);
      int end = text.offsetByCodePoints(start, token.getStopIndex() + 1 - token.getStartIndex());
      String kind = lexer.getVocabulary().getSymbolicName(token.getType());
      words.add(new Word(kind == null ? "" : kind, text.substring(start, end), start,
          token.getLine()));
      chars = start;
      points = token.getStartIndex();
    }
    return words;
  }

  /** The keywords of this Spark, in upper case. */
  static List<String> keywords() {
    SqlBaseLexer lexer = lexer("");
    List<String> keywords = new ArrayList<>();
    for (int type = 1; type <= lexer.getVocabulary().getMaxTokenType(); type++) {
      String literal = lexer.getVocabulary().getLiteralName(type);
      if (literal != null && literal.matches("'[A-Z_]{2,}'")) {
        keywords.add(literal.substring(1, literal.length() - 1));
      }
    }
    return keywords;
  }

  private static SqlBaseLexer lexer(String text) {
    SqlBaseLexer lexer = new SqlBaseLexer(new UpperCaseCharStream(CharStreams.fromString(text)));
    lexer.removeErrorListeners();
    return lexer;
  }
}
