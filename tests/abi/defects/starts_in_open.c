/* Is idle before it was launched. */
#define ON_OPEN state(s, HEARTH_IDLE);
#include "healthy.h"
