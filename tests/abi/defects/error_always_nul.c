/* Ends the text of an error that has no room for one. */
#define FAIL(err, status, why) \
  ((err) != NULL ? (void)((err)->message[0] = '\0') : (void)0, fail(err, status, why))
#include "healthy.h"
