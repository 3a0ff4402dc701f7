#include "api/Errors.h"

#include <Poco/Net/HTTPResponse.h>

#include "support/JsonWriter.h"

namespace hearth::host {

namespace {

using Cause = Refusal::Cause;

// How Livy writes the body of an error differs from route to route.
enum class LivyForm { message, rejected, bare, illegalState };

struct Row {
  Cause cause;
  int v1;
  int livy;
  LivyForm form;
  const char* title;
};

// Where Livy answers 500 for a client's mistake the status is 400 here; its text stays.
const Row table[] = {
    {Cause::malformed, 400, 400, LivyForm::bare, "Malformed request"},
    {Cause::invalid, 422, 400, LivyForm::bare, "Invalid field"},
    {Cause::tooLarge, 413, 413, LivyForm::message, "Request too large"},
    {Cause::parameter, 400, 400, LivyForm::message, "Invalid parameter"},
    {Cause::rejected, 422, 400, LivyForm::rejected, "Invalid field"},
    {Cause::noSession, 404, 404, LivyForm::message, "No such session"},
    {Cause::noBatch, 404, 404, LivyForm::message, "No such batch"},
    {Cause::noStatement, 404, 404, LivyForm::bare, "No such statement"},
    {Cause::notFound, 404, 404, LivyForm::message, "Not found"},
    {Cause::state, 409, 400, LivyForm::illegalState, "Wrong state"},
    {Cause::conflict, 409, 400, LivyForm::rejected, "Name in use"},
    {Cause::policy, 422, 400, LivyForm::rejected, "Against the policy"},
    {Cause::limit, 429, 429, LivyForm::message, "Limit reached"},
    {Cause::mismatch, 422, 422, LivyForm::message, "Key of another request"},
    {Cause::unsupported, 422, 400, LivyForm::message, "Not supported"},
    {Cause::storage, 507, 507, LivyForm::message, "Not stored"},
    {Cause::plugin, 503, 503, LivyForm::message, "Plugin does not answer"},
    {Cause::stopping, 503, 503, LivyForm::message, "Shutting down"},
};

const Row& rowOf(Cause cause) {
  for (const Row& row : table)
    if (row.cause == cause) return row;
  return table[0];
}

bool isV1(const std::string& path) {
  return path == "/v1" || path.compare(0, 4, "/v1/") == 0;
}

Response problem(int status, const std::string& title, const std::string& detail,
                 const std::string& path) {
  JsonWriter out;
  out.beginObject();
  out.key("type").string("about:blank");
  out.key("title").string(title);
  out.key("status").integer(status);
  out.key("detail").string(detail);
  out.key("instance").string(path);
  out.endObject();
  Response response = Response::json(status, out.take());
  response.contentType = "application/problem+json";
  return response;
}

std::string message(const std::string& text) {
  return "{\"msg\":" + jsonQuoted(text) + "}";
}

}  // namespace

Response refusalResponse(const std::string& path, const Refusal& refusal) {
  const Row& row = rowOf(refusal.cause());
  const std::string text = refusal.what();
  Response response;
  if (isV1(path)) {
    response = problem(row.v1, row.title, text, path);
  } else {
    std::string body;
    switch (row.form) {
      case LivyForm::message:
        body = message(text);
        break;
      case LivyForm::rejected:
        body = message("Rejected, Reason: " + text);
        break;
      case LivyForm::bare:
        body = jsonQuoted(text);
        break;
      case LivyForm::illegalState:
        body = jsonQuoted("java.lang.IllegalStateException: " + text);
        break;
    }
    response = Response::json(row.livy, std::move(body));
  }
  if (response.status == 429 || response.status == 503)
    response.headers.emplace_back("Retry-After", "5");
  return response;
}

Response errorResponse(int status, const std::string& path, const std::string& text) {
  if (!isV1(path)) return Response::json(status, message(text));
  return problem(status,
                 Poco::Net::HTTPResponse::getReasonForStatus(
                     static_cast<Poco::Net::HTTPResponse::HTTPStatus>(status)),
                 text, path);
}

Response wrongMethodResponse(const std::string& path, const std::vector<std::string>& allowed) {
  std::string list;
  for (const std::string& method : allowed) list += (list.empty() ? "" : ", ") + method;
  Response response = errorResponse(405, path, "this path takes " + list);
  response.headers.emplace_back("Allow", list);
  return response;
}

}  // namespace hearth::host
