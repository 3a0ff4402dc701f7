// hearth: see app/CommandLine.h for its subcommands.
#include <malloc.h>

#include "app/CommandLine.h"

int main(int argc, char** argv) {
  // glibc raises this bound to the size of what was freed last, up to 32 MiB: large results would
  // then come from the arenas and stay in them. A fixed one gives them back to the system at once.
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  return hearth::host::runCommandLine(argc, argv);
}
