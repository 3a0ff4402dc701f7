/* A plugin of an older header: its table ends where the events begin, and what stands behind it in
 * memory is none of the host's business. */
#include "../broken/broken.h"

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static hearth_plugin table =
      GOOD_TABLE("{\"id\":\"shorter\",\"version\":\"1\",\"kinds\":[\"shorter\"]}");
  table.struct_size = offsetof(hearth_plugin, on_proc_line);
  table.on_timer = (void (*)(hearth_session*, uint64_t))(uintptr_t)0xDEAD;
  return &table;
}
