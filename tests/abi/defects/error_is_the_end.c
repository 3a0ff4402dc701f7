/* Takes no statement after one that failed. */
#define TOP static int failed;
#define ON_EXECUTE                                               \
  if (failed) return FAIL(err, HEARTH_E_STATE, "it has failed"); \
  failed = first == 'f';
#include "healthy.h"
