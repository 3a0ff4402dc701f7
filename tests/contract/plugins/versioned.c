/*
 * A plugin that is replaced, disabled and removed while it serves. Built with VERSION, ID and KINDS
 * (a JSON array). Statements answer the version, but `hang` never ends; a session is saved for the
 * next run of the host. In its configuration
 *
 *   gate   a file: create() waits until it is there
 *   hold   a file: destroy() waits until it is there
 *   fail   a file: create() fails while it is there
 *   trace  a file that gets a line for each create and destroy
 */
#include <hearth/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct hearth_instance {
  const hearth_host* host;
  char trace[256];
  char hold[256];
};

struct hearth_session {
  const hearth_host* host;
  hearth_session_h handle;
};

static hearth_str text(const char* literal) {
  hearth_str s = {literal, strlen(literal)};
  return s;
}

/* The text of a key in flat JSON, or an empty one. */
static void find(hearth_str json, const char* key, char out[256]) {
  char all[4096], quoted[64];
  snprintf(all, sizeof all, "%.*s", (int)json.len, json.ptr);
  snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
  out[0] = '\0';
  const char* found = strstr(all, quoted);
  if (found != NULL) sscanf(found + strlen(quoted), "%255[^\"]", out);
}

static void trace(const char* file, const char* what) {
  FILE* out = file[0] == '\0' ? NULL : fopen(file, "a");
  if (out == NULL) return;
  fprintf(out, "%s %s\n", what, VERSION);
  fclose(out);
}

static void wait_for(const char* file) {
  while (file[0] != '\0' && access(file, F_OK) != 0) usleep(10000);
}

static hearth_status create(const hearth_host* host, hearth_str config, hearth_instance** out,
                            hearth_error* err) {
  char gate[256], failing[256];
  find(config, "gate", gate);
  find(config, "fail", failing);
  *out = calloc(1, sizeof **out);
  (*out)->host = host;
  find(config, "trace", (*out)->trace);
  find(config, "hold", (*out)->hold);
  trace((*out)->trace, "create");
  wait_for(gate);
  if (failing[0] != '\0' && access(failing, F_OK) == 0) {
    snprintf(err->message, err->capacity, "asked to fail");
    free(*out);
    return HEARTH_E_INVALID;
  }
  return HEARTH_OK;
}

static void destroy(hearth_instance* instance) {
  wait_for(instance->hold);
  trace(instance->trace, "destroy");
  free(instance);
}

static hearth_status open_session(hearth_instance* instance, hearth_session_h handle,
                                  const hearth_open* args, hearth_session** out,
                                  hearth_error* err) {
  (void)args, (void)err;
  *out = calloc(1, sizeof **out);
  (*out)->host = instance->host;
  (*out)->handle = handle;
  return HEARTH_OK;
}

static hearth_status launch(hearth_session* s, hearth_error* err) {
  (void)err;
  s->host->save(s->host->ctx, s->handle, text("kept"), NULL);
  s->host->session_state(s->host->ctx, s->handle, HEARTH_IDLE, text(""));
  return HEARTH_OK;
}

static hearth_status execute(hearth_session* s, uint64_t statement, hearth_str code,
                             hearth_str options, hearth_error* err) {
  (void)options, (void)err;
  if (code.len == 4 && memcmp(code.ptr, "hang", 4) == 0) return HEARTH_OK;
  s->host->stmt_done(s->host->ctx, s->handle, statement, HEARTH_DONE_OK,
                     text("{\"text/plain\":\"" VERSION "\"}"));
  return HEARTH_OK;
}

static void close_session(hearth_session* s, int32_t mode) {
  (void)mode;
  s->host->session_state(s->host->ctx, s->handle, HEARTH_CLOSED, text(""));
}

static void release(hearth_session* s) {
  free(s);
}

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static const hearth_plugin table = {
      .struct_size = sizeof(hearth_plugin),
      .abi_minor = HEARTH_ABI_MINOR,
      .descriptor_json =
          "{\"id\":\"" ID "\",\"version\":\"" VERSION "\",\"kinds\":" KINDS
          ",\"config\":{\"gate\":{\"type\":\"string\"},\"fail\":{\"type\":\"string\"},"
          "\"hold\":{\"type\":\"string\"},\"trace\":{\"type\":\"string\"}}}",
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
