#include "api/HealthApi.h"

#include "api/Dispatcher.h"
#include "support/JsonWriter.h"

namespace hearth::host {

namespace {

std::string view(const Health& health) {
  return JsonWriter()
      .beginObject()
      .key("live")
      .boolean(true)
      .key("ready")
      .boolean(health.reasons.empty())
      .key("reasons")
      .strings(health.reasons)
      .key("sessions")
      .integer(static_cast<std::int64_t>(health.sessions))
      .key("version")
      .string(health.version)
      .endObject()
      .take();
}

}  // namespace

void addHealthRoutes(Router& router, std::function<Health()> look) {
  const auto always = [look](const ExchangePtr& exchange, const PathArguments&) {
    answerJson(exchange, 200, view(look()));
  };
  router.add("GET", "/v1/health", always);
  router.add("GET", "/v1/health/live", always);
  router.add("GET", "/v1/health/ready", [look](const ExchangePtr& exchange, const PathArguments&) {
    const Health health = look();
    answerJson(exchange, health.reasons.empty() ? 200 : 503, view(health));
  });
}

}  // namespace hearth::host
