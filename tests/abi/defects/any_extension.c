/* Has every extension. */
#define TOP                                      \
  static const void* extension(const char* id) { \
    return id;                                   \
  }
#define TABLE table.extension = extension;
#include "healthy.h"
