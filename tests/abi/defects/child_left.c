/* Starts a process past the host, and forgets it. */
#include <unistd.h>
#define ON_OPEN                                    \
  if (fork() == 0) {                               \
    execlp("sleep", "sleep", "1000", (char*)NULL); \
    _exit(1);                                      \
  }
#include "healthy.h"
