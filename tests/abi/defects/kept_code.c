/* Keeps the code of a statement, and looks at it when the next one comes. */
#define TOP static const char* kept;
#define ON_EXECUTE                         \
  if (kept != NULL && *kept == 1) abort(); \
  kept = code.ptr;
#include "healthy.h"
