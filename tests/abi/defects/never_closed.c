/* Never says that it is closed. */
#define ON_CLOSE return;
#include "healthy.h"
