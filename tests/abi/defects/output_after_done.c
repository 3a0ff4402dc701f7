/* Prints when the statement is over. */
#define AFTER_DONE print(s, statement);
#include "healthy.h"
