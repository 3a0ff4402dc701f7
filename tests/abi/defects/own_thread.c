/* Asks for a timer on a thread of its own. */
#include <pthread.h>
#define TOP                                        \
  static void* timer_of(void* of) {                \
    hearth_session* s = (hearth_session*)of;       \
    s->host->timer(s->host->ctx, s->handle, 1000); \
    return NULL;                                   \
  }
#define ON_EXECUTE                            \
  pthread_t thread;                           \
  pthread_create(&thread, NULL, timer_of, s); \
  pthread_join(thread, NULL);
#include "healthy.h"
