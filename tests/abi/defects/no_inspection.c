/* Answers an inspection with something else. */
#define INSPECTION "{}"
#include "healthy.h"
