/* A small plugin that does everything right, in C or C++. Each file here breaks one thing, by a
 * macro for a place in it, and plugin-check must find that. Its words: fail, refuse, part (not
 * whole), print, slow; anything else is answered "fine". */
#include <hearth/plugin.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct hearth_session {
  const hearth_host* host;
  hearth_session_h handle;
  uint64_t running, timer;
  hearth_proc_h process;
  hearth_chan_h channel;
  int closing;
};

#ifndef TOP
#define TOP
#endif
#ifndef ON_CREATE
#define ON_CREATE
#endif
#ifndef ON_OPEN
#define ON_OPEN
#endif
#ifndef ON_LAUNCH
#define ON_LAUNCH
#endif
#ifndef ON_EXECUTE
#define ON_EXECUTE
#endif
#ifndef ON_INTERRUPT
#define ON_INTERRUPT
#endif
#ifndef ON_CLOSE
#define ON_CLOSE
#endif
#ifndef ON_RELEASE
#define ON_RELEASE
#endif
#ifndef ON_LINE
#define ON_LINE
#endif
#ifndef ON_EXIT
#define ON_EXIT
#endif
#ifndef ON_FRAME
#define ON_FRAME
#endif
#ifndef BEFORE_DONE
#define BEFORE_DONE
#endif
#ifndef AFTER_DONE
#define AFTER_DONE
#endif
#ifndef TABLE
#define TABLE
#endif
#ifndef FAIL
#define FAIL(err, status, text) fail(err, status, text)
#endif
#ifndef BUNDLE
#define BUNDLE "{\"text/plain\":\"fine\"}"
#endif
#ifndef DESCRIPTOR
#define DESCRIPTOR "{\"id\":\"healthy\",\"version\":\"1\",\"kinds\":[\"healthy\"]}"
#endif
#ifndef OWN_TIMER
#define OWN_TIMER(id) ((id) == s->timer)
#endif

static hearth_str text(const char* literal) {
  hearth_str value = {literal, strlen(literal)};
  return value;
}

static inline hearth_status fail(hearth_error* err, hearth_status status, const char* why) {
  if (err == NULL) return status;
  err->code = status;
  if (err->capacity > 0) {
    const size_t length = strlen(why) < err->capacity ? strlen(why) : err->capacity - 1;
    memcpy(err->message, why, length);
    err->message[length] = '\0';
  }
  return status;
}

static inline void state(hearth_session* s, int32_t what) {
  s->host->session_state(s->host->ctx, s->handle, what, text(""));
}

static inline void print(hearth_session* s, uint64_t statement) {
  if (HEARTH_HAS(s->host, stmt_output))
    s->host->stmt_output(s->host->ctx, s->handle, statement, HEARTH_STDOUT, text("printed\n"));
}

static inline void done(hearth_session* s, uint64_t statement, int32_t outcome,
                        const char* bundle) {
  s->running = s->timer = 0;
  BEFORE_DONE
  s->host->stmt_done(s->host->ctx, s->handle, statement, outcome, text(bundle));
  AFTER_DONE
}

/* clang-format off */
TOP
    /* clang-format on */

    static hearth_status
    create(const hearth_host* host, hearth_str config, hearth_instance** out, hearth_error* err) {
  (void)config, (void)err;
  ON_CREATE
  *out = (hearth_instance*)host;
  return HEARTH_OK;
}

static void destroy(hearth_instance* i) {
  (void)i;
}

static hearth_status open_session(hearth_instance* i, hearth_session_h handle,
                                  const hearth_open* args, hearth_session** out,
                                  hearth_error* err) {
  (void)args, (void)err;
  hearth_session* s = (hearth_session*)calloc(1, sizeof *s);
  s->host = (const hearth_host*)i;
  s->handle = handle;
  *out = s;
  ON_OPEN
  return HEARTH_OK;
}

#ifndef SPAWNED
#define SPAWNED return FAIL(err, status, "no process");
#endif

static hearth_status launch(hearth_session* s, hearth_error* err) {
  const hearth_str argv[1] = {text("cat")};
  hearth_spawn spawn = {sizeof spawn, HEARTH_SPAWN_LINES, argv, 1, NULL, 0, {NULL, 0}};
  hearth_offer offer;
  hearth_status status = HEARTH_OK;
  ON_LAUNCH
  if (HEARTH_HAS(s->host, spawn))
    status = s->host->spawn(s->host->ctx, s->handle, &spawn, &s->process, NULL);
  if (status != HEARTH_OK) {
    SPAWNED
  }
  memset(&offer, 0, sizeof offer);
  offer.struct_size = sizeof offer;
  if (HEARTH_HAS(s->host, chan_offer) &&
      s->host->chan_offer(s->host->ctx, s->handle, text(""), &offer, NULL) == HEARTH_OK)
    s->channel = offer.channel;
  state(s, HEARTH_IDLE);
  return HEARTH_OK;
}

static hearth_status execute(hearth_session* s, uint64_t statement, hearth_str code,
                             hearth_str options, hearth_error* err) {
  (void)options;
  const char first = code.len > 0 ? code.ptr[0] : ' ',
             last = code.len > 0 ? code.ptr[code.len - 1] : ' ';
  if (s->running != 0) return FAIL(err, HEARTH_E_STATE, "a statement is running");
  ON_EXECUTE
  if (first == 'r') return FAIL(err, HEARTH_E_INVALID, "asked to refuse");
  if (first == 's' && HEARTH_HAS(s->host, timer)) {
    s->running = statement;
    s->timer = s->host->timer(s->host->ctx, s->handle, 3600 * 1000);
  } else if (first == 'f') {
    done(s, statement, HEARTH_DONE_ERROR,
         "{\"ename\":\"E\",\"evalue\":\"asked\",\"traceback\":[]}");
  } else if (first == 'p' && last == 't' && code.len == 4) {
    done(s, statement, HEARTH_DONE_INCOMPLETE, "{}");
  } else {
    if (first == 'p') print(s, statement);
    done(s, statement, HEARTH_DONE_OK, BUNDLE);
  }
  return HEARTH_OK;
}

static hearth_status interrupt(hearth_session* s, uint64_t statement, hearth_error* err) {
  (void)err;
  ON_INTERRUPT
  if (statement == s->running && statement != 0) done(s, statement, HEARTH_DONE_CANCELLED, "{}");
  return HEARTH_OK;
}

#ifndef CANDIDATES
#define CANDIDATES "{\"candidates\":[\"healthy\"]}"
#endif
static hearth_status complete(hearth_session* s, uint64_t request, hearth_str code, uint64_t cursor,
                              hearth_error* err) {
  (void)code, (void)cursor, (void)err;
  if (HEARTH_HAS(s->host, reply))
    s->host->reply(s->host->ctx, s->handle, request, HEARTH_OK, text(CANDIDATES));
  return HEARTH_OK;
}

#ifndef INSPECTION
#define INSPECTION "{\"found\":true,\"data\":{\"text/plain\":\"in good health\"}}"
#endif
static hearth_status inspect(hearth_session* s, uint64_t request, hearth_str code, uint64_t cursor,
                             int32_t detail, hearth_error* err) {
  (void)code, (void)cursor, (void)detail, (void)err;
  if (HEARTH_HAS(s->host, reply))
    s->host->reply(s->host->ctx, s->handle, request, HEARTH_OK, text(INSPECTION));
  return HEARTH_OK;
}

static void close_session(hearth_session* s, int32_t mode) {
  (void)mode;
  s->closing = 1;
  if (s->running != 0) done(s, s->running, HEARTH_DONE_LOST, "{}");
  ON_CLOSE
  if (s->process != 0)
    s->host->proc_signal(s->host->ctx, s->process, SIGKILL, NULL);
  else
    state(s, HEARTH_CLOSED);
}

static void release(hearth_session* s) {
  ON_RELEASE
  free(s);
}

static void on_line(hearth_session* s, hearth_proc_h process, int32_t stream, hearth_str line) {
  (void)s, (void)process, (void)stream, (void)line;
  ON_LINE
}

static void on_exit_of(hearth_session* s, hearth_proc_h process, int32_t status, int32_t signo) {
  (void)process, (void)status, (void)signo;
  s->process = 0;
  ON_EXIT
  if (s->running != 0) done(s, s->running, HEARTH_DONE_LOST, "{}");
  state(s, s->closing ? HEARTH_CLOSED : HEARTH_DEAD);
}

static void on_frame(hearth_session* s, hearth_chan_h channel, int32_t event,
                     const hearth_frame* frame) {
  (void)s, (void)channel, (void)event, (void)frame;
  ON_FRAME
}

static void on_timer(hearth_session* s, uint64_t id) {
  if (OWN_TIMER(id)) done(s, s->running, HEARTH_DONE_OK, BUNDLE);
}

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static hearth_plugin table;
  memset(&table, 0, sizeof table);
  table.struct_size = sizeof table;
  table.abi_minor = HEARTH_ABI_MINOR;
  table.descriptor_json = DESCRIPTOR;
  table.create = create;
  table.destroy = destroy;
  table.open = open_session;
  table.launch = launch;
  table.execute = execute;
  table.interrupt = interrupt;
  table.complete = complete;
  table.inspect = inspect;
  table.close = close_session;
  table.release = release;
  table.on_proc_line = on_line;
  table.on_proc_exit = on_exit_of;
  table.on_chan_frame = on_frame;
  table.on_timer = on_timer;
  TABLE
  return &table;
}
