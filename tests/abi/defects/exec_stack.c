/* Asks for an executable stack (see CMakeLists.txt). */
#include "healthy.h"
