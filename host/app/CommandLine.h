// The subcommands of the program: serve, config, plugin new, add, check and list.
#pragma once

namespace hearth::host {

/// Runs the command named by the arguments; returns the exit status: 0 done, 1 failed, 2 wrong usage.
/// Says what is wrong on stderr.
int runCommandLine(int argc, char** argv);

}  // namespace hearth::host
