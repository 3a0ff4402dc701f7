/* Answers a completion with something else. */
#define CANDIDATES "{\"words\":[\"healthy\"]}"
#include "healthy.h"
