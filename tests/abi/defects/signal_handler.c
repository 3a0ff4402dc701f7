/* Takes SIGTERM from the host. */
#define ON_CREATE signal(SIGTERM, SIG_IGN);
#include "healthy.h"
