/* A shared object that is something else. */
#include <hearth/plugin.h>

HEARTH_EXPORT int some_other_symbol(void);
HEARTH_EXPORT int some_other_symbol(void) {
  return 1;
}
