package io.hearth.driver;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/**
 * Whose jobs are ended as soon as they start: cancelled statements, and threads that an interrupt
 * has left behind. Either may get to its job, or to the next one, only after all its jobs were
 * cancelled and its statement has ended. Public, since Python calls it through its gateway.
 */
public final class LeftBehind {
  private static final int MOST = 1000;

  private static final Set<String> names = Collections.synchronizedSet(
      Collections.newSetFromMap(new LinkedHashMap<String, Boolean>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
          return size() > MOST;
        }
      }));

  private LeftBehind() {}

  /** A thread whose local property {@link Jobs#LANE} has this value. */
  public static void addLane(String lane) {
    names.add("lane " + lane);
  }

  /** A statement whose jobs carry its number. */
  static void addStatement(int channel, long statement) {
    names.add(statement(Integer.toString(channel), Long.toString(statement)));
  }

  /** Whether a job with these properties is one of theirs. */
  static boolean started(Properties properties) {
    return properties != null && (names.contains("lane " + properties.getProperty(Jobs.LANE))
        || names.contains(statement(properties.getProperty(Jobs.CHANNEL),
            properties.getProperty(Jobs.STATEMENT))));
  }

  private static String statement(String channel, String statement) {
    return "statement " + channel + " " + statement;
  }
}
