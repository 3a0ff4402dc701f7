#include "app/Server.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "api/BatchCalls.h"
#include "api/BatchRoutes.h"
#include "api/Dispatcher.h"
#include "api/Errors.h"
#include "api/HealthApi.h"
#include "api/LivyApi.h"
#include "api/SessionCalls.h"
#include "api/TemplatesApi.h"
#include "api/V1Api.h"
#include "app/ClusterSettings.h"
#include "app/Paths.h"
#include "app/PluginSettings.h"
#include "app/PolicySettings.h"
#include "app/Reload.h"
#include "app/ServiceManager.h"
#include "batch/BatchManager.h"
#include "cluster/ClusterFollowers.h"
#include "http/HttpServer.h"
#include "link/LinkServer.h"
#include "plugin/CallWatch.h"
#include "plugin/CrashNote.h"
#include "plugin/PluginCrashes.h"
#include "plugin/PluginHost.h"
#include "policy/ConfKeys.h"
#include "retention/Retention.h"
#include "session/SessionManager.h"
#include "store/DiskFloor.h"
#include "store/SqliteStore.h"
#include "support/EventLoop.h"
#include "support/Log.h"

namespace hearth::host {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

constexpr std::chrono::seconds pluginPatience{5};

void refuseOpenDoor(const Settings& settings) {
  const std::string host = settings.text("server.host");
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  const bool loopback = host == "localhost" || (!error && address.is_loopback());
  if (loopback || settings.boolean("server.allow_unauthenticated_remote")) return;
  throw SettingsError("server.host = " + host +
                      " can be reached from elsewhere and there is no authentication: whoever "
                      "reaches it runs code as "
                      "this user. Serve 127.0.0.1 behind a proxy that authenticates, or set "
                      "server.allow_unauthenticated_remote = true to accept that");
}

// One descriptor for each waiting client; the usual soft limit of 1024 would end that early.
void raiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

SessionOptions sessionOptions(const Settings& settings) {
  SessionOptions options;
  options.sharedKind = settings.text("session.shared_kind");
  options.launchTime = settings.duration("session.launch_time");
  options.queueTime = settings.duration("session.queue_time");
  options.closeTime = settings.duration("session.close_time");
  options.idleTime = settings.duration("session.idle_time");
  options.cancelGrace = settings.duration("cancel.grace");
  options.restartAfterGrace = settings.boolean("cancel.restart");
  options.queuedStatements = static_cast<std::size_t>(settings.number("statement.queue"));
  options.outputBytes = settings.size("statement.output_bytes");
  options.cachedStatements = static_cast<std::size_t>(settings.number("statement.cached"));
  options.cachedBytes = settings.size("statement.cached_bytes");
  options.cachedTotalBytes = settings.size("statement.cached_total_bytes");
  options.keptStatements = settings.number("retention.statements");
  return options;
}

RetentionOptions retentionOptions(const Settings& settings) {
  RetentionOptions options;
  options.age = settings.duration("retention.age");
  options.sessions = settings.number("retention.sessions");
  options.batches = settings.number("retention.batches");
  options.bytes = settings.size("retention.bytes");
  options.interval = std::max(settings.duration("retention.interval"), milliseconds(10));
  return options;
}

BatchOptions batchOptions(const Settings& settings) {
  BatchOptions options;
  options.spark.home = settings.text("spark.home");
  options.spark.master = settings.text("spark.master");
  options.spark.deployMode = settings.text("spark.deploy_mode");
  const std::string& mode = options.spark.deployMode;
  if (!mode.empty() && mode != "client" && mode != "cluster")
    throw SettingsError("spark.deploy_mode = " + mode + " is neither client nor cluster");
  options.concurrent = static_cast<std::size_t>(settings.number("batch.concurrent"));
  options.queue = static_cast<std::size_t>(settings.number("batch.queue"));
  options.killGrace = settings.duration("batch.kill_grace");
  const std::string stop = settings.text("batch.on_shutdown");
  if (stop != "detach" && stop != "kill")
    throw SettingsError("batch.on_shutdown = " + stop + " is neither detach nor kill");
  options.killOnShutdown = stop == "kill";
  options.supervisor = supervisorProgram();
  return options;
}

std::uint16_t portOf(const Settings& settings, const std::string& key) {
  const std::int64_t port = settings.number(key);
  if (port > 65535) throw SettingsError(key + " = " + std::to_string(port) + " is no port");
  return static_cast<std::uint16_t>(port);
}

LinkOptions linkOptions(const Settings& settings, const std::string& data) {
  LinkOptions options;
  options.socket = data + "/link.sock";
  options.orphanTime =
      std::chrono::duration_cast<std::chrono::seconds>(settings.duration("driver.orphan_time"));
  options.tls.host = settings.text("link.host");
  options.tls.port = portOf(settings, "link.port");
  options.tls.advertise = settings.text("link.advertise");
  // Where somebody has said something of it, what is wrong with that is told at once.
  for (const char* key : {"link.host", "link.port", "link.advertise"})
    if (settings.value(key).origin != "default") options.openTls = true;
  return options;
}

std::unique_ptr<ClusterFollowers> clusterFollowers(EventLoop& loop, ClusterOptions options) {
  try {
    return std::make_unique<ClusterFollowers>(loop, std::move(options));
  } catch (const std::invalid_argument& error) {
    throw SettingsError(std::string("yarn.resource_managers or standalone.pages: ") + error.what());
  }
}

HttpOptions httpOptions(const Settings& settings) {
  HttpOptions options;
  options.host = settings.text("server.host");
  options.port = portOf(settings, "server.port");
  options.threads =
      static_cast<unsigned>(std::max<std::int64_t>(1, settings.number("server.threads")));
  options.limits.headerBytes = settings.size("server.header_bytes");
  options.limits.bodyBytes = settings.size("server.body_bytes");
  options.limits.connections = static_cast<std::size_t>(settings.number("server.connections"));
  options.limits.requestTime = settings.duration("server.request_time");
  options.limits.idleTime = settings.duration("server.idle_time");
  return options;
}

void logAccess(const Request& request, int status, std::size_t bytes,
               std::chrono::microseconds took) {
  log().info("access {} {} {} {} {} {} us", request.remote, printable(request.method),
             printable(request.path), status, bytes, took.count());
}

/// For where a plugin still holds threads: nothing that it may use can be destroyed any more.
[[noreturn]] void leaveWithout(const CallWatch& watch, Store& store) {
  for (const std::string& call : watch.hanging()) log().error("the host ends without it: {}", call);
  std::promise<void> written;
  store.barrier([&written](const std::string&) { written.set_value(); });
  if (written.get_future().wait_for(std::chrono::seconds(10)) != std::future_status::ready)
    log().error("the store does not answer");
  log().warn("stopped, while plugins were still at work");
  stopLog();
  ::_exit(0);
}

PluginFolders pluginFolders(const Settings& settings, const PluginCrashes* crashes) {
  // One Spark for batches and sessions, unless a manifest says otherwise.
  return {std::filesystem::absolute(pluginsFolder(settings)),
          settings.text("plugins.conf_dir"),
          {{"spark_home", settings.text("spark.home")},
           {"master", settings.text("spark.master")},
           {"deploy_mode", settings.text("spark.deploy_mode")}},
          crashes,
          settings.duration("plugins.call_limit")};
}

/// Lets running code come to its end, for at most `time`, or until a second signal.
void drain(SessionManager& manager, const sigset_t& signals, milliseconds time) {
  sigset_t wanted = signals;
  sigaddset(&wanted, SIGUSR1);
  manager.drain([main = pthread_self()] { pthread_kill(main, SIGUSR1); });
  const auto end = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    timespec rest{static_cast<time_t>(left.count() / 1000000000),
                  static_cast<long>(left.count() % 1000000000)};
    const int received = sigtimedwait(&wanted, nullptr, &rest);
    if (received == SIGUSR1) return log().info("no code runs any more");
    if (received == SIGTERM || received == SIGINT) break;
  }
  log().warn("code still runs, and is not waited for any longer");
}

}  // namespace

int serve(const std::function<Settings()>& load) {
  const Settings settings = load();
  refuseOpenDoor(settings);
  raiseDescriptorLimit();
  // Before any thread starts, so that all inherit the mask and the signals come to sigwait below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  sigset_t blocked = signals;
  sigaddset(&blocked, SIGUSR1);  // drain()'s
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  signal(SIGPIPE, SIG_IGN);

  try {
    startLog(settings.text("log.level"), settings.text("log.file"));
  } catch (const std::exception& error) {
    throw SettingsError(error.what());
  }
  crash::install();
  const BatchOptions batchLimits = batchOptions(settings);
  const std::string onShutdown = settings.text("session.on_shutdown");
  if (onShutdown != "end" && onShutdown != "detach")
    throw SettingsError("session.on_shutdown = " + onShutdown + " is neither end nor detach");
  const bool detach = onShutdown == "detach";
  const std::string data = dataFolder(settings);
  fs::create_directories(data + "/sessions");
  fs::permissions(data, fs::perms::owner_all);

  EventLoop loop("hearth-work", 4);
  SqliteStore store(data + "/hearth.db");
  PluginCrashes crashes(crashFolder(data), crashOptions(settings));
  const auto lastCrash = crashes.take(crashNote(data));
  crash::writeTo(crashNote(data));
  DiskFloor disk(data, settings.size("store.disk_floor"));
  Launcher launcher(loop, commaList(settings.text("driver.environment")));
  LinkServer links(loop, linkOptions(settings, data));
  CallWatch watch(loop, watchOptions(settings));
  PluginHost plugins(pluginFolders(settings, &crashes), launcher, links);
  Policy::Options rules = policyOptions(settings, *plugins.catalog(), data);
  const auto clusters = clusterFollowers(loop, clusterOptions(settings, *plugins.catalog(), rules));
  Policy policy(std::move(rules));
  SessionManager::Limits limits;
  limits.sessions = static_cast<std::size_t>(settings.number("session.limit"));
  SessionManager manager(
      SessionEnvironment{loop, plugins, store, sessionOptions(settings), clusters.get(), &policy,
                         &disk, nullptr, &watch, &crashes, lastCrash},
      data + "/sessions", limits);
  manager.recover();
  BatchManager batches(
      BatchEnvironment{loop, launcher, store, batchLimits, clusters.get(), &policy, &disk},
      data + "/batches");
  batches.recover();
  links.start();

  const SessionCalls livyCalls(manager, false, settings.duration("server.wait_max"));
  const SessionCalls v1Calls(manager, true, settings.duration("server.wait_max"));
  const BatchCalls::Limits batchCallLimits{settings.duration("server.wait_max"),
                                           settings.size("batch.upload_bytes")};
  const BatchCalls livyBatches(batches, BatchCalls::Face::livy, batchCallLimits);
  const BatchCalls v1Batches(batches, BatchCalls::Face::v1, batchCallLimits);
  Router router;
  addLivyRoutes(router, livyCalls);
  addLivyBatchRoutes(router, livyBatches);
  addV1BatchRoutes(router, v1Batches);
  addV1Routes(router, v1Calls, plugins, HEARTH_VERSION);
  addTemplateRoutes(router, policy);
  std::atomic<bool> leaving{false};
  addHealthRoutes(router, [&manager, &leaving, &disk] {
    Health health{HEARTH_VERSION, manager.liveCount(), {}};
    if (std::string full = disk.refusal(); !full.empty()) health.reasons.push_back(std::move(full));
    if (leaving) health.reasons.emplace_back("the server is shutting down");
    return health;
  });
  const Dispatcher dispatcher(router);
  HttpServer http(
      httpOptions(settings), [&](const ExchangePtr& exchange) { dispatcher.handle(exchange); },
      errorResponse, settings.boolean("log.access") ? HttpServer::AccessLog(logAccess) : nullptr);
  http.start();
  const std::string host = settings.text("server.host");
  std::printf("listening on http://%s:%u\n",
              host.find(':') == std::string::npos ? host.c_str() : ("[" + host + "]").c_str(),
              static_cast<unsigned>(http.port()));
  std::fflush(stdout);
  log().info("hearth {} serves {} kinds, data in {}", HEARTH_VERSION,
             plugins.catalog()->kinds().size(), data);

  Retention retention(loop, store, retentionOptions(settings), data + "/sessions",
                      data + "/batches");
  retention.start();
  Reload reload(settings, load, policy, plugins, manager, data);
  plugins.registry().watch([&reload] { reload.pluginsChanged(); });
  service::ready();
  int received = 0;
  while (sigwait(&signals, &received) != 0 || received == SIGHUP) {
    service::reloading();
    reload.run();
    plugins.registry().lookAgain();
    service::ready();
  }
  log().info("{}: {} {} sessions", received == SIGTERM ? "SIGTERM" : "SIGINT",
             detach ? "leaving" : "ending", manager.liveCount());
  leaving = true;
  const milliseconds drainTime = settings.duration("server.drain_time");
  const milliseconds closeTime = settings.duration("session.close_time") + std::chrono::seconds(5);
  const milliseconds killTime = settings.duration("batch.kill_grace") + std::chrono::seconds(5);
  service::stopping(drainTime + closeTime + killTime);
  if (drainTime.count() > 0 && !detach) drain(manager, signals, drainTime);
  // A second signal ends it at once.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  if (detach) links.leave();
  // Interpreters get their time, those that overstay it are killed within two seconds more.
  manager.shutdown(detach ? SessionManager::Stop::detach : SessionManager::Stop::end, closeTime);
  batches.shutdown(killTime);
  http.stop(milliseconds(500));
  const bool rested = plugins.registry().stop(pluginPatience);
  if (!rested)
    log().error("a plugin does not come back from create or destroy, and is not waited for");
  // Its thread cannot be ended, nor what it uses be destroyed.
  if (!loop.stop(std::chrono::seconds(3)) || !rested || manager.lingers())
    leaveWithout(watch, store);
  log().info("stopped");
  return 0;
}

}  // namespace hearth::host
