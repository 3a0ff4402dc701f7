/* Has no release. */
#define TABLE table.release = NULL;
#include "healthy.h"
