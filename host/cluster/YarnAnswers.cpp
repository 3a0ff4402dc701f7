#include "cluster/YarnAnswers.h"

#include <sstream>

#include "cluster/JsonFields.h"
#include "support/Utf8.h"

namespace hearth::host {

namespace {

using State = ApplicationReport::State;

// Diagnostics can hold the stack traces of each attempt.
constexpr std::size_t diagnosticsKept = 16u << 10;

struct Mapping {
  std::string_view state;
  std::string_view finalStatus;  // empty: any
  State means;
};
constexpr Mapping mappings[] = {
    {"NEW", "", State::starting},
    {"NEW_SAVING", "", State::starting},
    {"SUBMITTED", "", State::starting},
    {"ACCEPTED", "", State::starting},
    {"RUNNING", "UNDEFINED", State::running},
    {"RUNNING", "SUCCEEDED", State::running},
    {"FINISHED", "SUCCEEDED", State::finished},
    {"FAILED", "FAILED", State::failed},
    {"KILLED", "KILLED", State::killed},
};

SeenApplication read(const json::object& app) {
  SeenApplication seen;
  seen.started = numberOf(app, "startedTime");
  std::istringstream tags(textOf(app, "applicationTags"));
  for (std::string tag; std::getline(tags, tag, ',');) seen.tags.push_back(tag);
  ApplicationReport& report = seen.report;
  report.applicationId = textOf(app, "id");
  report.state = yarnState(textOf(app, "state"), textOf(app, "finalStatus"));
  report.driverLogUrl = textOf(app, "amContainerLogs");
  // UNASSIGNED until the application master has one; afterwards, for an application that never
  // told one, the ResourceManager's own page about it.
  report.sparkUiUrl = textOf(app, "trackingUI") == "UNASSIGNED" ? "" : textOf(app, "trackingUrl");
  report.diagnostics = textOf(app, "diagnostics");
  report.diagnostics.resize(utf8Prefix(report.diagnostics, diagnosticsKept));
  return seen;
}

}  // namespace

ApplicationReport::State yarnState(std::string_view state, std::string_view finalStatus) {
  for (const Mapping& mapping : mappings)
    if (mapping.state == state &&
        (mapping.finalStatus.empty() || mapping.finalStatus == finalStatus))
      return mapping.means;
  return State::failed;
}

std::optional<std::vector<SeenApplication>> yarnApplications(std::string_view answer) {
  const auto whole = parsedObject(answer);
  if (!whole) return std::nullopt;
  std::vector<SeenApplication> seen;
  const auto keep = [&seen](const json::object& app) {
    SeenApplication one = read(app);
    if (!one.report.applicationId.empty()) seen.push_back(std::move(one));
  };
  if (const json::object* const app = objectOf(*whole, "app")) {
    keep(*app);
    return seen;
  }
  const json::value* const apps = whole->if_contains("apps");
  if (!apps) return std::nullopt;
  // {"apps":null}, or {"apps":{}}, where there are none.
  if (!apps->is_object()) return seen;
  forEachObject(apps->get_object(), "app", keep);
  return seen;
}

std::string yarnRefusal(std::string_view answer) {
  const auto whole = parsedObject(answer);
  const json::object* const exception = whole ? objectOf(*whole, "RemoteException") : nullptr;
  return exception ? textOf(*exception, "message") : std::string();
}

}  // namespace hearth::host
