// What the OPEN frames of workers have in common (doc/link.md, "Workers").
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace hearth::spark {

/// The files of `folder` that end in `extension`, name to text, as OPEN carries them. Throws Error
/// where one cannot be read, or `main` is not among them; then `what` is not installed.
boost::json::object readWorkerFiles(const std::string& folder, std::string_view extension,
                                    const char* main, const char* what);

/// A session's own variables for its workers: conf spark.hearth.env.NAME becomes NAME.
boost::json::object workerEnvironment(const boost::json::object& conf);

}  // namespace hearth::spark
