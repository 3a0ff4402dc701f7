/* Takes the session opened last for the only one. */
#define TOP static hearth_session* only;
#define ON_OPEN only = s;
#define ON_EXECUTE s = only;
#include "healthy.h"
