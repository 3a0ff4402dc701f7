/* Writes into an error when its call is long over. */
#define TOP static hearth_error* kept;
#define ON_EXECUTE                          \
  if (kept != NULL) kept->code = HEARTH_OK; \
  kept = err;
#include "healthy.h"
