/* Changes the rights of all files that the process will make. */
#include <sys/stat.h>
#define ON_CREATE umask(0);
#include "healthy.h"
