/* Is linked with a library that the host has in a version of its own (see CMakeLists.txt). */
#include "healthy.h"
