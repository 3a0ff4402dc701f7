// hearth: see app/CommandLine.h for its subcommands.
#include "app/CommandLine.h"

int main(int argc, char** argv) { return hearth::host::runCommandLine(argc, argv); }
