#include <catch2/catch.hpp>

#include "session/CacheBudget.h"

using hearth::host::CacheBudget;

TEST_CASE("what sessions keep in memory is counted together, and given back with each",
          "[session]") {
  CacheBudget budget(100);
  CacheBudget::Share first(&budget);
  first.add(60);
  CHECK_FALSE(budget.isOver());
  {
    CacheBudget::Share second(&budget);
    second.add(50);
    CHECK(budget.isOver());
    CHECK(first.budgetIsOver());
    second.remove(20);
    CHECK(budget.used() == 90);
    CHECK_FALSE(budget.isOver());
  }
  CHECK(budget.used() == 60);
  first.remove(1000);
  CHECK(budget.used() == 0);
  CacheBudget::Share alone(nullptr);
  alone.add(1000);
  CHECK_FALSE(alone.budgetIsOver());
}
