#include "session/SessionManager.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <future>
#include <stdexcept>

#include "policy/Templates.h"
#include "session/PolicyCall.h"
#include "support/Digest.h"
#include "support/FaultPoint.h"
#include "support/JsonWriter.h"
#include "support/Log.h"
#include "support/Time.h"

namespace hearth::host {

namespace fs = std::filesystem;

namespace {

// Livy's list carries every session; a page has to end somewhere.
constexpr std::int64_t maxPage = 10000;
// Results may be large: a page of statements ends early rather than to take all memory.
constexpr std::size_t maxPageBytes = 64u << 20;

void refuse(const SessionManager::Created& done, const Refusal& refusal) {
  done(SessionManager::Result{{}, false, refusal});
}

std::string notFound(const std::string& idOrName) {
  return "Session '" + idOrName + "' not found.";
}

}  // namespace

SessionManager::SessionManager(SessionEnvironment environment, std::string folder, Limits limits)
    : cache_(environment.options.cachedTotalBytes),
      environment_(std::move(environment)),
      folders_(environment_.loop),
      folder_(std::move(folder)),
      limits_(limits) {
  environment_.cache = &cache_;
}

SessionManager::~SessionManager() = default;

void SessionManager::recover() {
  for (SessionRow& row : environment_.store.openSessions()) {
    faultPoint("session.recover.before");
    try {
      takeUp(row);
    } catch (const std::exception& error) {
      bury(std::move(row), error.what());
    }
  }
  // Clients read what is committed: the first of them must not find a dead session alive.
  std::promise<std::string> written;
  environment_.store.barrier([&written](const std::string& error) { written.set_value(error); });
  const std::string error = written.get_future().get();
  faultPoint("session.recover.after");
  if (!error.empty()) throw StoreError(error);
}

void SessionManager::takeUp(const SessionRow& row) {
  const auto& crash = environment_.lastCrash;
  if (crash && crash->session == row.id) {
    if (crash->ofSession > 1)
      throw std::runtime_error("it has crashed the host " + std::to_string(crash->ofSession) +
                               " times and is not taken up again");
    // Started anew, it would do the same anew.
    if (RecoveryRecord::parse(row.recovery).interpreters.empty())
      throw std::runtime_error("it has crashed the host as it started");
  }
  CreateRequest request;
  try {
    request = CreateRequest::parseStored(row.request);
  } catch (const Refusal& refusal) {
    throw std::runtime_error(std::string("its request cannot be read: ") + refusal.what());
  }
  UsageLedger::Lease lease;
  if (environment_.policy)
    lease = policyLease(*environment_.policy, row.owner, Resource::session, request);
  const auto session = std::make_shared<Session>(environment_, row, std::move(request),
                                                 [this](Session& ended) { retire(ended); });
  {
    // First: it may end at once.
    const std::lock_guard<std::mutex> lock(mutex_);
    live_[row.id] = session;
    leases_[row.id] = std::move(lease);
    if (!row.name.empty()) names_[row.name] = row.id;
  }
  try {
    session->takeUp(environment_.store.openStatements(row.id),
                    environment_.store.statementSpan(row.id));
  } catch (...) {
    retire(*session);
    throw;
  }
}

// One that is lost.
void SessionManager::bury(SessionRow row, const std::string& reason) {
  const auto& crash = environment_.lastCrash;
  const std::string end = crash ? "the host crashed (" + crash->text + ")" : "the host ended";
  for (StatementRow& statement : environment_.store.openStatements(row.id)) {
    statement.state = std::string(name(StatementState::available));
    statement.outcome = "error";
    statement.bundle = R"({"ename":"Error","evalue":)" +
                       jsonQuoted(end + " while this statement was open") + R"(,"traceback":[]})";
    statement.progress = 1.0;
    statement.completed = nowMillis();
    environment_.store.putStatement(std::move(statement), nullptr);
  }
  row.state = std::string(name(SessionState::dead));
  row.reason = end + " without ending this session: " + reason;
  row.stateSince = row.ended = nowMillis();
  row.recovery.clear();
  log().warn("session {}: dead: {}", row.id, row.reason);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(row.folder, ignored))
    if (entry.path().filename().string().rfind("work", 0) == 0)
      fs::remove_all(entry.path(), ignored);
  environment_.store.putSession(std::move(row), nullptr);
}

void SessionManager::create(CreateRequest request, const std::string& owner,
                            const std::string& idempotencyKey, Created done) {
  const std::string& key = idempotencyKey;
  const std::string digest = key.empty() ? std::string() : sha256(request.toJson());
  keys_.create(
      owner, key, digest, std::move(done),
      [&]() -> std::optional<Keys::Earlier> {
        const auto row = environment_.store.sessionByKey(owner, key);
        if (!row) return std::nullopt;
        return Keys::Earlier{row->requestDigest,
                             Result{find(std::to_string(row->id), true), true, std::nullopt}};
      },
      [&](Created made) { add(std::move(request), owner, key, digest, std::move(made)); });
}

// A plugin of which too many calls hang gets no more of them.
std::string SessionManager::whyHangs(const std::string& kind) const {
  const auto catalog = environment_.plugins.catalog();
  const CatalogEntry* const entry =
      catalog->find(kind == "shared" ? environment_.options.sharedKind : kind);
  if (entry == nullptr || !environment_.watch) return {};
  return environment_.watch->refusal(entry->instance);
}

/// What the manifests of the kind and of its leader say, the kind's own first.
std::vector<const InstanceRules*> SessionManager::rulesFor(const PluginCatalog& catalog,
                                                           const std::string& kind) const {
  std::vector<const InstanceRules*> rules;
  const CatalogEntry* const main =
      catalog.find(kind.empty() || kind == "shared" ? environment_.options.sharedKind : kind);
  if (main == nullptr) return rules;
  rules.push_back(&main->rules);
  const CatalogEntry* const leader = main->leader.empty() ? nullptr : catalog.find(main->leader);
  if (leader != nullptr && leader != main) rules.push_back(&leader->rules);
  return rules;
}

void SessionManager::add(CreateRequest request, const std::string& owner, const std::string& key,
                         const std::string& digest, Created done) {
  using Cause = Refusal::Cause;
  UsageLedger::Lease lease;
  SessionRow row;
  std::shared_ptr<Session> session;
  std::optional<Refusal> refused;
  try {
    const auto catalog = environment_.plugins.catalog();
    if (environment_.policy)
      lease = applyPolicy(*environment_.policy, owner, Resource::session, request,
                          [&](SparkRequest& wanted) {
                            for (const InstanceRules* rules : rulesFor(*catalog, wanted.kind))
                              template_fields::putUnder(wanted, rules->defaults);
                          });
    row.kind = "shared";
    if (!request.kind.empty() && request.kind != row.kind) {
      row.kind = catalog->canonicalKind(request.kind);
      std::string why = row.kind.empty() ? catalog->whyNot(request.kind) : std::string();
      if (row.kind.empty() && why.empty() && environment_.crashes)
        why = environment_.crashes->whyNoKind(request.kind);
      if (row.kind.empty())
        throw Refusal(Cause::invalid, "Invalid kind: " + request.kind +
                                          (why.empty() ? std::string() : " (" + why + ")"));
    }
    for (const InstanceRules* rules : rulesFor(*catalog, request.kind)) {
      if (request.ttl.empty()) request.ttl = rules->ttl;
      if (request.idleTimeout.empty()) request.idleTimeout = rules->idleTimeout;
      if (request.heartbeatTimeoutInSecond == 0)
        request.heartbeatTimeoutInSecond = rules->heartbeatTimeoutInSecond;
    }
    if (const std::string hangs = whyHangs(row.kind); !hangs.empty())
      throw Refusal(Cause::plugin, hangs);
    if (const std::string full = environment_.disk ? environment_.disk->refusal() : std::string();
        !full.empty())
      throw Refusal(Cause::storage, full);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) throw Refusal(Cause::stopping, "the server is shutting down");
    if (live_.size() >= limits_.sessions)
      throw Refusal(Cause::limit, "Rejected, too many sessions are being created!");
    if (request.name) {
      const auto taken = names_.find(*request.name);
      if (taken != names_.end())
        throw Refusal(Cause::conflict, "Duplicate session name: Some(" + *request.name +
                                           ") for session " + std::to_string(taken->second));
      row.name = *request.name;
    }
    row.id = environment_.store.nextSessionId();
    row.owner = owner;
    row.proxyUser = request.proxyUser;
    row.idempotencyKey = key;
    row.requestDigest = digest;
    row.state = std::string(name(SessionState::starting));
    row.request = request.toJson();
    row.folder = folder_ + "/" + std::to_string(row.id);
    row.created = row.stateSince = nowMillis();
    fs::create_directories(row.folder);
    fs::permissions(row.folder, fs::perms::owner_all);
    session = std::make_shared<Session>(environment_, row, std::move(request),
                                        [this](Session& ended) { retire(ended); });
    live_[row.id] = session;
    leases_[row.id] = std::move(lease);
    if (!row.name.empty()) names_[row.name] = row.id;
  } catch (const Refusal& refusal) {
    refused = refusal;
  } catch (const std::exception& error) {
    refused = Refusal(Cause::storage, error.what());
  }
  if (refused) {
    lease = UsageLedger::Lease();  // first, so that who is told can have the place
    return refuse(done, *refused);
  }
  session->check(
      [this, row, session, done = std::move(done)](const std::optional<Refusal>& refusal) mutable {
        if (refusal) {
          drop(*session);
          return refuse(done, *refusal);
        }
        faultPoint("session.create.before");
        environment_.store.putSession(
            row, [this, session, done = std::move(done)](const std::string& error) {
              if (!error.empty()) {
                drop(*session);
                return refuse(done, Refusal(Cause::storage, error));
              }
              log().info("session {}: created, kind {}", session->id(), session->row().kind);
              session->start();
              done(Result{SessionView{session->row(), session}, false, std::nullopt});
            });
      });
}

// One that nobody was told of.
void SessionManager::drop(Session& session) {
  session.abandon();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto found = live_.find(session.id()); found != live_.end()) watchOver(found->second);
  }
  std::error_code ignored;
  fs::remove_all(session.row().folder, ignored);
  retire(session);
}

void SessionManager::watchOver(const std::shared_ptr<Session>& session) {
  lingering_.erase(std::remove_if(lingering_.begin(), lingering_.end(),
                                  [](const auto& gone) { return gone.expired(); }),
                   lingering_.end());
  lingering_.push_back(session);
}

bool SessionManager::lingers() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !live_.empty() || std::any_of(lingering_.begin(), lingering_.end(),
                                       [](const auto& session) { return !session.expired(); });
}

void SessionManager::retire(Session& session) {
  std::shared_ptr<Session> last;  // is not to be destroyed under the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = live_.find(session.id());
  if (found == live_.end()) return;
  last = found->second;
  if (session.givenUp()) watchOver(last);
  live_.erase(found);
  leases_.erase(session.id());
  const auto named = names_.find(session.row().name);
  if (named != names_.end() && named->second == session.id()) names_.erase(named);
  if (live_.empty()) empty_.notify_all();
}

SessionView SessionManager::find(const std::string& idOrName, bool withDeleted) const {
  const bool digits = !idOrName.empty() && std::all_of(idOrName.begin(), idOrName.end(),
                                                       [](char c) { return c >= '0' && c <= '9'; });
  std::int64_t id = -1;
  if (digits) {
    const auto [rest, error] =
        std::from_chars(idOrName.data(), idOrName.data() + idOrName.size(), id);
    if (error != std::errc() || id > 2147483647)
      throw Refusal(Refusal::Cause::parameter,
                    "For input string: \"" + idOrName.substr(0, 100) + "\"");
  }
  std::shared_ptr<Session> live;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!digits) {
      const auto named = names_.find(idOrName);
      if (named != names_.end()) id = named->second;
    }
    const auto found = live_.find(id);
    if (found != live_.end()) live = found->second;
  }
  if (live) {
    live->heartbeat();
    SessionView view{live->row(), live};
    if (!view.row.deleted || withDeleted) return view;
    throw Refusal(Refusal::Cause::noSession, notFound(idOrName));
  }
  auto row = id >= 0 ? environment_.store.session(id) : environment_.store.sessionByName(idOrName);
  if (!row || (row->deleted && !withDeleted))
    throw Refusal(Refusal::Cause::noSession, notFound(idOrName.substr(0, 300)));
  if (row->ended == 0) {
    // Left for the next run of the host: nobody here can do anything with it.
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) throw Refusal(Refusal::Cause::stopping, "the server is shutting down");
  }
  return SessionView{std::move(*row), nullptr};
}

SessionManager::Page SessionManager::list(std::int64_t from, std::int64_t size,
                                          bool withDeleted) const {
  Page page;
  page.total = environment_.store.countSessions(withDeleted);
  if (from < 0 || size <= 0) return page;
  std::vector<SessionRow> rows =
      environment_.store.sessions(from, std::min(size, maxPage), withDeleted);
  for (SessionRow& row : rows) {
    SessionView view;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = live_.find(row.id);
      if (found != live_.end()) view.live = found->second;
    }
    view.row = view.live ? view.live->row() : std::move(row);
    page.sessions.push_back(std::move(view));
  }
  return page;
}

Session::StatementPtr SessionManager::statement(const SessionView& view, std::int64_t id) const {
  if (view.live) {
    if (auto found = view.live->statement(id)) return found;
  }
  if (auto row = environment_.store.statement(view.row.id, id))
    return std::make_shared<StatementRow>(std::move(*row));
  throw Refusal(Refusal::Cause::noStatement, "Statement not found");
}

SessionManager::StatementPage SessionManager::statements(const SessionView& view, std::int64_t from,
                                                         std::int64_t size, bool descending) const {
  StatementPage page;
  page.total =
      view.live ? view.live->statementCount() : environment_.store.countStatements(view.row.id);
  if (from < 0 || size <= 0) return page;
  std::size_t bytes = 0;
  std::int64_t step = 16;
  for (std::int64_t left = std::min(size, maxPage); left > 0;) {
    const std::int64_t asked = std::min(left, step);
    auto rows = environment_.store.statements(view.row.id, from, asked, descending);
    for (StatementRow& row : rows) {
      // New statements shift those that are counted from the newest: this one was here already.
      if (descending && !page.statements.empty() && row.id >= page.statements.back()->id) continue;
      --left;
      // What is in memory is newer than what the store has.
      Session::StatementPtr live = view.live ? view.live->statement(row.id) : nullptr;
      page.statements.push_back(live ? live : std::make_shared<StatementRow>(std::move(row)));
      const StatementRow& taken = *page.statements.back();
      bytes += taken.code.size() + taken.bundle.size() + taken.out.size() + taken.err.size() +
               taken.displays.size();
      if (bytes > maxPageBytes) return page;
    }
    if (static_cast<std::int64_t>(rows.size()) < asked) break;
    from += asked;
    if (bytes < maxPageBytes / 8) step *= 2;
  }
  return page;
}

void SessionManager::hide(SessionRow row, Store::Done done) {
  row.deleted = true;
  environment_.store.putSession(std::move(row), std::move(done));
}

std::size_t SessionManager::liveCount() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return live_.size();
}

void SessionManager::setLimits(Limits limits) {
  const std::lock_guard<std::mutex> lock(mutex_);
  limits_ = limits;
}

void SessionManager::drain(std::function<void()> rested) {
  // The last one that lets go of it calls.
  const std::shared_ptr<void> guard(nullptr, [rested = std::move(rested)](void*) { rested(); });
  const std::lock_guard<std::mutex> lock(mutex_);
  stopping_ = true;
  for (const auto& entry : live_) entry.second->drain([guard] {});
}

void SessionManager::shutdown(Stop how, std::chrono::milliseconds time) {
  std::vector<std::shared_ptr<Session>> all;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    for (const auto& entry : live_) all.push_back(entry.second);
  }
  const std::string reason = "the server was stopped";
  for (const auto& session : all) {
    if (how == Stop::detach)
      session->detach(reason);
    else
      session->end(SessionState::dead, reason, false, nullptr);
  }
  all.clear();
  std::unique_lock<std::mutex> lock(mutex_);
  if (!empty_.wait_for(lock, time, [this] { return live_.empty(); }))
    log().error("{} sessions did not end in time", live_.size());
}

}  // namespace hearth::host
