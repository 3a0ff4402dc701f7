/* Follows a null pointer. */
#define ON_EXECUTE *(volatile char*)(NULL) = first;
#include "healthy.h"
