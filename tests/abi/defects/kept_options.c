/* Keeps what it was opened with. */
#define TOP static hearth_open kept;
#define ON_OPEN kept = *args;
#define ON_LAUNCH \
  if (kept.options_json.ptr[0] == 1) abort();
#include "healthy.h"
