/* Can be created once. */
#define TOP static int created;
#define ON_CREATE \
  if (created++ > 0) return FAIL(err, HEARTH_E_STATE, "once is enough");
#include "healthy.h"
