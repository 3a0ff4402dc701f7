/* Takes each timer for that of the statement. */
#define OWN_TIMER(id) ((id) != 0)
#include "healthy.h"
