/* Saves, and does not know what when it is opened with it. */
#define ON_LAUNCH \
  if (HEARTH_HAS(s->host, save)) s->host->save(s->host->ctx, s->handle, text("b"), NULL);
#define ON_OPEN \
  if (args->recovery_blob.len > 0) return free(s), FAIL(err, HEARTH_E_INVALID, "what is this?");
#include "healthy.h"
