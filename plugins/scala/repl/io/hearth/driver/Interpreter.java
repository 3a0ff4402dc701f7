package io.hearth.driver;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * What serves one channel. The calls come from the link's thread and must not block; the answers
 * are frames.
 */
interface Interpreter {
  /**
   * Takes a statement.
   *
   * @param options what the client has asked for beside the code; empty in most cases
   */
  void execute(long statement, String code, ObjectNode options);

  /** Asks for the end of a statement that has been given to execute and has not ended. */
  void interrupt(long statement);

  /**
   * Takes a question, which is answered by REPLY also while a statement runs, at once.
   *
   * @param type COMPLETE or INSPECT
   */
  void ask(int type, long request, byte[] question);

  /** Ends the interpreter, and its running statement as lost. Blocks up to a few seconds. */
  void stop(String reason);
}
