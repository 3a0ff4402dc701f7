/* Takes it for granted that a line is not empty. */
#define ON_LINE \
  if (line.len - 1 > line.len) abort();
#include "healthy.h"
