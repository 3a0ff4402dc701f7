/* Makes a table for each that asks. */
#define TABLE return (hearth_plugin*)memcpy(malloc(sizeof table), &table, sizeof table);
#include "healthy.h"
