/* Has an address in its code that is only known when it is loaded (see CMakeLists.txt). */
__asm__(".text\n.quad environ\n");
#include "healthy.h"
