/* The library that missing_dependency needs. */
#include <hearth/plugin.h>

HEARTH_EXPORT int gone(void);
HEARTH_EXPORT int gone(void) {
  return 0;
}
