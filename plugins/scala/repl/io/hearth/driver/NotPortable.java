package io.hearth.driver;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A value that only the language which made it can read. */
public final class NotPortable extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final Pattern TOLD =
      Pattern.compile(Pattern.quote(NotPortable.class.getName()) + ": ([^\n]*)");

  NotPortable(String message) {
    super(message);
  }

  /** Throws the same when it is what a job has failed of: Spark has put it into its own text. */
  static RuntimeException told(Exception failure) {
    Matcher matcher = TOLD.matcher(String.valueOf(failure.getMessage()));
    if (matcher.find()) {
      throw new NotPortable(matcher.group(1));
    }
    throw NotPortable.<RuntimeException>asItIs(failure);
  }

  // SparkException is checked in Java, and Scala's methods do not say that they throw it.
  @SuppressWarnings("unchecked")
  private static <E extends Exception> E asItIs(Exception failure) throws E {
    throw (E) failure;
  }
}
