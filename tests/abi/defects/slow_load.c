/* Works before it is asked to. */
#include <time.h>
#define TOP                                              \
  __attribute__((constructor)) static void begin(void) { \
    while (clock() < CLOCKS_PER_SEC / 2) {               \
    }                                                    \
  }
#include "healthy.h"
