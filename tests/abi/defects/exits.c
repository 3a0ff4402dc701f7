/* Ends the whole process. */
#define ON_EXECUTE exit(0);
#include "healthy.h"
