/* Is asked to stop, and does not. */
#define ON_INTERRUPT return HEARTH_OK;
#include "healthy.h"
