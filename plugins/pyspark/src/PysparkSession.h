// The follower of Spark sessions for Python.
#pragma once

#include <hearth/plugin.hpp>
#include <string>
#include <utility>

#include "FollowerSession.h"
#include "WorkerOpening.h"

namespace hearth::pyspark {

/// The plugin with one configuration.
class PysparkInstance final : public Instance {
 public:
  PysparkInstance(Host host, std::string config)
      : Instance(host, std::move(config)), opening_(this->config()) {}
  const WorkerOpening& opening() const noexcept { return opening_; }

 private:
  WorkerOpening opening_;
};

/// One Python worker, which the session's driver starts beside itself.
class PysparkSession final : public spark::FollowerSession {
 public:
  PysparkSession(PysparkInstance& instance, Host host, hearth_session_h handle,
                 const hearth_open& open, const std::string& config)
      : FollowerSession(host, handle, open, config, "the Python worker",
                        instance.opening().json(std::string(view(open.options_json)))) {}
};

}  // namespace hearth::pyspark
