/* Says nothing of its kinds. */
#define DESCRIPTOR "{\"id\":\"healthy\",\"version\":\"1\"}"
#include "healthy.h"
