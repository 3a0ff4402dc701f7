/* Cannot execute. */
#include "broken.h"

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static hearth_plugin table = GOOD_TABLE("{\"id\":\"b\",\"version\":\"1\",\"kinds\":[\"b\"]}");
  table.execute = NULL;
  return &table;
}
