/* Refuses a statement, and ends it too. */
#define ON_EXECUTE \
  if (first == 'r') done(s, statement, HEARTH_DONE_ERROR, "{}");
#include "healthy.h"
