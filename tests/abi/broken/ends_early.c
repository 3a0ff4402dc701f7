/* A table that ends before a required slot, whatever stands behind its end. */
#include "broken.h"

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static hearth_plugin table = GOOD_TABLE("{\"id\":\"b\",\"version\":\"1\",\"kinds\":[\"b\"]}");
  table.struct_size = offsetof(hearth_plugin, release);
  return &table;
}
