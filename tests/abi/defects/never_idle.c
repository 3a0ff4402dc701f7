/* Never says that it is ready. */
#define ON_LAUNCH return HEARTH_OK;
#include "healthy.h"
