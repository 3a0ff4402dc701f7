/* A table that ends before its descriptor. */
#include "broken.h"

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static hearth_plugin table = GOOD_TABLE("{\"id\":\"b\",\"version\":\"1\",\"kinds\":[\"b\"]}");
  table.struct_size = offsetof(hearth_plugin, descriptor_json);
  return &table;
}
