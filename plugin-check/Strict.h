// Strict lending, for as long as a check lasts.
#pragma once

#include "Lent.h"
#include "Verdict.h"

namespace hearth::check {

/// While it lives, what is used after its call, or beyond its end, ends the process with that as
/// its verdict.
class Strict {
 public:
  Strict() {
    Lent::strict(true);
    Lent::watch([](const char* what) { endWithFailure(what); });
  }
  ~Strict() { Lent::strict(false); }
  Strict(const Strict&) = delete;
  Strict& operator=(const Strict&) = delete;
};

}  // namespace hearth::check
