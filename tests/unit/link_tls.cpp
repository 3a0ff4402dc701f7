// The link over TLS: drivers on other machines, and whoever else finds the port.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <thread>

#include "link/LinkServer.h"
#include "link_driver.h"
#include "support/FileContent.h"
#include "temp_folder.h"

using namespace hearth::host;
using namespace hearth::test;
using Event = Link::Event;

namespace {

struct Bench {
  explicit Bench(LinkOptions with = {}) : options(std::move(with)) {
    options.socket = folder / "link.sock";
    server = std::make_unique<LinkServer>(loop, options);
    server->start();
  }
  std::shared_ptr<Link> offer(const std::string& session, Recorder& recorder,
                              Reach reach = Reach::network) {
    std::filesystem::create_directories(folder / session);
    return server->offer(session, folder / session, loop.strand(), recorder.events(), reach);
  }
  std::string text(const char* file) const { return fileContent(folder / file); }
  std::uint16_t port() const { return static_cast<std::uint16_t>(std::stoi(text("link.port"))); }
  TlsTo tls() const { return TlsTo{port()}; }

  TempFolder folder;
  LinkOptions options;
  EventLoop loop{"test", 2};
  std::unique_ptr<LinkServer> server;
};

Frame execute(const std::string& code) {
  Frame frame;
  frame.channel = 1;
  frame.type = static_cast<std::uint8_t>(FrameType::execute);
  frame.payload = code;
  return frame;
}

/// A connection without TLS, to be misused.
class Raw {
 public:
  explicit Raw(std::uint16_t port) : fd_(dial(port)) {}
  ~Raw() {
    if (fd_ >= 0) ::close(fd_);
  }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  bool write(const std::string& bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  /// True when the host hangs up, whatever it says before.
  bool hungUp(int millis = 20000) {
    char bytes[4096];
    for (;;) {
      pollfd wait{fd_, POLLIN, 0};
      if (::poll(&wait, 1, millis) != 1) return false;
      if (::recv(fd_, bytes, sizeof bytes, 0) <= 0) return true;
    }
  }

 private:
  int fd_;
};

/// What a client of TLS says first.
std::string clientHello() {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL* const tls = SSL_new(context);
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(tls, BIO_new(BIO_s_mem()), out);
  SSL_connect(tls);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  std::string hello(bytes, static_cast<std::size_t>(size));
  SSL_free(tls);
  SSL_CTX_free(context);
  return hello;
}

}  // namespace

TEST_CASE("a driver on another machine gets through and knows the host by its pin", "[tls]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  const LinkFile file = readLinkFile(link->linkFile());
  CHECK(file.endpoint == "tls:127.0.0.1:" + std::to_string(bench.port()));
  Driver driver(bench.tls());
  REQUIRE(driver.connected());
  CHECK(driver.pin() == file.pin);
  CHECK(file.pin.size() == 64);
  REQUIRE(driver.shake(file, 0) == 0u);
  CHECK(driver.hostProved);

  std::string large(20 * 1024 * 1024 + 7, 'x');
  large[large.size() / 2] = 'y';
  std::thread writer([&] {
    for (int i = 1; i <= 100; ++i) driver.write(Driver::data(i, std::to_string(i)));
    driver.write(Driver::data(101, large));
  });
  CHECK(recorder.waitFrames(101));
  writer.join();
  CHECK(recorder.frames().at(100).payload == large);
  for (int i = 0; i < 100; ++i) CHECK(recorder.frames().at(i).payload == std::to_string(i + 1));

  link->send(execute("small"));
  link->send(execute(large));
  const auto first = driver.readData();
  const auto second = driver.readData();
  REQUIRE((first && second));
  CHECK(first->payload == "small");
  CHECK(second->payload == large);
  driver.hangUp();
  CHECK(recorder.waitEvents({Event::up, Event::down}));

  Driver again(bench.tls());
  REQUIRE(again.shake(file, 2) == 101u);
  CHECK(recorder.waitEvents({Event::up, Event::down, Event::back}));
}

TEST_CASE("no port is open where all drivers are on this machine", "[tls]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder, Reach::local);
  CHECK_FALSE(std::filesystem::exists(bench.folder / "link.port"));
  CHECK_FALSE(std::filesystem::exists(bench.folder / "link.pem"));
  CHECK(readLinkFile(link->linkFile()).pin.empty());
}

TEST_CASE("after a restart drivers find the host at its port and know it", "[tls]") {
  Bench bench;
  Recorder recorder;
  auto link = bench.offer("7", recorder);
  const LinkFile file = readLinkFile(link->linkFile());
  const std::uint16_t port = bench.port();
  struct stat status {};
  REQUIRE(::stat((bench.folder / "link.pem").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  {
    Driver driver(bench.tls());
    REQUIRE(driver.shake(file, 0));
  }
  link.reset();
  bench.server.reset();
  CHECK(dial(port) < 0);
  bench.server = std::make_unique<LinkServer>(bench.loop, bench.options);
  bench.server->start();
  {
    // Also one whose session the host does not know any more, to be told so.
    Driver forgotten(TlsTo{port});
    CHECK_FALSE(forgotten.shake(file, 0));
    CHECK(forgotten.refusal == "there is no such session");
  }
  link = bench.server->resume("7", bench.folder / "7", bench.loop.strand(), recorder.events());
  link->admit();
  Driver driver(TlsTo{port});
  REQUIRE(driver.connected());
  CHECK(driver.pin() == file.pin);
  CHECK(driver.shake(file, 0));
}

TEST_CASE("a port that somebody else has taken meanwhile is no obstacle, one that was set is",
          "[tls]") {
  Bench first;
  Recorder recorder;
  const auto link = first.offer("7", recorder);
  const std::uint16_t port = first.port();
  Bench second;
  std::ofstream(second.folder / "link.port") << port;
  const auto other = second.offer("7", recorder);
  CHECK(second.port() != port);
  CHECK(Driver(second.tls()).connected());

  LinkOptions fixed;
  fixed.tls.port = port;
  Bench third(fixed);
  CHECK_THROWS_WITH(third.offer("7", recorder), Catch::Contains(std::to_string(port)));
  fixed.openTls = true;
  CHECK_THROWS_WITH(Bench(fixed), Catch::Contains(std::to_string(port)));
}

TEST_CASE("a key that cannot be read is never replaced", "[tls]") {
  Bench bench;
  Recorder recorder;
  std::ofstream(bench.folder / "link.pem") << "precious";
  CHECK_THROWS_WITH(bench.offer("7", recorder), Catch::Contains("link.pem is not the key"));
  CHECK(bench.text("link.pem") == "precious");
}

TEST_CASE("the name that drivers dial is the one that was set", "[tls]") {
  LinkOptions options;
  options.tls.advertise = "gate.example";
  Bench bench(options);
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  CHECK(readLinkFile(link->linkFile()).endpoint ==
        "tls:gate.example:" + std::to_string(bench.port()));
}

TEST_CASE("a peer of the port without the secret gets nowhere", "[tls]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  LinkFile file = readLinkFile(link->linkFile());

  SECTION("the wrong secret") {
    LinkFile wrong = file;
    wrong.secret = std::string(64, '0');
    Driver driver(bench.tls());
    CHECK_FALSE(driver.shake(wrong, 0));
    CHECK(driver.refusal == "the proof is wrong");
    CHECK(driver.hungUp());
  }
  SECTION("no TLS") {
    Raw raw(bench.port());
    raw.write(Driver::bytesOf(Driver::control(FrameType::hello, "{\"protocol\":1}")));
    CHECK(raw.hungUp());
    Raw web(bench.port());
    web.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(web.hungUp());
  }
  SECTION("random bytes, alone, in TLS's own frame or after a true beginning") {
    std::mt19937 random(20261126);
    const std::string hello = clientHello();
    for (int round = 0; round < 200; ++round) {
      std::string bytes(20 + random() % 300, '\0');
      std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
      if (round % 3 == 1) bytes = std::string("\x16\x03\x01\x01\x00", 5) + bytes;
      if (round % 3 == 2) bytes = hello + bytes;
      Raw raw(bench.port());
      raw.write(bytes);
    }
  }
  SECTION("a record of TLS without end") {
    Raw raw(bench.port());
    raw.write(std::string("\x16\x03\x01\x40\x00\x01\x00\xff\xff", 9));
    for (int i = 0; i < 300 && raw.write(std::string(1024, 'x')); ++i) {
    }
    CHECK(raw.hungUp());
  }
  SECTION("a frame above 4 KiB within TLS") {
    Driver driver(bench.tls());
    REQUIRE(driver.connected());
    driver.writeBytes(Driver::bytesOf(Driver::control(FrameType::hello, std::string(4097, ' ')))
                          .substr(0, frameHeaderBytes));
    CHECK(driver.hungUp());
  }
  Driver good(bench.tls());
  CHECK(good.shake(file, 0) == 0u);
  CHECK(recorder.waitEvents({Event::up}));
}

TEST_CASE("a peer that dawdles through TLS is hung up on", "[tls]") {
  LinkOptions options;
  options.handshakeTime = std::chrono::milliseconds(300);
  Bench bench(options);
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  Raw silent(bench.port());
  Raw halfway(bench.port());
  halfway.write(clientHello());
  Raw slow(bench.port());
  std::atomic<bool> over{false};
  std::thread trickle([&] {
    for (const char byte : clientHello()) {
      if (over || !slow.write(std::string(1, byte))) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  Driver quiet(bench.tls());  // TLS in order, and then nothing
  CHECK(silent.hungUp());
  CHECK(halfway.hungUp());
  CHECK(slow.hungUp());
  CHECK(quiet.hungUp());
  over = true;
  trickle.join();
}

TEST_CASE("a crowd that never speaks keeps no driver out and is not kept", "[tls]") {
  LinkOptions options;
  options.handshakeTime = std::chrono::minutes(10);  // not what helps here
  Bench bench(options);
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  std::vector<std::unique_ptr<Raw>> crowd;
  for (int i = 0; i < 200; ++i) crowd.push_back(std::make_unique<Raw>(bench.port()));
  Driver driver(bench.tls());
  REQUIRE(driver.connected());
  CHECK(driver.shake(readLinkFile(link->linkFile()), 0) == 0u);
  // All but a bounded number were turned out to let it in.
  int gone = 0;
  for (const auto& raw : crowd) gone += raw->hungUp(0);
  CHECK(gone >= 200 - 64);
}

TEST_CASE("a TLS link dropped while frames arrive tells nothing afterwards", "[tls]") {
  Bench bench;
  Recorder keeper;
  const auto kept = bench.offer("keeps the port open", keeper);
  for (int round = 0; round < 10; ++round) {
    std::filesystem::create_directories(bench.folder / "7");
    auto alive = std::make_unique<std::atomic<int>>(0);  // a late event would touch freed memory
    std::atomic<int>* counter = alive.get();
    std::promise<void> arrived;
    auto link = bench.server->offer("7", bench.folder / "7", bench.loop.strand(),
                                    {nullptr,
                                     [counter, &arrived](const Frame&) {
                                       if (++*counter == 20) arrived.set_value();
                                     }},
                                    Reach::network);
    const LinkFile file = readLinkFile(link->linkFile());
    std::thread driverThread([&] {
      Driver driver(bench.tls());
      if (!driver.shake(file, 0)) return;
      for (int i = 1; driver.write(Driver::data(i, "x")) && i < 100000; ++i) {
      }
    });
    const bool came =
        arrived.get_future().wait_for(Recorder::patience) == std::future_status::ready;
    link.reset();
    alive.reset();
    driverThread.join();
    REQUIRE(came);
  }
}

TEST_CASE("40 drivers dial in by TLS at once and hear nothing of each other", "[tls]") {
  Bench bench;
  constexpr int links = 40;
  std::vector<Recorder> recorders(links);
  std::vector<std::shared_ptr<Link>> held;
  for (int i = 0; i < links; ++i) held.push_back(bench.offer(std::to_string(i), recorders[i]));
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = t; i < links; i += 4) {
        Driver driver(bench.tls());
        if (!driver.shake(readLinkFile(held[i]->linkFile()), 0)) return;
        held[i]->send(execute(std::to_string(i)));
        driver.write(Driver::data(1, std::to_string(i)));
        const auto frame = driver.readData();
        if (frame && frame->payload == std::to_string(i) && recorders[i].waitFrames(1) &&
            recorders[i].frames()[0].payload == std::to_string(i))
          ++good;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(good == links);
}
