// What was found, for people and for machines.
#pragma once

#include <boost/json/array.hpp>
#include <chrono>
#include <ostream>
#include <string>

#include "Check.h"

namespace hearth::check {

/// Takes results as they come. As text it writes at once, as JSON at the end.
class Report {
 public:
  Report(std::ostream& out, bool json) : out_(out), json_(json) {}

  void begin(const Subject& subject);
  void add(const Check& check, const Result& result, std::chrono::milliseconds took);
  void end();     ///< of this plugin
  void finish();  ///< of all
  /// Whether a check has failed, crashed or timed out.
  bool bad() const { return bad_; }

  static void list(std::ostream& out, bool json);

 private:
  std::ostream& out_;
  bool json_;
  bool bad_ = false;
  std::string group_;
  int counts_[5] = {};
  boost::json::array plugins_;
};

}  // namespace hearth::check
