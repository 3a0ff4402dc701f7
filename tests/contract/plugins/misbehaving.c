/*
 * An interpreter that behaves in the ways that a host has to outlive. Its kind says how:
 *
 *   lateidle    is ready 1.5 s after its launch
 *   neveridle   is never ready
 *   deadstart   dies at its launch
 *   refusing    refuses to open
 *   neverclose  does not answer close()
 *   child       starts a process at launch and does not end it
 *   wild        does what its session's conf says in wild.do (segv, abort, fpe, hang, throw away
 *               memory..) at the slot of wild.at; "hang" until the file of wild.until is there
 *   wildkept    the same, and is taken up by the next host
 *   leading     can be joined by the kind "following", which is this file built with -DFOLLOWING
 *
 * Statements answer {"text/plain":"ok"} (following: {"text/plain": what its leader exports}), but
 *
 *   hang     never ends
 *   error    says HEARTH_ERROR and leaves the statement open
 *   dead     says HEARTH_DEAD and leaves the statement open
 *   lost     ends as lost, and the interpreter dies
 *   twice    ends twice, and a statement that does not exist too
 *   badtext  prints and answers bytes that are not UTF-8
 *   flood    prints 4 MiB
 *   bare     ends in an error without a word
 *   start    prints a line and does not end
 *   options  answers the options it was given
 *   now      what wild.do says (wild, wildkept)
 *   thread   the same on a thread of its own
 *   pour     calls stmt_output, log, stmt_progress, session_state, stmt_display, reply and save for
 *            as long as the file of wild.until is missing, and ends
 *   pourout  the same on a thread of its own, at once and for as long as the session lives
 *   many     asks for more timers and processes than there may be; answers how many it got
 *   shows    prints to both streams, shows two displays, makes progress
 */
#include <hearth/plugin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct hearth_instance {
  const hearth_host* host;
};

struct hearth_session {
  const hearth_host* host;
  hearth_session_h handle;
  char kind[16];
  char* driver;
  char at[16];      /* wild.at */
  char what[16];    /* wild.do */
  char until[512];  /* wild.until */
  int again;        /* it is taken up */
  uint64_t statement;
  atomic_int over;
  pthread_t thread;
  int threads;
};

static hearth_str text(const char* literal) {
  hearth_str s = {literal, strlen(literal)};
  return s;
}

static int is(hearth_str code, const char* word) {
  return code.len == strlen(word) && memcmp(code.ptr, word, code.len) == 0;
}

static hearth_status fail(hearth_error* err, hearth_status code, const char* why) {
  if (err != NULL) {
    err->code = code;
    if (err->capacity > 0) {
      strncpy(err->message, why, err->capacity - 1);
      err->message[err->capacity - 1] = '\0';
    }
  }
  return code;
}

static void say(hearth_session* s, int32_t state, const char* detail) {
  s->host->session_state(s->host->ctx, s->handle, state, text(detail));
}

static void done(hearth_session* s, uint64_t statement, int32_t outcome, const char* bundle) {
  s->host->stmt_done(s->host->ctx, s->handle, statement, outcome, text(bundle));
}

/* The value of a key in JSON text without blanks; good enough for what the tests send. */
static void find(hearth_str json, const char* key, char* out, size_t size) {
  char* copy = calloc(1, json.len + 1);
  memcpy(copy, json.ptr, json.len);
  const char* at = strstr(copy, key);
  if (at != NULL) {
    at += strlen(key) + 3; /* ":" and both quotes */
    size_t length = strcspn(at, "\"");
    if (length >= size) length = size - 1;
    memcpy(out, at, length);
    out[length] = '\0';
  }
  free(copy);
}

static void misbehave(const char* what, const char* until) {
  static int* volatile nowhere = NULL;
  static volatile int zero = 0;
  if (strcmp(what, "segv") == 0) *nowhere = 1;
  if (strcmp(what, "abort") == 0) abort();
  if (strcmp(what, "fpe") == 0) zero = 7 / zero;
  if (strcmp(what, "call") == 0) ((void (*)(void))(void*)nowhere)();
  if (strcmp(what, "deep") == 0) {
    volatile char much[4096];
    much[0] = 1;
    misbehave(what, until);
    much[1] = much[0];
  }
  if (strcmp(what, "hang") == 0)
    while (access(until, F_OK) != 0) usleep(20000);
}

static void at(hearth_session* s, const char* slot) {
  if (strcmp(s->at, slot) == 0) misbehave(s->what, s->until);
}

static void* alone(void* of) {
  hearth_session* s = of;
  misbehave(s->what, s->until);
  return NULL;
}

static void pour(hearth_session* s) {
  const hearth_host* h = s->host;
  static char much[4096];
  memset(much, 'p', sizeof much);
  const hearth_str block = {much, sizeof much};
  for (uint64_t i = 0; !s->over && (s->until[0] == '\0' || access(s->until, F_OK) != 0); ++i) {
    for (int n = 0; n < 256; ++n)
      h->stmt_output(h->ctx, s->handle, s->statement, HEARTH_STDOUT, block);
    h->stmt_display(h->ctx, s->handle, s->statement, text("{\"text/plain\":\"d\"}"));
    h->stmt_progress(h->ctx, s->handle, s->statement, (double)(i % 100) / 100);
    for (int n = 0; n < 100; ++n) {
      h->log(h->ctx, s->handle, HEARTH_LOG_INFO, text("pouring"));
      h->log(h->ctx, 0, HEARTH_LOG_INFO, text("pouring"));
    }
    h->session_state(h->ctx, s->handle, HEARTH_IDLE, text(""));
    h->reply(h->ctx, s->handle, 1000000 + i, HEARTH_OK, text("{}"));
    h->stmt_done(h->ctx, s->handle, 1000000 + i, HEARTH_DONE_OK, text("{}"));
    h->save(h->ctx, s->handle + 1000, block, NULL);
  }
}

static void* pouring(void* of) {
  pour(of);
  return NULL;
}

static hearth_status create(const hearth_host* host, hearth_str config, hearth_instance** out,
                            hearth_error* err) {
  (void)config;
  (void)err;
  if (getenv("HEARTH_WILD_CREATE") != NULL) misbehave(getenv("HEARTH_WILD_CREATE"), "");
  *out = malloc(sizeof **out);
  (*out)->host = host;
  return HEARTH_OK;
}

static void destroy(hearth_instance* instance) {
  free(instance);
}

static hearth_status open_session(hearth_instance* instance, hearth_session_h handle,
                                  const hearth_open* args, hearth_session** out,
                                  hearth_error* err) {
  if (is(args->kind, "refusing")) return fail(err, HEARTH_E_INVALID, "asked to refuse");
  hearth_session* made = calloc(1, sizeof *made);
  made->host = instance->host;
  made->handle = handle;
  memcpy(made->kind, args->kind.ptr, args->kind.len);
  made->driver = calloc(1, args->driver_json.len + 1);
  if (args->driver_json.len > 0) memcpy(made->driver, args->driver_json.ptr, args->driver_json.len);
  find(args->options_json, "wild.at", made->at, sizeof made->at);
  find(args->options_json, "wild.do", made->what, sizeof made->what);
  find(args->options_json, "wild.until", made->until, sizeof made->until);
  made->again = args->recovery_blob.len > 0;
  *out = made;
  at(made, "open");
  return HEARTH_OK;
}

static hearth_status launch(hearth_session* s, hearth_error* err) {
  at(s, s->again ? "takeup" : "launch");
  if (strcmp(s->kind, "wildkept") == 0) s->host->save(s->host->ctx, s->handle, text("kept"), NULL);
  if (strcmp(s->at, "on_timer") == 0) s->host->timer(s->host->ctx, s->handle, 1);
  if (strcmp(s->at, "on_proc_line") == 0 || strcmp(s->at, "on_proc_exit") == 0) {
    const hearth_str argv[] = {text("echo"), text("hello")};
    hearth_spawn what = {
        .struct_size = sizeof what, .flags = HEARTH_SPAWN_LINES, .argv = argv, .argc = 2};
    hearth_proc_h proc = 0;
    const hearth_status status = s->host->spawn(s->host->ctx, s->handle, &what, &proc, err);
    if (status != HEARTH_OK) return status;
  }
  if (strcmp(s->kind, "neveridle") == 0) return HEARTH_OK;
  if (strcmp(s->kind, "lateidle") == 0) {
    s->host->timer(s->host->ctx, s->handle, 1500);
    return HEARTH_OK;
  }
  if (strcmp(s->kind, "waiting") == 0) {
    say(s, HEARTH_WAITING, "{\"reason\":\"it waits for its turn\",\"appId\":\"app-2\"}");
    s->host->timer(s->host->ctx, s->handle, 1500);
    return HEARTH_OK;
  }
  if (strcmp(s->kind, "deadstart") == 0) {
    say(s, HEARTH_DEAD, "{\"reason\":\"asked to die at once\"}");
    return HEARTH_OK;
  }
  if (strcmp(s->kind, "child") == 0) {
    const hearth_str argv[] = {text("sleep"), text("86399")};
    hearth_spawn what = {.struct_size = sizeof what, .argv = argv, .argc = 2};
    hearth_proc_h proc = 0;
    const hearth_status status = s->host->spawn(s->host->ctx, s->handle, &what, &proc, err);
    if (status != HEARTH_OK) return status;
  }
  say(s, HEARTH_IDLE, "{\"appId\":\"app-1\",\"appInfo\":{\"sparkUiUrl\":\"http://ui\"}}");
  return HEARTH_OK;
}

static hearth_status execute(hearth_session* s, uint64_t statement, hearth_str code,
                             hearth_str options, hearth_error* err) {
  (void)err;
  s->statement = statement;
  at(s, "execute");
  if (is(code, "hang")) return HEARTH_OK;
  if (is(code, "now")) misbehave(s->what, s->until);
  if (is(code, "thread")) {
    pthread_create(&s->thread, NULL, alone, s);
    s->threads = 1;
    return HEARTH_OK;
  }
  if (is(code, "pour")) pour(s);
  if (is(code, "pourout")) {
    pthread_create(&s->thread, NULL, pouring, s);
    s->threads = 1;
    return HEARTH_OK;
  }
  if (is(code, "many")) {
    int timers = 0, processes = 0;
    while (timers < 100000 && s->host->timer(s->host->ctx, s->handle, 3600000) != 0) ++timers;
    const hearth_str argv[] = {text("sleep"), text("86399")};
    hearth_spawn what = {.struct_size = sizeof what, .argv = argv, .argc = 2};
    hearth_proc_h proc = 0;
    while (processes < 1000 &&
           s->host->spawn(s->host->ctx, s->handle, &what, &proc, err) == HEARTH_OK)
      ++processes;
    char bundle[128];
    snprintf(bundle, sizeof bundle, "{\"text/plain\":\"%d %d\"}", timers, processes);
    done(s, statement, HEARTH_DONE_OK, bundle);
    return HEARTH_OK;
  }
  if (is(code, "start")) {
    s->host->stmt_output(s->host->ctx, s->handle, statement, HEARTH_STDOUT, text("begun\n"));
    return HEARTH_OK;
  }
  if (is(code, "options")) {
    char bundle[512];
    snprintf(bundle, sizeof bundle, "{\"application/json\":%.*s}",
             options.len ? (int)options.len : 4, options.len ? options.ptr : "null");
    done(s, statement, HEARTH_DONE_OK, bundle);
    return HEARTH_OK;
  }
  if (is(code, "shows")) {
    void* ctx = s->host->ctx;
    s->host->stmt_output(ctx, s->handle, statement, HEARTH_STDOUT, text("one\n"));
    s->host->stmt_display(ctx, s->handle, statement, text("{\n\"image/png\": \"AAAA\"}"));
    s->host->stmt_output(ctx, s->handle, statement, HEARTH_STDERR, text("two\n"));
    s->host->stmt_progress(ctx, s->handle, statement, 0.5);
    s->host->stmt_display(ctx, s->handle, statement, text("{\"text/html\":\"<b>x</b>\"}"));
    s->host->stmt_output(ctx, s->handle, statement, HEARTH_STDOUT, text("thr\xc3\xa9\xc3\xa9\n"));
    done(s, statement, HEARTH_DONE_OK, "{\"text/plain\":\"one\\nthr\xc3\xa9\xc3\xa9\\nres0\"}");
    return HEARTH_OK;
  }
  if (is(code, "error")) {
    say(s, HEARTH_ERROR, "{\"reason\":\"asked to err\"}");
  } else if (is(code, "dead")) {
    say(s, HEARTH_DEAD, "{\"reason\":\"asked to die\"}");
  } else if (is(code, "lost")) {
    done(s, statement, HEARTH_DONE_LOST, "{}");
    say(s, HEARTH_DEAD, "{\"reason\":\"asked to get lost\"}");
  } else if (is(code, "twice")) {
    done(s, statement, HEARTH_DONE_OK, "{\"text/plain\":\"first\"}");
    done(s, statement, HEARTH_DONE_OK, "{\"text/plain\":\"second\"}");
    done(s, statement + 1000, HEARTH_DONE_OK, "{\"text/plain\":\"nobody asked\"}");
  } else if (is(code, "badtext")) {
    s->host->stmt_output(s->host->ctx, s->handle, statement, HEARTH_STDERR, text("\xff\xfe!"));
    done(s, statement, HEARTH_DONE_OK, "{\"text/plain\":\"\xc3(\"}");
  } else if (is(code, "flood")) {
    char line[1025];
    memset(line, 'x', 1024);
    line[1023] = '\n';
    line[1024] = '\0';
    for (int i = 0; i < 4096; ++i)
      s->host->stmt_output(s->host->ctx, s->handle, statement, HEARTH_STDOUT, text(line));
    done(s, statement, HEARTH_DONE_OK, "{\"text/plain\":\"ok\"}");
  } else if (is(code, "bare")) {
    done(s, statement, HEARTH_DONE_ERROR, "{}");
  } else if (s->driver[0] != '\0') {
    char* bundle = malloc(strlen(s->driver) + 32);
    strcpy(bundle, "{\"text/plain\":");
    strcat(bundle, s->driver);
    strcat(bundle, "}");
    done(s, statement, HEARTH_DONE_OK, bundle);
    free(bundle);
  } else {
    done(s, statement, HEARTH_DONE_OK, "{\"text/plain\":\"ok\"}");
  }
  return HEARTH_OK;
}

static hearth_status interrupt(hearth_session* s, uint64_t statement, hearth_error* err) {
  (void)statement;
  (void)err;
  at(s, "interrupt");
  return HEARTH_OK;
}

static void on_proc_line(hearth_session* s, hearth_proc_h proc, int32_t stream, hearth_str line) {
  (void)proc;
  (void)stream;
  (void)line;
  at(s, "on_proc_line");
}

static void on_proc_exit(hearth_session* s, hearth_proc_h proc, int32_t status, int32_t signo) {
  (void)proc;
  (void)status;
  (void)signo;
  at(s, "on_proc_exit");
}

static void on_timer(hearth_session* s, uint64_t id) {
  (void)id;
  at(s, "on_timer");
  say(s, HEARTH_IDLE, "");
}

static hearth_status export_driver(hearth_session* s, uint64_t request, hearth_error* err) {
  if (strcmp(s->kind, "leading") != 0) return fail(err, HEARTH_E_UNSUPPORTED, "cannot be joined");
  s->host->reply(s->host->ctx, s->handle, request, HEARTH_OK, text("{\"secret\":\"of the leader\"}"));
  return HEARTH_OK;
}

static hearth_status inspect(hearth_session* s, uint64_t request, hearth_str code, uint64_t cursor,
                             int32_t detail, hearth_error* err) {
  (void)err;
  char answer[512];
  snprintf(answer, sizeof answer,
           "{\"found\":true,\"data\":{\"text/plain\":\"%.*s at %llu, detail %d\"}}", (int)code.len,
           code.ptr, (unsigned long long)cursor, detail);
  s->host->reply(s->host->ctx, s->handle, request, HEARTH_OK,
                 text(code.len == 6 ? "no json" : answer));
  return HEARTH_OK;
}

static hearth_status shared_data(hearth_session* s, uint64_t request, hearth_error* err) {
  if (strcmp(s->kind, "leading") != 0) return fail(err, HEARTH_E_UNSUPPORTED, "shares nothing");
  s->host->reply(s->host->ctx, s->handle, request, HEARTH_OK,
                 text("{\"items\":[{\"name\":\"ak\",\"type\":\"rdd\"}]}"));
  return HEARTH_OK;
}

static void close_session(hearth_session* s, int32_t mode) {
  (void)mode;
  at(s, "close");
  if (strcmp(s->kind, "neverclose") != 0) say(s, HEARTH_CLOSED, "");
}

static void release(hearth_session* s) {
  at(s, "release");
  s->over = 1;
  if (s->threads) pthread_join(s->thread, NULL);
  free(s->driver);
  free(s);
}

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static const hearth_plugin table = {
      .struct_size = sizeof(hearth_plugin),
      .abi_minor = HEARTH_ABI_MINOR,
#ifdef FOLLOWING
      .descriptor_json =
          "{\"id\":\"following\",\"version\":\"1.0.0\",\"kinds\":[\"following\"],"
          "\"leader\":\"leading\"}",
#else
      .descriptor_json =
          "{\"id\":\"misbehaving\",\"version\":\"1.0.0\",\"kinds\":[\"lateidle\",\"neveridle\","
          "\"waiting\",\"deadstart\",\"refusing\",\"neverclose\",\"child\",\"leading\",\"wild\",\"wildkept\"]}",
#endif
      .create = create,
      .destroy = destroy,
      .open = open_session,
      .launch = launch,
      .execute = execute,
      .export_driver = export_driver,
      .close = close_session,
      .release = release,
      .interrupt = interrupt,
      .on_proc_line = on_proc_line,
      .on_proc_exit = on_proc_exit,
      .on_timer = on_timer,
      .inspect = inspect,
      .shared_data = shared_data,
  };
  return &table;
}
