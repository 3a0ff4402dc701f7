#include "policy/PathCheck.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "policy/ConfKeys.h"
#include "policy/JavaOptions.h"
#include "policy/LocalPath.h"
#include "policy/PolicyRefusal.h"

namespace hearth::host {

namespace {

constexpr const char* globs = "*?[{";
constexpr std::size_t mostReadings = 32;

[[noreturn]] void refuse(const std::string& place, const std::string& item,
                         const std::string& why) {
  throw PolicyRefusal("policy.paths.local", "Local path " + item.substr(0, 300) +
                                                " cannot be added to user sessions: " + why + " (" +
                                                place.substr(0, 200) + ")");
}

bool isSchemeCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.';
}

// Lower-case; empty where there is none.
std::string schemeOf(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return {};
  const std::string scheme = lowered(text.substr(0, colon));
  if (scheme[0] < 'a' || scheme[0] > 'z') return {};
  return std::all_of(scheme.begin(), scheme.end(), isSchemeCharacter) ? scheme : std::string();
}

bool isLocal(const std::string& scheme) {
  return scheme == "file" || scheme == "local";
}

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percentDecoded(const std::string& text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size() && hexDigit(text[at + 1]) >= 0 &&
        hexDigit(text[at + 2]) >= 0) {
      decoded += static_cast<char>(hexDigit(text[at + 1]) * 16 + hexDigit(text[at + 2]));
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

// What the path may be taken for: Java's URI decodes it and cuts off what follows '?' or '#',
// Hadoop's Path does neither, and it may pass through both.
std::set<std::string> readings(const std::string& path) {
  std::set<std::string> all;
  std::vector<std::string> open = {path};
  while (!open.empty()) {
    const std::string one = std::move(open.back());
    open.pop_back();
    if (!all.insert(one).second) continue;
    if (all.size() > mostReadings) throw PathError("it can be read in too many ways");
    open.push_back(percentDecoded(one));
    open.push_back(one.substr(0, one.find('#')));
    open.push_back(one.substr(0, one.find('?')));
  }
  return all;
}

bool leadsUp(const std::string& path) {
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (path.compare(at, end - at, "..") == 0) return true;
    at = end + 1;
  }
  return false;
}

bool hasControl(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

// $NAME, ${NAME} and {{NAME}} are replaced by Spark, by log4j, by YARN or by its shell.
bool hasVariable(const std::string& text) {
  if (text.find("{{") != std::string::npos) return true;
  for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1)) {
    if (at + 1 == text.size()) return false;
    const char next = text[at + 1];
    if (next == '{' || next == '(' || next == '_' || (next >= 'a' && next <= 'z') ||
        (next >= 'A' && next <= 'Z'))
      return true;
  }
  return false;
}

std::vector<std::string> tokens(const std::string& text) {
  std::vector<std::string> found;
  std::string token;
  for (const char c : text) {
    const bool ends = static_cast<unsigned char>(c) <= ' ' ||
                      std::string_view("'\"`=,;|<>()&").find(c) != std::string_view::npos;
    if (!ends) {
      token += c;
    } else if (!token.empty()) {
      found.push_back(std::exchange(token, {}));
    }
  }
  if (!token.empty()) found.push_back(token);
  return found;
}

bool endsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Lists with colons between, where "x://y" is two paths.
bool isClassPath(const std::string& name) {
  const std::string lower = lowered(name);
  return endsWith(lower, "path") || endsWith(lower, "dirs") || endsWith(lower, "preload");
}

}  // namespace

PathCheck::PathCheck(const PathRules::Options& options) : options_(options) {
  if (!options_.local) return;
  try {
    for (const std::string& folder : *options_.local) folders_.push_back(followed(folder, looks_));
    for (const std::string& folder : options_.closed) closed_.push_back(followed(folder, looks_));
  } catch (const PathError& error) {
    throw PolicyRefusal("policy.paths.local", error.what());
  }
}

void PathCheck::value(const std::string& place, PathShape shape, const std::string& text) {
  if (shape == PathShape::files)
    for (const std::string& item : commaList(text)) file(place, item);
  if (!options_.local) return;
  switch (shape) {
    case PathShape::none:
    case PathShape::files:
      return;
    case PathShape::unknown:
      for (const std::string& item : commaList(text))
        if (item.front() == '/') path(place, item, item);
      for (const std::string& token : tokens(text)) embedded(place, token);
      return;
    case PathShape::location:
      for (const std::string& item : commaList(text)) location(place, item);
      return;
    case PathShape::words:
      return words(place, text, true);
    case PathShape::environment:
      return environment(place, text);
    case PathShape::javaOptions:
      return javaOptions(place, text);
  }
}

void PathCheck::file(const std::string& place, const std::string& item) {
  const std::string name = schemeOf(item);
  if (!name.empty() && !isLocal(name)) return scheme(place, item, name);
  if (!options_.local) return;
  if (!name.empty()) return uri(place, item, item.substr(name.size() + 1));
  if (item.empty() || item.front() != '/')
    refuse(place, item, "it has no scheme and does not begin with '/'");
  path(place, item, item);
}

void PathCheck::scheme(const std::string& place, const std::string& item,
                       const std::string& name) const {
  const auto& known = options_.schemes;
  if (std::find(known.begin(), known.end(), name) != known.end() ||
      std::find(known.begin(), known.end(), "*") != known.end())
    return;
  throw PolicyRefusal("policy.paths.schemes", "the scheme of " + item.substr(0, 300) +
                                                  " is none of the allowed (" +
                                                  place.substr(0, 200) + ")");
}

void PathCheck::location(const std::string& place, const std::string& item) {
  const std::string name = schemeOf(item);
  if (isLocal(name)) return uri(place, item, item.substr(name.size() + 1));
  if (name.empty() && item.front() == '/') {
    path(place, item, item);
    return word(place, item, true);  // and where it is a list with colons
  }
  // jceks://file/x is a file, in a notation of Hadoop's.
  const std::string lower = lowered(percentDecoded(item));
  for (const char* authority : {"://file/", "://file@", "://local/"}) {
    const auto at = lower.find(authority);
    if (at != std::string::npos) path(place, item, item.substr(item.find("://") + 2));
  }
  word(place, item, false);
}

// What follows "file:" or "local:".
void PathCheck::uri(const std::string& place, const std::string& item, const std::string& rest) {
  if (rest.compare(0, 2, "//") != 0) {
    if (rest.empty() || rest.front() != '/') refuse(place, item, "it does not begin with '/'");
    return path(place, item, rest);
  }
  const auto slash = rest.find('/', 2);
  if (slash == std::string::npos) refuse(place, item, "it names a host and no path");
  const std::string host = lowered(rest.substr(2, slash - 2));
  if (!host.empty() && host != "localhost") refuse(place, item, "it names a host");
  path(place, item, rest.substr(slash));
}

void PathCheck::path(const std::string& place, const std::string& item, const std::string& path) {
  try {
    const bool hasComma = path.find(',') != std::string::npos;
    const auto hash = path.find('#');
    if (hash != std::string::npos) {
      const std::string alias = path.substr(hash + 1);
      for (const std::string& name : {alias, percentDecoded(alias)})
        if (name.find('/') != std::string::npos || name == ".." || name == ".")
          throw PathError("the name after '#' is a path");
    }
    for (const std::string& one : readings(path)) reading(one, hasComma);
  } catch (const PathError& error) {
    refuse(place, item, error.what());
  }
}

void PathCheck::reading(const std::string& path, bool hasComma) {
  if (hasControl(path)) throw PathError("it has a control character");
  if (path.find('\\') != std::string::npos) throw PathError("it has a backslash");
  if (hasVariable(path)) throw PathError("a variable in it may become anything");
  if (!hasComma && path.find(',') != std::string::npos) throw PathError("it has an encoded comma");
  const auto slash = path.rfind('/');
  const auto glob = path.find_first_of(globs);
  if (glob != std::string::npos) {
    if (slash != std::string::npos && glob < slash)
      throw PathError("a pattern may only be in its last part");
    const std::string folder = path.substr(0, slash + 1);
    inside(folder);
    for (const std::string& link : linksIn(lexicallyNormal(folder), looks_)) inside(link);
  }
  inside(path);
}

void PathCheck::inside(const std::string& path) {
  for (const std::string& start : {path, lexicallyNormal(path)}) {
    const std::string end = followed(start, looks_);
    if (std::none_of(folders_.begin(), folders_.end(),
                     [&](const std::string& folder) { return isWithin(end, folder); }))
      throw PathError(folders_.empty() ? "none can" : "it is in none of the allowed folders");
    for (const std::string& folder : closed_)
      if (isWithin(end, folder) || isWithin(folder, end))
        throw PathError("the server's own files are there");
  }
}

void PathCheck::word(const std::string& place, const std::string& text, bool classPath) {
  std::vector<std::string> forms = {text};
  for (std::string next = percentDecoded(text); next != forms.back(); next = percentDecoded(next)) {
    if (forms.size() > 4) refuse(place, text, "it is percent-encoded too often");
    forms.push_back(next);
  }
  for (const std::string& form : forms) {
    if (hasVariable(form)) refuse(place, text, "a variable in it may become anything");
    if (form.front() == '~') refuse(place, text, "it may become a path of somebody's home");
    embedded(place, form);
    std::string before;
    for (std::size_t at = 0; at <= form.size();) {
      const std::size_t end = std::min(form.find(':', at), form.size());
      std::string piece = form.substr(at, end - at);
      if (!piece.empty() && piece.front() == '@') piece.erase(0, 1);
      const bool remote = !classPath && piece.compare(0, 2, "//") == 0 && !before.empty() &&
                          !isLocal(schemeOf(before + ":")) && !schemeOf(before + ":").empty();
      if (!remote && !piece.empty() && piece.front() == '/') {
        path(place, text, piece);
      } else if (leadsUp(piece)) {
        refuse(place, text, "'..' in it leads out of its folder");
      }
      before = piece;
      at = end + 1;
    }
  }
}

void PathCheck::words(const std::string& place, const std::string& text, bool classPath) {
  for (const std::string& token : tokens(text)) word(place, token, classPath);
}

void PathCheck::embedded(const std::string& place, const std::string& text) {
  const std::string lower = lowered(text);
  for (const std::string name : {"file:", "local:"})
    for (std::size_t at = lower.find(name); at != std::string::npos;
         at = lower.find(name, at + 1)) {
      if (at > 0 && isSchemeCharacter(lower[at - 1])) continue;
      const std::string rest = text.substr(at + name.size());
      if (!rest.empty() && (rest.front() == '/' || rest.front() == '%'))
        uri(place, text, rest.front() == '%' ? percentDecoded(rest) : rest);
      else if (leadsUp(percentDecoded(rest)))
        refuse(place, text, "'..' in it leads out of its folder");
    }
}

void PathCheck::javaOptions(const std::string& place, const std::string& text) {
  for (const JavaOption& option : host::javaOptions(text)) {
    if (option.fromFile)
      refuse(place, option.word, "it takes options from a file, which nobody can check");
    if (option.property.empty())
      words(place, option.word, true);
    else
      words(place, option.value, isClassPath(option.property));
  }
}

void PathCheck::environment(const std::string& place, const std::string& text) {
  words(place, text, isClassPath(place));
}

void PathCheck::fileSystem(const std::string& key, const std::string& value) {
  if (!options_.local || key.rfind("spark.hadoop.fs.", 0) != 0 || !endsWith(key, ".impl")) return;
  for (const char* remote :
       {"org.apache.hadoop.hdfs.", "org.apache.hadoop.fs.Hdfs", "org.apache.hadoop.fs.s3a.",
        "org.apache.hadoop.fs.azure", "org.apache.hadoop.fs.aliyun.", "org.apache.hadoop.fs.cosn.",
        "org.apache.hadoop.fs.obs.", "org.apache.hadoop.fs.ozone.",
        "com.google.cloud.hadoop.fs.gcs."})
    if (trimmed(value).rfind(remote, 0) == 0) return;
  throw PolicyRefusal("policy.paths.local",
                      key.substr(0, 200) +
                          " may put local files behind another scheme: the class " +
                          value.substr(0, 200) + " is not known to be remote");
}

}  // namespace hearth::host
