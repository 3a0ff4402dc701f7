/* Never comes back. */
#include <unistd.h>
#define ON_EXECUTE \
  for (;;) pause();
#include "healthy.h"
