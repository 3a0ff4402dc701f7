/* Lets its statement be lost again and again. */
#define ON_FRAME                 \
  if (event == HEARTH_CHAN_DOWN) \
    s->host->stmt_done(s->host->ctx, s->handle, 1, HEARTH_DONE_LOST, text("{}"));
#include "healthy.h"
