#include "session/CreateRequest.h"

#include "session/Refusal.h"
#include "session/SharedFields.h"
#include "support/Time.h"

namespace hearth::host {

namespace {

const std::vector<std::string> livyFields =
    shared_fields::withOwn({"kind", "heartbeatTimeoutInSecond", "ttl", "idleTimeout"});

constexpr std::size_t maxBytes = 1u << 20;

std::vector<std::string> v1Fields() {
  std::vector<std::string> fields = livyFields;
  fields.emplace_back("template");
  return fields;
}

void checkTime(const std::string& text) {
  if (!text.empty() && !parseDuration(text))
    throw Refusal(Refusal::Cause::rejected, "Invalid time string: " + text);
}

}  // namespace

CreateRequest CreateRequest::parse(const std::string& body, Fields fields) {
  // Every view of the session repeats it.
  if (body.size() > maxBytes)
    throw Refusal(Refusal::Cause::tooLarge, "a create request may have 1 MiB");
  return read(body, fields);
}

CreateRequest CreateRequest::parseStored(const std::string& text) {
  return read(text, Fields::v1);
}

CreateRequest CreateRequest::read(const std::string& body, Fields fields) {
  CreateRequest request;
  try {
    const JsonBody json(body);
    json.allowOnly(fields == Fields::v1 ? v1Fields() : livyFields);
    request.kind = json.text("kind");
    request.templateName = json.text("template");
    if (json.has("kind") && request.kind.empty()) throw JsonFieldError("Invalid kind: \"\"");
    shared_fields::read(json, request);
    request.heartbeatTimeoutInSecond = json.count("heartbeatTimeoutInSecond");
    request.ttl = json.text("ttl");
    request.idleTimeout = json.text("idleTimeout");
  } catch (const JsonSyntaxError& error) {
    throw Refusal(Refusal::Cause::malformed, error.what());
  } catch (const JsonFieldError& error) {
    throw Refusal(Refusal::Cause::invalid, error.what());
  }
  checkTime(request.ttl);
  checkTime(request.idleTimeout);
  shared_fields::check(request);
  return request;
}

std::string CreateRequest::toJson() const {
  JsonWriter json;
  json.beginObject();
  using shared_fields::write;
  write(json, "kind", kind);
  write(json, *this);
  write(json, "heartbeatTimeoutInSecond", heartbeatTimeoutInSecond);
  write(json, "ttl", ttl);
  write(json, "idleTimeout", idleTimeout);
  write(json, "template", templateName);
  json.endObject();
  return json.take();
}

}  // namespace hearth::host
