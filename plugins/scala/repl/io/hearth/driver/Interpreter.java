package io.hearth.driver;

/**
 * What serves one channel. The calls come from the link's thread and must not block; the answers
 * are frames.
 */
interface Interpreter {
  void execute(long statement, String code);

  /** Asks for the end of a statement that has been given to execute and has not ended. */
  void interrupt(long statement);

  void complete(long request, byte[] question);

  /** Ends the interpreter, and its running statement as lost. Blocks up to a few seconds. */
  void stop(String reason);
}
