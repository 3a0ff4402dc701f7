/* Takes the type of a frame for an index. */
#define TOP static int* const kinds[4];
#define ON_FRAME \
  if (frame != NULL && *kinds[frame->type % 4] == 1) abort();
#include "healthy.h"
