/* Has the whole process speak another language. */
#include <locale.h>
#define ON_CREATE setlocale(LC_ALL, "C.UTF-8");
#include "healthy.h"
