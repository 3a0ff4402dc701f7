// Requests per second and latencies of Hearth's HTTP server next to Poco's stock one.
//
// usage: http_bench [seconds per run] [connections] [server threads]
//
// Each server runs in a child process of its own with the same handler: a short JSON body. One
// thread drives keep-alive connections from the parent. As the load takes a core too, requests per
// second of the server's own processor time are given as well; these do not depend on what else is
// running.
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "http/HttpServer.h"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

const std::string kBody = R"({"id":0,"name":null,"state":"idle","kind":"spark","log":[]})";
constexpr int kHeld = 2000;

// ---- Servers, each in a child

class BareHandler : public Poco::Net::HTTPRequestHandler {
 public:
  void handleRequest(Poco::Net::HTTPServerRequest&,
                     Poco::Net::HTTPServerResponse& response) override {
    response.setContentType("application/json");
    response.sendBuffer(kBody.data(), kBody.size());
  }
};

class BareFactory : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  Poco::Net::HTTPRequestHandler* createRequestHandler(
      const Poco::Net::HTTPServerRequest&) override {
    return new BareHandler;
  }
};

/// Reports its port through `report` and serves until the parent has gone or ends it.
using Serve = std::function<void(int report)>;

void tell(int report, std::uint16_t port) {
  if (::write(report, &port, sizeof port) != sizeof port) std::exit(1);
}

void servePoco(int report, int connections) {
  Poco::Net::HTTPServerParams::Ptr params = new Poco::Net::HTTPServerParams;
  params->setKeepAlive(true);
  params->setMaxKeepAliveRequests(0);
  params->setMaxThreads(connections + 1);
  Poco::ThreadPool pool(2, connections + 2);
  Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));
  Poco::Net::HTTPServer server(new BareFactory, pool, socket, params);
  server.start();
  tell(report, server.port());
  ::pause();
}

void serveHearth(int report, unsigned threads) {
  using namespace hearth::host;
  std::mutex mutex;
  std::vector<ExchangePtr> held;
  HttpOptions options;
  options.port = 0;
  options.threads = threads;
  HttpServer server(
      options,
      [&](const ExchangePtr& exchange) {
        if (exchange->request().path == "/hold") {
          const std::lock_guard lock(mutex);
          held.push_back(exchange);
        } else {
          exchange->send(Response::json(200, kBody));
        }
      },
      nullptr, nullptr);
  server.start();
  tell(report, server.port());
  ::pause();
}

class Child {
 public:
  explicit Child(const Serve& serve) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    std::fflush(stdout);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      serve(ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    if (::read(ends[0], &port_, sizeof port_) != sizeof port_)
      throw std::runtime_error("no server");
    ::close(ends[0]);
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::uint16_t port() const { return port_; }
  double cpuSeconds() const {
    clockid_t clock = 0;
    timespec time{};
    if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }
  long statusLine(const std::string& name) const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.rfind(name + ':', 0) == 0) return std::atol(line.c_str() + name.size() + 1);
    return 0;
  }

 private:
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

// ---- Load

int connectTo(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
  return socket;
}

void sendRequest(int socket, const std::string& path) {
  const std::string request = "GET " + path +
                              " HTTP/1.1\r\nHost: 127.0.0.1:8998\r\nUser-Agent: bench\r\n"
                              "Accept: application/json\r\n\r\n";
  if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    throw std::runtime_error("cannot send");
}

struct Result {
  double perSecond = 0, perCpuSecond = 0, p50 = 0, p99 = 0;  // milliseconds
};

Result drive(const Child& server, int connections, double seconds) {
  struct Line {
    int socket = -1;
    std::string received;
    Clock::time_point sent;
  };
  const int poll = ::epoll_create1(0);
  std::vector<Line> lines(static_cast<std::size_t>(connections));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    lines[i].socket = connectTo(server.port());
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, lines[i].socket, &event);
  }
  std::vector<float> times;
  times.reserve(static_cast<std::size_t>(seconds * 200000));
  const double cpuBefore = server.cpuSeconds();
  const auto begin = Clock::now();
  for (Line& line : lines) {
    line.sent = Clock::now();
    sendRequest(line.socket, "/sessions/0");
  }
  while (Seconds(Clock::now() - begin).count() < seconds) {
    epoll_event events[64];
    const int count = ::epoll_wait(poll, events, 64, 1000);
    if (count <= 0) throw std::runtime_error("the server does not answer");
    for (int e = 0; e < count; ++e) {
      Line& line = lines[events[e].data.u64];
      char piece[4096];
      const ssize_t size = ::recv(line.socket, piece, sizeof piece, 0);
      if (size <= 0) throw std::runtime_error("the server has closed");
      line.received.append(piece, static_cast<std::size_t>(size));
      const std::size_t end = line.received.find("\r\n\r\n");
      if (end == std::string::npos || line.received.size() < end + 4 + kBody.size()) continue;
      if (line.received.compare(9, 3, "200") != 0) throw std::runtime_error("not 200");
      line.received.clear();
      const auto now = Clock::now();
      times.push_back(std::chrono::duration<float, std::milli>(now - line.sent).count());
      line.sent = now;
      sendRequest(line.socket, "/sessions/0");
    }
  }
  Result result;
  const auto count = static_cast<double>(times.size());
  result.perSecond = count / Seconds(Clock::now() - begin).count();
  result.perCpuSecond = count / (server.cpuSeconds() - cpuBefore);
  std::sort(times.begin(), times.end());
  result.p50 = static_cast<double>(times[times.size() / 2]);
  result.p99 = static_cast<double>(times[times.size() * 99 / 100]);
  for (const Line& line : lines) ::close(line.socket);
  ::close(poll);
  return result;
}

void print(const std::string& name, const Result& result) {
  std::printf("%-24s %9.0f req/s %9.0f req/cpu-s   p50 %7.3f ms   p99 %7.3f ms\n", name.c_str(),
              result.perSecond, result.perCpuSecond, result.p50, result.p99);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare(double seconds, int connections, unsigned threads) {
  std::printf("small GET, %d keep-alive connections, %u threads of hearth\n", connections, threads);
  std::vector<double> wall, cpu;
  for (int round = 0; round < 5; ++round) {
    Result poco, hearth;
    {
      const Child server([&](int report) { servePoco(report, connections); });
      poco = drive(server, connections, seconds);
    }
    {
      const Child server([&](int report) { serveHearth(report, threads); });
      hearth = drive(server, connections, seconds);
    }
    print("stock Poco", poco);
    print("hearth", hearth);
    wall.push_back(hearth.perSecond / poco.perSecond);
    cpu.push_back(hearth.perCpuSecond / poco.perCpuSecond);
  }
  std::printf("hearth / Poco, median of 5: %.2f by wall time, %.2f by processor time\n",
              median(wall), median(cpu));
}

void hold(double seconds, int connections, unsigned threads) {
  const Child server([&](int report) { serveHearth(report, threads); });
  print("nothing held", drive(server, connections, seconds));
  const long before = server.statusLine("VmRSS");
  std::vector<int> held;
  for (int i = 0; i < kHeld; ++i) {
    held.push_back(connectTo(server.port()));
    sendRequest(held.back(), "/hold");
  }
  print(std::to_string(kHeld) + " held", drive(server, connections, seconds));
  const long after = server.statusLine("VmRSS");
  std::printf("%d held requests: %ld kB more resident, %.2f kB each; %ld threads\n", kHeld,
              after - before, static_cast<double>(after - before) / kHeld,
              server.statusLine("Threads"));
  for (const int socket : held) ::close(socket);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
    const int connections = argc > 2 ? std::atoi(argv[2]) : 16;
    const auto threads = static_cast<unsigned>(argc > 3 ? std::atoi(argv[3]) : 4);
    if (seconds <= 0 || connections <= 0 || threads == 0) {
      std::fprintf(stderr, "usage: http_bench [seconds per run] [connections] [server threads]\n");
      return 2;
    }
    compare(seconds, connections, threads);
    hold(seconds, connections, threads);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "http_bench: %s\n", error.what());
    return 1;
  }
}
