#include "api/BatchCalls.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "api/BatchViews.h"
#include "api/Dispatcher.h"
#include "api/Multipart.h"
#include "api/Paging.h"

namespace hearth::host {

namespace {

using Cause = Refusal::Cause;

std::function<bool()> hungUp(const ExchangePtr& exchange) {
  return [exchange] { return exchange->abandoned(); };
}

// It becomes a name in the batch's folder, and an item of lists and URIs that Spark takes apart.
std::string plainName(const FormPart& part) {
  const std::string& name = part.fileName;
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == '+';
  };
  if (name.empty())
    throw Refusal(Cause::invalid, "part \"" + part.name + "\" of the form has no file name");
  if (name.size() > 200 || name.front() == '.' || name.front() == '-' ||
      !std::all_of(name.begin(), name.end(), plain))
    throw Refusal(Cause::invalid, "file name '" + name.substr(0, 200) +
                                      "': at most 200 letters, digits, '.', '_', '-' and '+', "
                                      "the first of them a letter, digit, '_' or '+'");
  return name;
}

}  // namespace

BatchCalls::BatchCalls(BatchManager& manager, Face face, Limits limits)
    : manager_(manager), face_(face), limits_(limits) {}

BatchView BatchCalls::find(const std::string& idOrName) const {
  if (face_ == Face::livy) return manager_.find(idOrName, false);
  try {
    return manager_.find(idOrName, true);
  } catch (const Refusal& refusal) {
    if (refusal.cause() != Cause::noBatch) throw;
    throw Refusal(Cause::noBatch, "there is no batch " + idOrName.substr(0, 300));
  }
}

BatchManager::Post BatchCalls::fromForm(const Request& request) const {
  BatchManager::Post post;
  bool described = false;
  std::set<std::string> names;
  for (FormPart& part : formParts(request, limits_.uploadBytes)) {
    if (part.name == "request") {
      if (std::exchange(described, true))
        throw Refusal(Cause::invalid, "the form has two parts named \"request\"");
      post.request = BatchRequest::parseUnchecked(part.content, BatchRequest::Fields::v1);
      continue;
    }
    if (part.name != "file" && part.name != "jars" && part.name != "pyFiles" &&
        part.name != "files" && part.name != "archives")
      throw Refusal(Cause::invalid, "part \"" + part.name.substr(0, 100) +
                                        "\" of the form is none of request, file, jars, pyFiles, "
                                        "files and archives");
    std::string name = plainName(part);
    if (!names.insert(name).second)
      throw Refusal(Cause::invalid, "the form has two files named " + name);
    post.uploads.push_back({std::move(part.name), std::move(name), std::move(part.content)});
  }
  const auto applications =
      std::count_if(post.uploads.begin(), post.uploads.end(),
                    [](const BatchUpload& upload) { return upload.field == "file"; });
  if (applications + (post.request.file.empty() ? 0 : 1) > 1)
    throw Refusal(Cause::invalid,
                  "the application is given more than once: by part \"file\", or "
                  "by \"file\" in part \"request\"");
  // Checked as it will be once the files are in their place.
  BatchRequest whole = post.request;
  if (applications == 1) whole.file = "/" + post.uploads.front().name;
  whole.check();
  return post;
}

BatchManager::Post BatchCalls::posted(const Request& request) const {
  BatchManager::Post post;
  if (face_ == Face::v1 && isMultipart(request))
    post = fromForm(request);
  else
    post.request = BatchRequest::parse(
        request.body, face_ == Face::v1 ? BatchRequest::Fields::v1 : BatchRequest::Fields::livy);
  post.idempotencyKey = idempotencyKey(request);
  return post;
}

void BatchCalls::create(const ExchangePtr& exchange, ShowCreated show) const {
  const auto wait = waitParameter(exchange->request(), limits_.longestWait);
  manager_.create(posted(exchange->request()), [this, exchange, show = std::move(show),
                                                wait](const BatchManager::Result& result) {
    if (result.refusal) return refuse(exchange, *result.refusal);
    const std::string id = std::to_string(result.view.row.id);
    const bool replayed = result.replayed;
    if (!wait || !result.view.live)
      return guarded(exchange, [&] { show(exchange, result.view, replayed); });
    const auto done = [this, exchange, show, id, replayed] {
      guarded(exchange, [&] { show(exchange, manager_.find(id, true), replayed); });
    };
    result.view.live->wait({*wait, done, hungUp(exchange)});
  });
}

void BatchCalls::get(const ExchangePtr& exchange, const std::string& id, Show show) const {
  const auto wait = waitParameter(exchange->request(), limits_.longestWait);
  const BatchView view = find(id);
  if (!wait || !view.live) return show(exchange, view);
  const auto done = [this, exchange, number = std::to_string(view.row.id), show = std::move(show)] {
    guarded(exchange, [&] { show(exchange, find(number)); });
  };
  view.live->wait({*wait, done, hungUp(exchange)});
}

void BatchCalls::end(const ExchangePtr& exchange, const std::string& id, Plain show) const {
  const BatchView view = find(id);
  const auto done = [exchange, show = std::move(show)] {
    guarded(exchange, [&] { show(exchange); });
  };
  if (view.live) return view.live->end("deleted by a client", true, done);
  manager_.hide(view.row, [exchange, done](const std::string& error) {
    if (error.empty()) return done();
    refuse(exchange, Refusal(Cause::storage, error));
  });
}

void BatchCalls::log(const ExchangePtr& exchange, const std::string& id) const {
  const LogWindow window = logWindow(exchange->request());
  const BatchView view = find(id);
  const LogFile::Page page = face_ == Face::v1 ? batchLog(view, window.from, window.size)
                                               : livyBatchLog(view, window.from, window.size);
  answerJson(exchange, 200, logPage(view.row.id, window, page));
}

}  // namespace hearth::host
