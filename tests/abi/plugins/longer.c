/* A plugin of a newer header: more slots than this host knows, and a newer minor. */
#include "../broken/broken.h"

struct newer_plugin {
  hearth_plugin base;
  void (*not_yet_invented)(void);
  void (*nor_this)(void);
};

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static struct newer_plugin table = {
      .base = GOOD_TABLE("{\"id\":\"longer\",\"version\":\"1\",\"kinds\":[\"longer\"],"
                         "\"not_yet_invented\":{\"a\":1}}")};
  table.base.struct_size = sizeof table;
  table.base.abi_minor = 7;
  table.not_yet_invented = (void (*)(void))(uintptr_t)0xDEAD;
  return &table.base;
}
