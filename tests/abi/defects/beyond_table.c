/* Calls the slot behind the last that its header knows, wherever one is. */
#define ON_LAUNCH \
  if (s->host->struct_size > sizeof(hearth_host)) ((void (**)(void))(s->host + 1))[0]();
#include "healthy.h"
