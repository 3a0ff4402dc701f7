// Lets an exception out.
#define ON_EXECUTE \
  if (first == 'p') throw 1;
#include "healthy.h"
