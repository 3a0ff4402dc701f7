/* Ends each statement twice. */
#define AFTER_DONE s->host->stmt_done(s->host->ctx, s->handle, statement, outcome, text(bundle));
#include "healthy.h"
