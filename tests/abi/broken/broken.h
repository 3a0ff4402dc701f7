/* A plugin that does nothing, correctly. Each file here includes it and breaks one thing. */
#include <hearth/plugin.h>

static int instance, session; /* only their addresses matter */

static inline hearth_status create(const hearth_host* host, hearth_str config,
                                   hearth_instance** out, hearth_error* err) {
  (void)host, (void)config, (void)err;
  *out = (hearth_instance*)&instance;
  return HEARTH_OK;
}
static inline void destroy(hearth_instance* i) {
  (void)i;
}
static inline hearth_status open_(hearth_instance* i, hearth_session_h h, const hearth_open* args,
                                  hearth_session** out, hearth_error* err) {
  (void)i, (void)h, (void)args, (void)err;
  *out = (hearth_session*)&session;
  return HEARTH_OK;
}
static inline hearth_status launch(hearth_session* s, hearth_error* err) {
  (void)s, (void)err;
  return HEARTH_OK;
}
static inline hearth_status execute(hearth_session* s, uint64_t statement, hearth_str code,
                                    hearth_str options, hearth_error* err) {
  (void)s, (void)statement, (void)code, (void)options, (void)err;
  return HEARTH_OK;
}
static inline void close_(hearth_session* s, int32_t mode) {
  (void)s, (void)mode;
}
static inline void release(hearth_session* s) {
  (void)s;
}

#define GOOD_TABLE(descriptor)                                                                \
  {                                                                                           \
    .struct_size = sizeof(hearth_plugin), .descriptor_json = descriptor, .create = create,    \
    .destroy = destroy, .open = open_, .launch = launch, .execute = execute, .close = close_, \
    .release = release                                                                        \
  }
