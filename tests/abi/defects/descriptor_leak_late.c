/* Forgets a file for each statement. */
#include <fcntl.h>
#define ON_EXECUTE \
  if (open("/dev/null", O_RDONLY) < 0) abort();
#include "healthy.h"
