/* Calls what is nowhere. */
#define TOP int hearth_defect_nowhere(void);
#define ON_CREATE hearth_defect_nowhere();
#include "healthy.h"
