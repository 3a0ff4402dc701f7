// What stands behind a plugin's process and channel handles. Private to Interpreter and PluginHost.
#pragma once

#include <memory>

#include "plugin/Interpreter.h"

namespace hearth::host {

struct Interpreter::Proc {
  std::weak_ptr<Interpreter> interpreter;
  std::shared_ptr<Process> process;
};

struct Interpreter::Chan {
  std::weak_ptr<Interpreter> interpreter;
  std::shared_ptr<DriverLink> link;
  std::uint16_t number = 0;
};

}  // namespace hearth::host
