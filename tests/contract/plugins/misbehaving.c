/*
 * An interpreter that behaves in the ways that a host has to outlive. Its kind says how:
 *
 *   lateidle    is ready 1.5 s after its launch
 *   neveridle   is never ready
 *   deadstart   dies at its launch
 *   refusing    refuses to open
 *   neverclose  does not answer close()
 *   child       starts a process at launch and does not end it
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
 *   shows    prints to both streams, shows two displays, makes progress
 */
#include <hearth/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hearth_instance {
  const hearth_host* host;
};

struct hearth_session {
  const hearth_host* host;
  hearth_session_h handle;
  char kind[16];
  char* driver;
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

static hearth_status create(const hearth_host* host, hearth_str config, hearth_instance** out,
                            hearth_error* err) {
  (void)config;
  (void)err;
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
  *out = made;
  return HEARTH_OK;
}

static hearth_status launch(hearth_session* s, hearth_error* err) {
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
  if (is(code, "hang")) return HEARTH_OK;
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

static void on_timer(hearth_session* s, uint64_t id) {
  (void)id;
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
  if (strcmp(s->kind, "neverclose") != 0) say(s, HEARTH_CLOSED, "");
}

static void release(hearth_session* s) {
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
          "\"waiting\",\"deadstart\",\"refusing\",\"neverclose\",\"child\",\"leading\"]}",
#endif
      .create = create,
      .destroy = destroy,
      .open = open_session,
      .launch = launch,
      .execute = execute,
      .export_driver = export_driver,
      .close = close_session,
      .release = release,
      .on_timer = on_timer,
      .inspect = inspect,
      .shared_data = shared_data,
  };
  return &table;
}
