/* Moves the whole process elsewhere. */
#include <unistd.h>
#define ON_CREATE \
  if (chdir("/") != 0) abort();
#include "healthy.h"
