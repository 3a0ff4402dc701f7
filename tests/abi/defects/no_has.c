/* Takes a slot that a host may lack for granted. */
#define BEFORE_DONE s->host->stmt_progress(s->host->ctx, s->handle, statement, 1);
#include "healthy.h"
