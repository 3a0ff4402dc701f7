/* Takes code that is not whole for whole. */
#define ON_EXECUTE \
  if (code.len == 4 && last == 't') return done(s, statement, HEARTH_DONE_OK, BUNDLE), HEARTH_OK;
#include "healthy.h"
