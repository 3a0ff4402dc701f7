package io.hearth.driver;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;

/** How the code ended: outcome and bundle of the DONE frame. */
final class Result {
  final int outcome;
  final byte[] bundle;

  private Result(int outcome, byte[] bundle) {
    this.outcome = outcome;
    this.bundle = bundle;
  }

  static Result ok(String bundle) {
    return new Result(Frame.DONE_OK, bundle.getBytes(StandardCharsets.UTF_8));
  }

  static Result ok(byte[] bundle) {
    return new Result(Frame.DONE_OK, bundle);
  }

  static Result error(String value, List<String> traceback) {
    return named("Error", value, traceback);
  }

  static Result named(String name, String value, List<String> traceback) {
    return new Result(Frame.DONE_ERROR, Json.error(name, value, traceback));
  }

  /** The code was told to stop, and has. */
  static Result stopped() {
    return error("stopped", Collections.emptyList());
  }
}
