/* Cannot do without a blob. */
#define ON_LAUNCH                                                           \
  if (HEARTH_HAS(s->host, save) &&                                          \
      s->host->save(s->host->ctx, s->handle, text("b"), NULL) != HEARTH_OK) \
    abort();
#include "healthy.h"
