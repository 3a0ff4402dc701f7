/* Takes it for granted that somebody wants to know why. */
#define FAIL(err, status, why) ((err)->code = (status), fail(err, status, why))
#include "healthy.h"
