/* One plugin in several versions, all under one file name and one SONAME. */
#include "../broken/broken.h"

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static const hearth_plugin table =
      GOOD_TABLE("{\"id\":\"versioned\",\"version\":\"" VERSION "\",\"kinds\":[\"versioned\"]}");
  return &table;
}
