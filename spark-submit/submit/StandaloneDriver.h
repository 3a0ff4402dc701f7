// What a driver in a standalone cluster needs to be told.
#pragma once

#include "submit/Properties.h"

namespace hearth::submit {

/// Makes the properties fit for deploy mode cluster on a standalone cluster: with the options that
/// Spark needs of newer Javas, which it gives to the drivers that it starts itself, but not to
/// these; and without waiting at the submission's end, since the cluster is asked what comes of it.
void addStandaloneDriver(Properties& properties);

}  // namespace hearth::submit
