/* Needs a library that is not there when it is loaded. */
#include "broken.h"

int gone(void);

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static hearth_plugin table = GOOD_TABLE("{\"id\":\"b\",\"version\":\"1\",\"kinds\":[\"b\"]}");
  table.abi_minor = (uint32_t)gone();
  return &table;
}
