/*
 * A plugin of ABI 1.0 that uses every slot of both tables. It is built with the header beside it
 * and is never changed: as long as the host loads major 1, it must do what it does today.
 *
 * Kind "v1.0". Statements answer {"text/plain": ..}:
 *   output      ok, after a line on each stream, half of its progress and a line in the log
 *   display     ok, after two displays, of which the first becomes another and the second goes
 *   save        ok, after save()
 *   adopt       "nothing to adopt": proc_adopt() in a session that is no earlier run's
 *   process     what cat(1) gave back, and the signal that ended it: "hello 15"
 *   timer       ok, when its timer has run out
 *   link        ok, when both channels of a driver link that nobody dials are closed
 *   extension   "none": the host has no extension of that name
 *   slow        nothing, until it is interrupted
 *   error, incomplete, lost, refuse     as they say
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
  uint64_t statement; /* that runs; 0: none */
  hearth_proc_h cat;
  char line[64]; /* that cat gave back */
  int channels;  /* that are open */
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
    if (err->capacity > 0) snprintf(err->message, err->capacity, "%s", why);
  }
  return code;
}

static void end(hearth_session* s, int32_t outcome, const char* bundle) {
  uint64_t statement = s->statement;
  s->statement = 0;
  s->host->stmt_done(s->host->ctx, s->handle, statement, outcome, text(bundle));
}

static void answer(hearth_session* s, const char* word) {
  char bundle[160];
  snprintf(bundle, sizeof bundle, "{\"text/plain\":\"%s\"}", word);
  end(s, HEARTH_DONE_OK, bundle);
}

static hearth_status create(const hearth_host* host, hearth_str config, hearth_instance** out,
                            hearth_error* err) {
  (void)config;
  *out = malloc(sizeof **out);
  if (*out == NULL) return fail(err, HEARTH_E_INTERNAL, "out of memory");
  (*out)->host = host;
  return HEARTH_OK;
}

static void destroy(hearth_instance* instance) {
  free(instance);
}

static hearth_status open_session(hearth_instance* instance, hearth_session_h handle,
                                  const hearth_open* args, hearth_session** out,
                                  hearth_error* err) {
  if (args->struct_size < sizeof *args) return fail(err, HEARTH_E_INVALID, "a short hearth_open");
  *out = calloc(1, sizeof **out);
  if (*out == NULL) return fail(err, HEARTH_E_INTERNAL, "out of memory");
  (*out)->host = instance->host;
  (*out)->handle = handle;
  return HEARTH_OK;
}

static hearth_status launch(hearth_session* s, hearth_error* err) {
  (void)err;
  s->host->session_state(s->host->ctx, s->handle, HEARTH_IDLE, text("{\"reason\":\"\"}"));
  return HEARTH_OK;
}

static void output(hearth_session* s) {
  const hearth_host* h = s->host;
  h->stmt_output(h->ctx, s->handle, s->statement, HEARTH_STDOUT, text("out\n"));
  h->stmt_output(h->ctx, s->handle, s->statement, HEARTH_STDERR, text("err\n"));
  h->stmt_progress(h->ctx, s->handle, s->statement, 0.5);
  h->log(h->ctx, s->handle, HEARTH_LOG_INFO, text("a line of ABI 1.0"));
  answer(s, "ok");
}

static void display(hearth_session* s) {
  const hearth_host* h = s->host;
  h->stmt_display(h->ctx, s->handle, s->statement, text("{\"text/plain\":\"first\"}"));
  h->stmt_display(h->ctx, s->handle, s->statement, text("{\"text/plain\":\"second\"}"));
  h->stmt_display_change(h->ctx, s->handle, s->statement, 0, text("{\"text/plain\":\"changed\"}"));
  h->stmt_display_change(h->ctx, s->handle, s->statement, 1, text("{}"));
  answer(s, "ok");
}

static hearth_status process(hearth_session* s, hearth_error* err) {
  const hearth_host* h = s->host;
  const hearth_str argv[] = {text("cat")}, env[] = {text("OF_ABI=1.0")};
  hearth_spawn what = {sizeof what, HEARTH_SPAWN_LINES, argv, 1, env, 1, {NULL, 0}};
  hearth_status status = h->spawn(h->ctx, s->handle, &what, &s->cat, err);
  return status != HEARTH_OK ? status : h->proc_write(h->ctx, s->cat, text("hello\n"), err);
}

static hearth_status driver_link(hearth_session* s, hearth_error* err) {
  const hearth_host* h = s->host;
  hearth_offer offer = {.struct_size = sizeof offer};
  hearth_chan_h joined = 0;
  hearth_status status = h->chan_offer(h->ctx, s->handle, text("{}"), &offer, err);
  if (status != HEARTH_OK) return status;
  status = h->chan_join(h->ctx, s->handle, text("{\"kind\":\"none\"}"), &joined, err);
  if (status != HEARTH_OK) return status;
  hearth_frame frame = {.type = 64, .statement = s->statement, .payload = text("{}")};
  status = h->chan_send(h->ctx, joined, &frame, err);
  if (status != HEARTH_OK) return status;
  s->channels = 2;
  h->chan_close(h->ctx, joined);
  h->chan_close(h->ctx, offer.channel);
  return HEARTH_OK;
}

static hearth_status execute(hearth_session* s, uint64_t statement, hearth_str code,
                             hearth_str options, hearth_error* err) {
  const hearth_host* h = s->host;
  hearth_status status = HEARTH_OK;
  (void)options;
  if (is(code, "refuse")) return fail(err, HEARTH_E_INVALID, "refused, as asked");
  s->statement = statement;
  if (is(code, "output")) {
    output(s);
  } else if (is(code, "display")) {
    display(s);
  } else if (is(code, "save")) {
    status = h->save(h->ctx, s->handle, text("a blob of ABI 1.0"), err);
    if (status == HEARTH_OK) answer(s, "ok");
  } else if (is(code, "adopt")) {
    hearth_proc_h none = 0;
    status = h->proc_adopt(h->ctx, s->handle, &none, err);
    if (status != HEARTH_E_STATE) return fail(err, HEARTH_E_INTERNAL, "adopted out of nothing");
    status = HEARTH_OK;
    answer(s, "nothing to adopt");
  } else if (is(code, "process")) {
    status = process(s, err);
  } else if (is(code, "timer")) {
    if (h->timer(h->ctx, s->handle, 1) == 0) return fail(err, HEARTH_E_LIMIT, "no timer");
  } else if (is(code, "link")) {
    status = driver_link(s, err);
  } else if (is(code, "extension")) {
    answer(s, h->extension(h->ctx, "hearth.none/1") == NULL ? "none" : "some");
  } else if (is(code, "error")) {
    end(s, HEARTH_DONE_ERROR, "{\"ename\":\"E\",\"evalue\":\"asked to\",\"traceback\":[\"t\"]}");
  } else if (is(code, "incomplete")) {
    end(s, HEARTH_DONE_INCOMPLETE, "{}");
  } else if (is(code, "lost")) {
    end(s, HEARTH_DONE_LOST, "{}");
    h->session_state(h->ctx, s->handle, HEARTH_DEAD, text("{\"reason\":\"asked to\"}"));
  } else if (!is(code, "slow")) {
    answer(s, "ok");
  }
  if (status != HEARTH_OK) s->statement = 0;
  return status;
}

static hearth_status resume(hearth_session* s, uint64_t statement, hearth_str code,
                            hearth_str options, hearth_error* err) {
  (void)code, (void)options, (void)err;
  s->statement = statement;
  end(s, HEARTH_DONE_ERROR, "{\"ename\":\"E\",\"evalue\":\"not kept\",\"traceback\":[]}");
  return HEARTH_OK;
}

static hearth_status interrupt(hearth_session* s, uint64_t statement, hearth_error* err) {
  (void)err;
  if (s->statement == statement) end(s, HEARTH_DONE_CANCELLED, "{}");
  return HEARTH_OK;
}

static hearth_status reply(hearth_session* s, uint64_t request, const char* json) {
  s->host->reply(s->host->ctx, s->handle, request, HEARTH_OK, text(json));
  return HEARTH_OK;
}

static hearth_status complete(hearth_session* s, uint64_t request, hearth_str code, uint64_t cursor,
                              hearth_error* err) {
  (void)code, (void)cursor, (void)err;
  return reply(s, request, "{\"candidates\":[\"output\",\"other\"]}");
}

static hearth_status inspect(hearth_session* s, uint64_t request, hearth_str code, uint64_t cursor,
                             int32_t detail, hearth_error* err) {
  (void)code, (void)cursor, (void)detail, (void)err;
  return reply(s, request, "{\"found\":true,\"data\":{\"text/plain\":\"a word\"}}");
}

static hearth_status export_driver(hearth_session* s, uint64_t request, hearth_error* err) {
  (void)err;
  return reply(s, request, "{\"of\":\"v1.0\"}");
}

static hearth_status shared_data(hearth_session* s, uint64_t request, hearth_error* err) {
  (void)err;
  return reply(s, request, "{\"items\":[{\"name\":\"n\",\"type\":\"t\"}]}");
}

static void close_session(hearth_session* s, int32_t mode) {
  (void)mode;
  s->host->session_state(s->host->ctx, s->handle, HEARTH_CLOSED, text(""));
}

static void release(hearth_session* s) {
  free(s);
}

static void on_proc_line(hearth_session* s, hearth_proc_h proc, int32_t stream, hearth_str line) {
  (void)stream;
  snprintf(s->line, sizeof s->line, "%.*s", (int)line.len, line.ptr);
  s->host->proc_signal(s->host->ctx, proc, 15, NULL);
}

static void on_proc_exit(hearth_session* s, hearth_proc_h proc, int32_t status, int32_t signo) {
  char said[96];
  (void)status;
  if (proc != s->cat || s->statement == 0) return;
  snprintf(said, sizeof said, "%s %d", s->line, (int)signo);
  answer(s, said);
}

static void on_chan_frame(hearth_session* s, hearth_chan_h chan, int32_t event,
                          const hearth_frame* frame) {
  (void)chan, (void)frame;
  if (event == HEARTH_CHAN_CLOSED && --s->channels == 0 && s->statement != 0) answer(s, "ok");
}

static void on_timer(hearth_session* s, uint64_t id) {
  (void)id;
  if (s->statement != 0) answer(s, "ok");
}

static const void* extension(const char* id) {
  (void)id;
  return NULL;
}

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static const hearth_plugin table = {
      .struct_size = sizeof table,
      .abi_minor = HEARTH_ABI_MINOR,
      .descriptor_json =
          "{\"id\":\"v1.0\",\"version\":\"1.0\",\"kinds\":[\"v1.0\"],"
          "\"mime\":[\"text/plain\"],"
          "\"config\":{\"unused\":{\"type\":\"integer\",\"default\":1}}}",
      .extension = extension,
      .create = create,
      .destroy = destroy,
      .open = open_session,
      .launch = launch,
      .execute = execute,
      .resume = resume,
      .interrupt = interrupt,
      .complete = complete,
      .inspect = inspect,
      .export_driver = export_driver,
      .shared_data = shared_data,
      .close = close_session,
      .release = release,
      .on_proc_line = on_proc_line,
      .on_proc_exit = on_proc_exit,
      .on_chan_frame = on_chan_frame,
      .on_timer = on_timer,
  };
  return &table;
}
