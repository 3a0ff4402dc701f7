/* Takes each error's buffer for large enough. */
#define FAIL(err, status, why) ((err) != NULL ? (void)strcpy((err)->message, why) : (void)0, status)
#include "healthy.h"
