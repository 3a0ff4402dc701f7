#include "ROpening.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <hearth/plugin.hpp>
#include <utility>

#include "JsonOptions.h"
#include "WorkerFiles.h"

namespace hearth::sparkr {

namespace json = boost::json;

ROpening::ROpening(std::string_view configJson) {
  const json::object config = spark::parseObject(configJson, "the configuration");
  const std::string named = spark::textIn(config, "r");
  r_ = named.empty() ? std::string("R") : named;
  const json::value* plain = config.if_contains("allow_plain_r");
  plain_ = plain != nullptr && plain->is_bool() && plain->get_bool();
  files_ = spark::readWorkerFiles(spark::textIn(config, "plugin_dir") + "/repl", ".R", "worker.R",
                                  "the R worker");
}

std::string ROpening::json(std::string_view optionsJson) const {
  const json::object conf = spark::confOf(optionsJson);
  const std::string command = spark::textIn(conf, "spark.r.shell.command");
  const std::string asked = spark::textIn(conf, "spark.hearth.r.plain");
  if (!asked.empty() && asked != "true" && asked != "false")
    throw Error(HEARTH_E_INVALID, "spark.hearth.r.plain is neither true nor false");
  const bool plain = asked.empty() ? plain_ : asked == "true";

  json::object variables = spark::workerEnvironment(conf);
  if (plain) variables["HEARTH_R_PLAIN"] = "1";
  json::object opening;
  opening["argv"] =
      json::array{command.empty() ? r_ : command, "--no-echo", "--no-restore", "--no-save",
                  "--file={dir}/worker.R",        "--args",    "{dir}"};
  opening["env"] = std::move(variables);
  opening["attach"] = "sparkr";
  opening["interrupt"] = "signal";
  opening["files"] = files_;
  return json::serialize(opening);
}

}  // namespace hearth::sparkr
