/* Opens a file and forgets it. */
#include <fcntl.h>
#define ON_OPEN \
  if (open("/dev/null", O_RDONLY) < 0) abort();
#include "healthy.h"
