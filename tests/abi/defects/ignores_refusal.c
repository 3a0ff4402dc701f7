/* Says that it was launched where nothing was, and never speaks of it again. */
#define SPAWNED return HEARTH_OK;
#include "healthy.h"
