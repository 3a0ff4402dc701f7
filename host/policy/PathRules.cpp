#include "policy/PathRules.h"

#include "policy/ConfKeys.h"
#include "policy/JavaOptions.h"
#include "policy/PathCheck.h"

namespace hearth::host {

void PathRules::check(const SparkRequest& request) const {
  PathCheck check(options_);
  if (!request.file.empty()) check.value("field file", PathShape::files, request.file);
  for (const auto& [place, list] :
       {std::pair{"field jars", &request.jars}, std::pair{"field pyFiles", &request.pyFiles},
        std::pair{"field files", &request.files}, std::pair{"field archives", &request.archives}})
    for (const std::string& item : *list) check.value(place, PathShape::files, item);
  if (!request.pythonPath.empty())
    check.value("field pythonPath", PathShape::words, request.pythonPath);

  const auto setting = [&](const std::string& key, const std::string& value) {
    PathShape shape = pathShape(key);
    for (const std::string& pattern : options_.keys)
      if (matchesKey(pattern, key)) shape = PathShape::files;
    check.value(key, shape, value);
    check.fileSystem(key, value);
  };
  for (const auto& [key, value] : request.conf) setting(key, value);
  for (const auto& property : request_keys::javaProperties(request))
    setting(property.key, property.value);
  for (const auto& [variable, value] : request.env)
    check.value("env " + variable,
                isJavaOptionsVariable(variable) ? PathShape::javaOptions : PathShape::environment,
                value);
}

}  // namespace hearth::host
