/* Answers with a text where an object is needed. */
#define BUNDLE "fine"
#include "healthy.h"
