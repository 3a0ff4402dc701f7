/* Offers nothing. */
#include "broken.h"

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static const hearth_plugin table = GOOD_TABLE("{\"id\":\"b\",\"version\":\"1\"}");
  return &table;
}
