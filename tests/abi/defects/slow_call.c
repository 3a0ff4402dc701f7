/* Sleeps in a call. */
#include <unistd.h>
#define ON_EXECUTE usleep(300000);
#include "healthy.h"
