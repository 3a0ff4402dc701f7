/* Nobody has filled in the size. */
#define TABLE table.struct_size = 3;
#include "healthy.h"
