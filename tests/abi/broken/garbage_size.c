/* A table whose size nobody filled in. */
#include "broken.h"

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static hearth_plugin table = GOOD_TABLE("{\"id\":\"b\",\"version\":\"1\",\"kinds\":[\"b\"]}");
  table.struct_size = 0xA5A5A5A5u;
  return &table;
}
