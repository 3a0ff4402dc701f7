/* Nothing is wrong with it. */
#include "healthy.h"
