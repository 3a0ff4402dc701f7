/* Thinks that the host's table has more than the first release had. */
#define ON_LAUNCH \
  if (((void (*const*)(void))(s->host + 1))[0] != NULL) state(s, HEARTH_WAITING);
#include "healthy.h"
