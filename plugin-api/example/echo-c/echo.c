/*
 * Echo in plain C: the same interpreter as in ../echo-cpp, on the bare tables of hearth/plugin.h.
 * It answers every statement with the statement's own text, but for these words:
 *
 *   fail          ends in an error
 *   throw         is refused: never becomes a running statement
 *   print TEXT    prints TEXT, then ends
 *   lines N       prints N lines, then ends
 *   slow N        runs for N seconds (fractions too), can be interrupted
 *   hang          never ends, and ignores interrupt
 *   die           the interpreter dies under the statement
 */
#include <hearth/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hearth_instance {
  const hearth_host* host; /* lives until destroy */
};

struct hearth_session {
  const hearth_host* host;
  hearth_session_h handle;
  uint64_t running; /* the statement that has not ended, or 0 */
  uint64_t timer;   /* its timer, or 0 where it hangs */
  char* bundle;     /* what it will answer; owned */
};

/* ---- Helpers ------------------------------------------------------------------------------- */

static hearth_str text(const char* literal) {
  hearth_str s = {literal, strlen(literal)};
  return s;
}

static hearth_status fail(hearth_error* err, hearth_status code, const char* why) {
  if (err != NULL) {
    err->code = code;
    if (err->capacity > 0 && err->message != NULL) snprintf(err->message, err->capacity, "%s", why);
  }
  return code;
}

/* before + code as a JSON string + after, from malloc; NULL when memory is out. */
static char* quoted(const char* before, hearth_str code, const char* after) {
  size_t head = strlen(before), tail = strlen(after);
  if (code.len > (SIZE_MAX / 8)) return NULL;
  char* json = malloc(head + 6 * code.len + tail + 3);
  if (json == NULL) return NULL;
  char* out = json;
  memcpy(out, before, head);
  out += head;
  *out++ = '"';
  for (size_t i = 0; i < code.len; ++i) {
    unsigned char c = (unsigned char)code.ptr[i];
    if (c == '"' || c == '\\') {
      *out++ = '\\';
      *out++ = (char)c;
    } else if (c < 0x20) {
      out += sprintf(out, "\\u%04x", (unsigned)c);
    } else {
      *out++ = (char)c;
    }
  }
  *out++ = '"';
  memcpy(out, after, tail + 1);
  return json;
}

static int is(hearth_str code, const char* word) {
  size_t n = strlen(word);
  return code.len == n && memcmp(code.ptr, word, n) == 0;
}

/* Whether code begins with word; *rest is what follows. */
static int argument(hearth_str code, const char* word, hearth_str* rest) {
  size_t n = strlen(word);
  if (code.len < n || memcmp(code.ptr, word, n) != 0) return 0;
  rest->ptr = code.ptr + n;
  rest->len = code.len - n;
  return 1;
}

/* A decimal number up to `most`, in thousandths; -1 where it is none. Not strtod(), which depends
 * on the process's locale. */
static long thousandths(hearth_str digits, long most) {
  long value = 0;
  int decimals = -1, seen = 0;
  for (size_t i = 0; i < digits.len; ++i) {
    char c = digits.ptr[i];
    if (c == '.' && decimals < 0) {
      decimals = 0;
    } else if (c >= '0' && c <= '9') {
      seen = 1;
      if (decimals == 3) continue;
      if (decimals >= 0) ++decimals;
      value = value * 10 + (c - '0');
      if (value > most * 1000) return -1;
    } else {
      return -1;
    }
  }
  if (!seen) return -1;
  for (int i = decimals < 0 ? 0 : decimals; i < 3; ++i) value *= 10;
  return value > most * 1000 ? -1 : value;
}

static void say(hearth_session* s, int32_t state, const char* detail) {
  s->host->session_state(s->host->ctx, s->handle, state, text(detail));
}

static void print(hearth_session* s, uint64_t statement, hearth_str what) {
  if (HEARTH_HAS(s->host, stmt_output))
    s->host->stmt_output(s->host->ctx, s->handle, statement, HEARTH_STDOUT, what);
}

static void done(hearth_session* s, uint64_t statement, int32_t outcome, const char* bundle) {
  s->host->stmt_done(s->host->ctx, s->handle, statement, outcome, text(bundle));
}

/* Ends the running statement. */
static void end(hearth_session* s, int32_t outcome, const char* bundle) {
  uint64_t statement = s->running;
  s->running = s->timer = 0;
  done(s, statement, outcome, bundle);
  free(s->bundle);
  s->bundle = NULL;
}

/* ---- The table's functions ------------------------------------------------------------------- */

static hearth_status create(const hearth_host* host, hearth_str config, hearth_instance** out,
                            hearth_error* err) {
  (void)config;
  if (!HEARTH_HAS(host, session_state) || !HEARTH_HAS(host, stmt_done))
    return fail(err, HEARTH_E_UNSUPPORTED, "the host's table has no session_state or stmt_done");
  hearth_instance* made = malloc(sizeof *made);
  if (made == NULL) return fail(err, HEARTH_E_INTERNAL, "out of memory");
  made->host = host;
  *out = made;
  return HEARTH_OK;
}

static void destroy(hearth_instance* instance) {
  free(instance);
}

static hearth_status open_session(hearth_instance* instance, hearth_session_h handle,
                                  const hearth_open* args, hearth_session** out,
                                  hearth_error* err) {
  (void)args;
  hearth_session* made = calloc(1, sizeof *made);
  if (made == NULL) return fail(err, HEARTH_E_INTERNAL, "out of memory");
  made->host = instance->host;
  made->handle = handle;
  *out = made;
  return HEARTH_OK;
}

static hearth_status launch(hearth_session* s, hearth_error* err) {
  (void)err;
  say(s, HEARTH_IDLE, "");
  return HEARTH_OK;
}

static hearth_status execute(hearth_session* s, uint64_t statement, hearth_str code,
                             hearth_str options, hearth_error* err) {
  hearth_str rest = code;
  (void)options;
  if (s->running != 0) return fail(err, HEARTH_E_STATE, "a statement is running");
  if (is(code, "throw")) return fail(err, HEARTH_E_INVALID, "asked to throw");
  if (is(code, "hang")) {
    s->running = statement;
    return HEARTH_OK;
  }
  if (is(code, "die")) {
    done(s, statement, HEARTH_DONE_LOST, "{}");
    say(s, HEARTH_DEAD, "{\"reason\":\"asked to die\"}");
    return HEARTH_OK;
  }
  if (is(code, "fail")) {
    done(s, statement, HEARTH_DONE_ERROR,
         "{\"ename\":\"EchoError\",\"evalue\":\"asked to fail\",\"traceback\":[]}");
    return HEARTH_OK;
  }

  long lines = 0, wait = -1;
  int prints = 0;
  if (argument(code, "print ", &rest)) {
    prints = 1;
  } else if (argument(code, "lines ", &rest)) {
    lines = thousandths(rest, 100000);
    if (lines < 0) return fail(err, HEARTH_E_INVALID, "lines: not a number that echo takes");
    lines /= 1000;
    rest = code;
  } else if (argument(code, "slow ", &rest)) {
    wait = thousandths(rest, 86400);
    if (wait < 0) return fail(err, HEARTH_E_INVALID, "slow: not a number that echo takes");
    if (!HEARTH_HAS(s->host, timer))
      return fail(err, HEARTH_E_UNSUPPORTED, "this host has no timer");
    rest = code;
  }

  char* bundle = quoted("{\"text/plain\":", rest, "}");
  if (bundle == NULL) return fail(err, HEARTH_E_INTERNAL, "out of memory");
  if (wait >= 0) {
    /* Nothing waits here: the host calls on_timer. */
    s->timer = s->host->timer(s->host->ctx, s->handle, (uint32_t)wait);
    if (s->timer == 0) {
      free(bundle);
      return fail(err, HEARTH_E_LIMIT, "the host gave no timer");
    }
    s->running = statement;
    s->bundle = bundle;
    return HEARTH_OK;
  }
  if (prints) {
    print(s, statement, rest);
    print(s, statement, text("\n"));
  }
  for (long i = 1; i <= lines; ++i) {
    char line[32];
    snprintf(line, sizeof line, "line %ld\n", i);
    print(s, statement, text(line));
  }
  done(s, statement, HEARTH_DONE_OK, bundle);
  free(bundle);
  return HEARTH_OK;
}

static void on_timer(hearth_session* s, uint64_t id) {
  if (id == s->timer) end(s, HEARTH_DONE_OK, s->bundle); /* else: it was interrupted */
}

static hearth_status interrupt(hearth_session* s, uint64_t statement, hearth_error* err) {
  (void)err;
  if (statement == s->running && s->timer != 0) end(s, HEARTH_DONE_CANCELLED, "{}");
  return HEARTH_OK;
}

static hearth_status complete(hearth_session* s, uint64_t request, hearth_str code, uint64_t cursor,
                              hearth_error* err) {
  (void)cursor;
  if (!HEARTH_HAS(s->host, reply)) return fail(err, HEARTH_E_UNSUPPORTED, "this host has no reply");
  char* json = quoted("{\"candidates\":[", code, "]}");
  if (json == NULL) return fail(err, HEARTH_E_INTERNAL, "out of memory");
  s->host->reply(s->host->ctx, s->handle, request, HEARTH_OK, text(json));
  free(json);
  return HEARTH_OK;
}

static void close_session(hearth_session* s, int32_t mode) {
  (void)mode;
  if (s->running != 0) end(s, HEARTH_DONE_LOST, "{}");
  say(s, HEARTH_CLOSED, "");
}

static void release(hearth_session* s) {
  free(s->bundle);
  free(s);
}

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static const hearth_plugin table = {
      .struct_size = sizeof(hearth_plugin),
      .abi_minor = HEARTH_ABI_MINOR,
      .descriptor_json =
          "{\"id\":\"echoc\",\"version\":\"1.0.0\",\"kinds\":[\"echoc\"],"
          "\"mime\":[\"text/plain\"]}",
      .create = create,
      .destroy = destroy,
      .open = open_session,
      .launch = launch,
      .execute = execute,
      .interrupt = interrupt,
      .complete = complete,
      .close = close_session,
      .release = release,
      .on_timer = on_timer,
  };
  return &table;
}
