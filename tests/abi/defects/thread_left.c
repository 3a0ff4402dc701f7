/* Starts a thread and forgets it. */
#include <pthread.h>
#include <unistd.h>
#define TOP                                \
  static void* wait_for_ever(void* none) { \
    for (;;) pause();                      \
    return none;                           \
  }
#define ON_OPEN     \
  pthread_t thread; \
  pthread_create(&thread, NULL, wait_for_ever, NULL);
#include "healthy.h"
