/* Has a thread that speaks of the session when that is gone. */
#include <pthread.h>
#include <unistd.h>
#define TOP                                  \
  static void* later(void* of) {             \
    hearth_session* s = (hearth_session*)of; \
    usleep(100000);                          \
    state(s, HEARTH_DEAD);                   \
    return NULL;                             \
  }
#define ON_RELEASE                         \
  pthread_t thread;                        \
  pthread_create(&thread, NULL, later, s); \
  pthread_detach(thread);                  \
  return;
#include "healthy.h"
