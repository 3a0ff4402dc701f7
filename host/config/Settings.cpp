#include "config/Settings.h"

#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/Util/PropertyFileConfiguration.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <functional>
#include <optional>

#include "support/Nearest.h"
#include "support/Time.h"

namespace hearth::host {

namespace {

using Type = SettingKey::Type;

std::optional<std::int64_t> parseNumber(const std::string& text) {
  std::int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parseSize(const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::int64_t factor = 1;
  std::string digits = text;
  switch (std::tolower(static_cast<unsigned char>(text.back()))) {
    case 'k': factor = 1 << 10; digits.pop_back(); break;
    case 'm': factor = 1 << 20; digits.pop_back(); break;
    case 'g': factor = 1 << 30; digits.pop_back(); break;
    default: break;
  }
  const auto count = parseNumber(digits);
  if (!count || *count > (INT64_MAX / factor)) return std::nullopt;
  return *count * factor;
}

const SettingKey* find(const std::string& name) {
  for (const SettingKey& key : Settings::keys())
    if (name == key.name) return &key;
  return nullptr;
}

const char* wrong(Type type, const std::string& text) {
  switch (type) {
    case Type::text:
      return nullptr;
    case Type::number:
      return parseNumber(text) ? nullptr : "a whole number";
    case Type::boolean:
      return text == "true" || text == "false" ? nullptr : "true or false";
    case Type::duration:
      return parseDuration(text) ? nullptr : "a duration such as 500ms, 30s, 10m, 1h (0 is none)";
    case Type::size:
      return parseSize(text) ? nullptr : "a number of bytes such as 65536, 64k, 16m";
  }
  return nullptr;
}

std::string variableOf(const std::string& key) {
  std::string name = "HEARTH_";
  for (const char c : key)
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

}  // namespace

const std::vector<SettingKey>& Settings::keys() {
  static const std::vector<SettingKey> all = {
      {"server.host", Type::text, "127.0.0.1", "address to listen on"},
      {"server.port", Type::number, "8998", "port to listen on; 0 takes any free one"},
      {"server.threads", Type::number, "4", "threads that serve HTTP; waiting clients need none"},
      {"server.connections", Type::number, "20000", "connections open at once"},
      {"server.header_bytes", Type::size, "128k", "request line and headers of one request"},
      {"server.body_bytes", Type::size, "64m", "body of one request, also after decompression"},
      {"server.request_time", Type::duration, "30s", "from the first to the last byte of a request"},
      {"server.idle_time", Type::duration, "60s", "how long a connection may rest between requests"},
      {"server.wait_max", Type::duration, "5m", "longest ?wait= that is granted"},
      {"server.allow_unauthenticated_remote", Type::boolean, "false",
       "serve an address that is not loopback without authentication: whoever reaches it runs code"},
      {"data.dir", Type::text, "", "store, session logs, link socket; default $XDG_STATE_HOME/hearth"},
      {"store.disk_floor", Type::size, "100m",
       "space that the disk of data.dir must have left for new work to be taken; 0: no floor"},
      {"plugins.dir", Type::text, "", "folder of the plugins; default: beside the program"},
      {"plugins.conf_dir", Type::text, "/etc/hearth/plugins.d", "manifests that configure plugins"},
      {"plugins.call_limit", Type::duration, "5s",
       "a plugin's call that takes longer hangs: clients are answered without it; 0: never"},
      {"plugins.hanging", Type::number, "16",
       "calls of one plugin that hang, until it gets no new sessions"},
      {"plugins.crash_limit", Type::number, "3",
       "crashes of the host by one plugin until it is in quarantine; 0: never"},
      {"plugins.crash_window", Type::duration, "10m", "the time in which these are counted"},
      {"session.limit", Type::number, "200", "live sessions at once"},
      {"session.shared_kind", Type::text, "spark", "whose driver a session without a kind starts"},
      {"session.launch_time", Type::duration, "5m", "time an interpreter has to become ready"},
      {"session.queue_time", Type::duration, "30m",
       "time an interpreter may wait for a cluster's resources; 0 without end"},
      {"session.close_time", Type::duration, "10s", "time an interpreter has to end before it is killed"},
      {"server.drain_time", Type::duration, "0s",
       "how long running code may go on at a stop that ends sessions; new work is refused meanwhile"},
      {"session.on_shutdown", Type::text, "end",
       "what becomes of sessions when the server stops: end, or detach (drivers go on, the next start takes them up)"},
      {"session.idle_time", Type::duration, "1h", "a session at rest this long is ended; 0 never"},
      {"statement.queue", Type::number, "1000", "statements that may wait in one session"},
      {"statement.output_bytes", Type::size, "1m", "printed text kept per statement and stream"},
      {"statement.cached", Type::number, "128", "finished statements kept in memory per session"},
      {"statement.cached_bytes", Type::size, "16m", "their size in memory per session"},
      {"statement.cached_total_bytes", Type::size, "256m",
       "the same of all sessions: beyond, each keeps only its newest in memory"},
      {"cancel.grace", Type::duration, "10s", "time cancelled code has to stop"},
      {"cancel.restart", Type::boolean, "true",
       "restart the interpreter of code that does not stop; otherwise it stays cancelling"},
      {"retention.age", Type::duration, "30d",
       "how long ended sessions and batches are kept, with all of theirs; 0: without end"},
      {"retention.sessions", Type::number, "100000",
       "ended sessions that are kept, the newest; 0: all"},
      {"retention.batches", Type::number, "100000", "ended batches, likewise"},
      {"retention.statements", Type::number, "10000",
       "statements kept of one live session, the newest; 0: all"},
      {"retention.bytes", Type::size, "0",
       "what the store and the folders of all that has ended may take on disk; 0: no limit"},
      {"retention.interval", Type::duration, "1m", "between two looks at what is to go"},
      {"driver.orphan_time", Type::duration, "10m", "a driver without a host this long ends itself"},
      {"driver.environment", Type::text, "",
       "names of variables, separated by commas, that drivers get from the host's environment"},
      {"policy.conf.forced", Type::text, "",
       "key=value; key=value: of Spark's configuration, over what users ask for (;; is a ';')"},
      {"policy.conf.default", Type::text, "", "the same, where users ask for nothing"},
      {"policy.conf.denied", Type::text,
       "spark.remote,spark.api.mode,spark.submit.proxyUser.allowCustomClasspathInClusterMode,"
       "spark.yarn.submit.waitAppCompletion,spark.standalone.submit.waitAppCompletion,"
       "spark.kubernetes.submission.waitAppCompletion",
       "keys that users may not set, separated by commas; spark.yarn.* is all that begin so"},
      {"policy.conf.allowed", Type::text, "", "when set, no other key of conf may be set"},
      {"policy.paths.local", Type::text, "",
       "folders that local files of users must be in; none: no local file; empty: anywhere"},
      {"policy.paths.schemes", Type::text,
       "hdfs,webhdfs,swebhdfs,viewfs,s3,s3a,s3n,gs,abfs,abfss,wasb,wasbs,adl,oss,cosn,obs,ofs,o3fs,"
       "alluxio,http,https,ftp,ivy",
       "schemes that files may have besides file and local; * is any"},
      {"policy.paths.keys", Type::text, "",
       "keys of conf that take files, besides those that Spark itself has"},
      {"policy.limit.sessions", Type::number, "0", "live sessions of one user; 0: no limit"},
      {"policy.limit.batches", Type::number, "0", "live batches of one user; 0: no limit"},
      {"policy.limit.memory", Type::size, "0",
       "memory that one user's sessions and batches ask for together; 0: no limit"},
      {"policy.limit.cores", Type::number, "0", "cores, likewise"},
      {"policy.templates_dir", Type::text, "/etc/hearth/templates.d",
       "templates that users may name, *.json, read at start"},
      {"spark.home", Type::text, "",
       "folder of the Spark that batches and sessions use; empty: SPARK_HOME of the environment"},
      {"spark.master", Type::text, "",
       "master of all batches and sessions; empty: the request's conf, spark-defaults.conf, local[*]"},
      {"spark.deploy_mode", Type::text, "",
       "client or cluster, for all batches and sessions; empty: the request's conf, Spark's default"},
      {"batch.concurrent", Type::number, "8",
       "batches that are submitted from, or whose drivers run on, this host at once; the rest wait"},
      {"batch.queue", Type::number, "1000", "batches that may wait for their turn"},
      {"batch.kill_grace", Type::duration, "10s",
       "time an application has to end after SIGTERM before it is killed"},
      {"batch.on_shutdown", Type::text, "detach",
       "what becomes of applications on this host when it stops: detach (they go on) or kill"},
      {"batch.upload_bytes", Type::size, "64m",
       "files that may come with one batch; server.body_bytes bounds the request too"},
      {"link.host", Type::text, "127.0.0.1",
       "address that drivers in a cluster dial, by TLS; opened when one needs it"},
      {"link.port", Type::number, "0",
       "its port; 0 takes any free one, and the same again after a restart"},
      {"link.advertise", Type::text, "",
       "the name by which drivers dial this machine; empty: link.host, or the machine's own name"},
      {"yarn.resource_managers", Type::text, "",
       "http addresses of YARN's ResourceManagers, separated by commas; empty: those of yarn-site.xml "
       "in HADOOP_CONF_DIR or YARN_CONF_DIR"},
      {"yarn.user", Type::text, "", "who ends applications, where YARN goes without Kerberos"},
      {"yarn.poll_time", Type::duration, "1s",
       "between two looks at all applications that run in a cluster, also a standalone one"},
      {"yarn.lookup_time", Type::duration, "2m",
       "an application that was submitted and is not in its cluster this long has failed"},
      {"yarn.leak_time", Type::duration, "10m",
       "how long one that is to end is looked for, should it come late"},
      {"yarn.ca_file", Type::text, "", "certificates that https managers are checked by; empty: the system's"},
      {"standalone.pages", Type::text, "",
       "http addresses of standalone Masters' pages, separated by commas; empty: port 8080 of the "
       "masters that the configuration names"},
      {"log.level", Type::text, "info", "trace, debug, info, warn, error or off"},
      {"log.file", Type::text, "", "the host's log; empty: stderr"},
      {"log.access", Type::boolean, "true", "one line for each request"},
  };
  return all;
}

Settings::Settings() {
  for (const SettingKey& key : keys()) values_[key.name] = Value{key.fallback, "default"};
}

void Settings::set(const std::string& name, const std::string& value, const std::string& origin) {
  const SettingKey* key = find(name);
  if (!key) {
    std::vector<std::string> names;
    for (const SettingKey& known : keys()) names.emplace_back(known.name);
    const std::string near = nearest(name, names);
    throw SettingsError(origin + ": unknown key '" + name + "'" +
                        (near.empty() ? std::string() : ", did you mean '" + near + "'?") +
                        " (hearth config lists all keys)");
  }
  if (const char* wanted = wrong(key->type, value))
    throw SettingsError(origin + ": " + name + " = '" + value + "' is not " + wanted);
  values_[name] = Value{value, origin};
}

void Settings::loadFile(const std::string& path) {
  Poco::AutoPtr<Poco::Util::PropertyFileConfiguration> file;
  try {
    file = new Poco::Util::PropertyFileConfiguration(path);
  } catch (const Poco::Exception& error) {
    throw SettingsError("cannot read " + path + ": " + error.displayText());
  }
  // Poco splits names at dots: walk the tree back to whole names.
  const std::function<void(const std::string&)> walk = [&](const std::string& prefix) {
    Poco::Util::AbstractConfiguration::Keys below;
    file->keys(prefix, below);
    for (const std::string& part : below) {
      const std::string name = prefix.empty() ? part : prefix + "." + part;
      if (file->hasProperty(name)) set(name, file->getRawString(name), path);
      walk(name);
    }
  };
  walk(std::string());
}

void Settings::loadEnvironment(const char* const* environment) {
  for (; *environment; ++environment) {
    const char* const equals = std::strchr(*environment, '=');
    if (!equals || std::strncmp(*environment, "HEARTH_", 7) != 0) continue;
    const std::string name(*environment, equals);
    // Not ours to refuse: other tools and tests use the prefix too.
    for (const SettingKey& key : keys())
      if (variableOf(key.name) == name) set(key.name, equals + 1, "environment " + name);
  }
}

const Settings::Value& Settings::value(const std::string& key) const { return values_.at(key); }

std::int64_t Settings::number(const std::string& key) const { return *parseNumber(text(key)); }
bool Settings::boolean(const std::string& key) const { return text(key) == "true"; }
std::chrono::milliseconds Settings::duration(const std::string& key) const {
  return *parseDuration(text(key));
}
std::size_t Settings::size(const std::string& key) const {
  return static_cast<std::size_t>(*parseSize(text(key)));
}

}  // namespace hearth::host
