/* Leaves a file. */
#define ON_OPEN                                                                 \
  char name[512] = "";                                                          \
  strncat(strcat(strncpy(name, getenv("TMPDIR"), 400), "/"), "leftXXXXXX", 50); \
  close(mkstemp(name));
#include <unistd.h>

#include "healthy.h"
