/* Takes statements and ends none. */
#define BEFORE_DONE return;
#include "healthy.h"
