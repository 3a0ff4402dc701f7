/* Does not notice that its process is gone. */
#define ON_EXIT \
  if (!s->closing) return;
#include "healthy.h"
