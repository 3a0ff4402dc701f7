/*
 * The kind "@NAME@", on the bare tables of hearth/plugin.h: answers every statement with its own
 * text, and "fail" with an error. Put your interpreter into execute(): what takes long belongs into
 * a process (hearth_host.spawn), whose lines and end come as events (on_proc_line, on_proc_exit).
 */
#include <hearth/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One plugin with one configuration. */
struct hearth_instance {
  const hearth_host* host; /* lives until destroy */
};

/* One interpreter of a session. Its calls come one at a time. */
struct hearth_session {
  const hearth_host* host;
  hearth_session_h handle;
};

static hearth_str text(const char* literal) {
  hearth_str s = {literal, strlen(literal)};
  return s;
}

static hearth_status fail(hearth_error* err, hearth_status code, const char* why) {
  if (err != NULL) {
    err->code = code;
    if (err->capacity > 0) snprintf(err->message, err->capacity, "%s", why);
  }
  return code;
}

/* {"text/plain": code}, from malloc; NULL when memory is out. */
static char* bundle(hearth_str code) {
  static const char head[] = "{\"text/plain\":\"";
  if (code.len > SIZE_MAX / 8) return NULL;
  char* json = malloc(sizeof head + 6 * code.len + 3);
  if (json == NULL) return NULL;
  memcpy(json, head, sizeof head - 1);
  char* out = json + sizeof head - 1;
  for (size_t i = 0; i < code.len; ++i) {
    const unsigned char c = (unsigned char)code.ptr[i];
    if (c < 0x20) {
      out += sprintf(out, "\\u%04x", (unsigned)c);
    } else {
      if (c == '"' || c == '\\') *out++ = '\\';
      *out++ = (char)c;
    }
  }
  memcpy(out, "\"}", 3);
  return json;
}

static hearth_status create(const hearth_host* host, hearth_str config, hearth_instance** out,
                            hearth_error* err) {
  (void)config; /* JSON: the keys of the descriptor's "config", and "plugin_dir" */
  *out = malloc(sizeof **out);
  if (*out == NULL) return fail(err, HEARTH_E_INTERNAL, "out of memory");
  (*out)->host = host;
  return HEARTH_OK;
}

static void destroy(hearth_instance* instance) {
  free(instance);
}

/* Checks the options and starts nothing; HEARTH_E_INVALID and its text go to the client. */
static hearth_status open_session(hearth_instance* instance, hearth_session_h handle,
                                  const hearth_open* args, hearth_session** out,
                                  hearth_error* err) {
  (void)args; /* borrowed: copy what is to be kept */
  *out = malloc(sizeof **out);
  if (*out == NULL) return fail(err, HEARTH_E_INTERNAL, "out of memory");
  (*out)->host = instance->host;
  (*out)->handle = handle;
  return HEARTH_OK;
}

static hearth_status launch(hearth_session* s, hearth_error* err) {
  (void)err;
  s->host->session_state(s->host->ctx, s->handle, HEARTH_IDLE, text(""));
  return HEARTH_OK;
}

/* HEARTH_OK: taken, and exactly one stmt_done() follows, now or later. */
static hearth_status execute(hearth_session* s, uint64_t statement, hearth_str code,
                             hearth_str options, hearth_error* err) {
  const hearth_host* h = s->host;
  (void)options;
  if (code.len == 4 && memcmp(code.ptr, "fail", 4) == 0) {
    h->stmt_done(h->ctx, s->handle, statement, HEARTH_DONE_ERROR,
                 text("{\"ename\":\"Failure\",\"evalue\":\"asked to fail\",\"traceback\":[]}"));
    return HEARTH_OK;
  }
  char* answer = bundle(code);
  if (answer == NULL) return fail(err, HEARTH_E_INTERNAL, "out of memory");
  h->stmt_done(h->ctx, s->handle, statement, HEARTH_DONE_OK, text(answer));
  free(answer);
  return HEARTH_OK;
}

static void close_session(hearth_session* s, int32_t mode) {
  (void)mode; /* HEARTH_CLOSE_GRACEFUL, _KILL or _DETACH */
  s->host->session_state(s->host->ctx, s->handle, HEARTH_CLOSED, text(""));
}

static void release(hearth_session* s) {
  free(s);
}

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static const hearth_plugin table = {
      .struct_size = sizeof table,
      .abi_minor = HEARTH_ABI_MINOR,
      .descriptor_json =
          "{\"id\":\"@NAME@\",\"version\":\"0.1.0\",\"kinds\":[\"@NAME@\"],"
          "\"mime\":[\"text/plain\"]}",
      .create = create,
      .destroy = destroy,
      .open = open_session,
      .launch = launch,
      .execute = execute,
      .close = close_session,
      .release = release,
  };
  return &table;
}
