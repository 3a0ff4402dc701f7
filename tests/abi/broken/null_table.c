/* Has nothing to show. */
#include <hearth/plugin.h>

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  return NULL;
}
