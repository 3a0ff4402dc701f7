/* Does not say why. */
#define FAIL(err, status, why) ((void)(err), status)
#include "healthy.h"
