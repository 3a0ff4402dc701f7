/* Shows a function of its own to everybody. */
#define TOP                                 \
  HEARTH_EXPORT int healthy_helper(int n);  \
  HEARTH_EXPORT int healthy_helper(int n) { \
    return n;                               \
  }
#include "healthy.h"
