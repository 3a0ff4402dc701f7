#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <thread>

#include "link/LinkServer.h"
#include "link_driver.h"
#include "temp_folder.h"

using namespace hearth::host;
using namespace hearth::test;
using Event = Link::Event;

namespace {

/// A listening server and what it needs.
struct Bench {
  explicit Bench(LinkOptions with = {}) : options(std::move(with)) {
    options.socket = folder / "link.sock";
    server = std::make_unique<LinkServer>(loop, options);
    server->start();
  }
  std::shared_ptr<Link> offer(const std::string& session, Recorder& recorder) {
    std::filesystem::create_directory(folder / session);
    return server->offer(session, folder / session, loop.strand(), recorder.events());
  }
  Driver driver() const { return Driver(options.socket); }

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

std::vector<std::string> payloads(const std::vector<Frame>& frames) {
  std::vector<std::string> texts;
  for (const Frame& frame : frames) texts.push_back(frame.payload);
  return texts;
}

}  // namespace

TEST_CASE("a driver with the secret gets through and frames go both ways in order", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  CHECK_FALSE(link->connected());
  REQUIRE(link->send(execute("early")));

  const LinkFile file = readLinkFile(link->linkFile());
  CHECK(file.endpoint == "unix:" + bench.options.socket);
  CHECK(file.orphanSeconds == 600);
  Driver driver = bench.driver();
  REQUIRE(driver.shake(file, 0) == 0u);
  CHECK(driver.hostProved);
  REQUIRE(recorder.waitEvents({Event::up}));
  CHECK(link->connected());

  REQUIRE(link->send(execute("late")));
  const auto first = driver.readData();
  const auto second = driver.readData();
  REQUIRE((first && second));
  CHECK(first->payload == "early");
  CHECK(first->sequence == 1);
  CHECK(second->payload == "late");
  CHECK(second->sequence == 2);

  for (int i = 1; i <= 100; ++i) driver.write(Driver::data(i, std::to_string(i)));
  REQUIRE(recorder.waitFrames(100));
  const std::vector<Frame> frames = recorder.frames();
  for (int i = 0; i < 100; ++i) REQUIRE(frames[i].payload == std::to_string(i + 1));

  driver.hangUp();
  REQUIRE(recorder.waitEvents({Event::up, Event::down}));
  CHECK_FALSE(link->connected());
}

TEST_CASE("large frames arrive whole in both directions", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  Driver driver = bench.driver();
  REQUIRE(driver.shake(readLinkFile(link->linkFile()), 0));
  std::string large(20 * 1024 * 1024 + 7, 'x');
  large[large.size() / 2] = 'y';
  // The first is above the bound of what waits for its event, so that reading stops and goes on.
  std::thread writer([&] {
    driver.write(Driver::data(1, large));
    driver.write(Driver::data(2, ""));
    driver.write(Driver::data(3, large));
  });
  CHECK(recorder.waitFrames(3));
  writer.join();
  const auto frames = recorder.frames();
  REQUIRE(frames.size() == 3);
  CHECK((frames[0].payload == large && frames[1].payload.empty() && frames[2].payload == large));

  REQUIRE(link->send(execute(large)));
  const auto back = driver.readData();
  REQUIRE(back);
  CHECK(back->payload == large);
}

TEST_CASE("a driver that does not know the secret is refused", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  LinkFile file = readLinkFile(link->linkFile());
  file.secret = std::string(64, '0');
  Driver wrong = bench.driver();
  CHECK_FALSE(wrong.shake(file, 0));
  CHECK_FALSE(wrong.hostProved);
  CHECK(wrong.refusal == "the proof is wrong");
  CHECK(wrong.hungUp());

  Driver unknown = bench.driver();
  file.session = "8";
  CHECK_FALSE(unknown.shake(file, 0));
  CHECK(unknown.refusal == "there is no such session");
  CHECK(unknown.hungUp());

  // The host's own proof, sent back, proves nothing.
  Driver mirror = bench.driver();
  REQUIRE(mirror.hello("7", 0));
  const auto challenge = mirror.read();
  REQUIRE(challenge);
  mirror.write(Driver::control(FrameType::proof, challenge->payload));
  const auto answer = mirror.read();
  REQUIRE(answer);
  CHECK(answer->type == static_cast<std::uint8_t>(FrameType::refused));
  CHECK(recorder.seen().empty());
}

TEST_CASE("each offer has a secret of its own and a session has one link", "[link]") {
  Bench bench;
  Recorder recorder;
  auto link = bench.offer("7", recorder);
  const std::string secret = readLinkFile(link->linkFile()).secret;
  CHECK_THROWS(bench.offer("7", recorder));
  CHECK(readLinkFile(link->linkFile()).secret == secret);
  link.reset();
  link = bench.offer("7", recorder);
  CHECK(readLinkFile(link->linkFile()).secret != secret);
  CHECK_THROWS(
      bench.server->offer("9", bench.folder / "none", bench.loop.strand(), recorder.events()));
  std::filesystem::create_directory(bench.folder / "none");
  CHECK_NOTHROW(
      bench.server->offer("9", bench.folder / "none", bench.loop.strand(), recorder.events()));
}

TEST_CASE("bytes that are no handshake end the connection and nothing else", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  const LinkFile file = readLinkFile(link->linkFile());

  SECTION("a frame above 4 KiB, already by its header") {
    Driver driver = bench.driver();
    driver.writeBytes(Driver::bytesOf(Driver::control(FrameType::hello, std::string(4097, ' ')))
                          .substr(0, frameHeaderBytes));
    CHECK(driver.hungUp());
  }
  SECTION("a frame of data before the handshake") {
    Driver driver = bench.driver();
    driver.write(Driver::data(1, "x"));
    CHECK(driver.hungUp());
  }
  SECTION("a PROOF first") {
    Driver driver = bench.driver();
    driver.write(Driver::control(FrameType::proof, "{}"));
    CHECK(driver.hungUp());
  }
  SECTION("random bytes, alone or after a true HELLO") {
    std::mt19937 random(20240607);
    for (int round = 0; round < 300; ++round) {
      Driver driver = bench.driver();
      std::string bytes(random() % 200, '\0');
      std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
      if (round % 3 == 1) {
        driver.hello("7", 0);
        REQUIRE(driver.read());
      }
      if (round % 3 == 2) {
        // A header that is right up to its payload.
        Frame frame = Driver::control(FrameType::hello, bytes);
        bytes = Driver::bytesOf(frame);
      }
      driver.writeBytes(bytes);
    }
  }
  Driver good = bench.driver();
  CHECK(good.shake(file, 0));
}

TEST_CASE("random bytes from an authenticated driver end its connection, not the host", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  const LinkFile file = readLinkFile(link->linkFile());
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    Driver driver = bench.driver();
    REQUIRE(driver.shake(file, 0));
    std::string bytes(frameHeaderBytes + random() % 100, '\0');
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
    if (round % 2 == 0) bytes[0] = bytes[1] = bytes[2] = '\0';  // a length that is allowed
    driver.writeBytes(bytes);
  }
  Driver good = bench.driver();
  CHECK(good.shake(file, 0) == 0u);
  CHECK(recorder.frames().empty());
}

TEST_CASE("a frame that breaks the rules ends the connection", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  Driver driver = bench.driver();
  REQUIRE(driver.shake(readLinkFile(link->linkFile()), 0));
  REQUIRE(driver.write(Driver::data(1, "first")));
  REQUIRE(recorder.waitFrames(1));

  SECTION("a length above 64 MiB") {
    std::string bytes = Driver::bytesOf(Driver::data(2, ""));
    bytes[0] = 4;
    bytes[3] = 1;
    driver.writeBytes(bytes);
  }
  SECTION("a gap in the sequence") {
    driver.write(Driver::data(3, "third"));
  }
  SECTION("no sequence") {
    driver.write(Driver::data(0, "none"));
  }
  SECTION("a payload that is not UTF-8") {
    driver.write(Driver::data(2, "\xFF"));
  }
  SECTION("an ACK of what was never sent") {
    driver.write(Driver::ack(1));
  }
  SECTION("a second HELLO") {
    driver.write(Driver::control(FrameType::hello, "{}"));
  }
  CHECK(driver.hungUp());
  CHECK(recorder.waitEvents({Event::up, Event::down}));
  CHECK(payloads(recorder.frames()) == std::vector<std::string>{"first"});
}

TEST_CASE("a peer that dawdles through its handshake is hung up on", "[link]") {
  LinkOptions options;
  options.handshakeTime = std::chrono::milliseconds(100);
  Bench bench(options);
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  Driver silent = bench.driver();
  Driver halfway = bench.driver();
  REQUIRE(halfway.hello("7", 0));
  REQUIRE(halfway.read());
  CHECK(silent.hungUp());
  CHECK(halfway.hungUp());
}

TEST_CASE("peers that never finish their handshake do not shut out a driver for good", "[link]") {
  LinkOptions options;
  options.handshakeTime = std::chrono::milliseconds(300);
  Bench bench(options);
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  std::vector<std::unique_ptr<Driver>> crowd;
  for (int i = 0; i < 150; ++i) crowd.push_back(std::make_unique<Driver>(bench.options.socket));
  Driver driver = bench.driver();
  CHECK(driver.shake(readLinkFile(link->linkFile()), 0));
}

TEST_CASE("frames lost with a connection are sent again, and taken once", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  const LinkFile file = readLinkFile(link->linkFile());
  {
    Driver driver = bench.driver();
    REQUIRE(driver.shake(file, 0) == 0u);
    for (int i = 1; i <= 5; ++i) link->send(execute("h" + std::to_string(i)));
    for (int i = 1; i <= 5; ++i) REQUIRE(driver.readData());
    for (int i = 1; i <= 3; ++i) driver.write(Driver::data(i, "d" + std::to_string(i)));
    REQUIRE(recorder.waitFrames(3));
    driver.write(Driver::data(4, "d4"));
    REQUIRE(recorder.waitFrames(4));
    // Cut in the middle of a frame.
    driver.writeBytes(Driver::bytesOf(Driver::data(5, "d5, of which half is lost")).substr(0, 30));
  }
  REQUIRE(recorder.waitEvents({Event::up, Event::down}));
  link->send(execute("h6"));

  Driver driver = bench.driver();
  // It says that 3 to 5 never reached it; the host has 1 to 4.
  REQUIRE(driver.shake(file, 2) == 4u);
  for (int i = 3; i <= 6; ++i) {
    const auto frame = driver.readData();
    REQUIRE(frame);
    CHECK(frame->payload == "h" + std::to_string(i));
    CHECK(frame->sequence == static_cast<std::uint64_t>(i));
  }
  for (int i = 2; i <= 6; ++i) driver.write(Driver::data(i, "d" + std::to_string(i)));
  REQUIRE(recorder.waitFrames(6));
  driver.write(Driver::data(6, "d6"));
  driver.write(Driver::data(7, "d7"));
  REQUIRE(recorder.waitFrames(7));
  CHECK(payloads(recorder.frames()) ==
        std::vector<std::string>{"d1", "d2", "d3", "d4", "d5", "d6", "d7"});
  CHECK(recorder.waitEvents({Event::up, Event::down, Event::back}));
}

TEST_CASE("a driver with another history than the link's is refused, not fed half a stream",
          "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  const LinkFile file = readLinkFile(link->linkFile());
  {
    Driver driver = bench.driver();
    CHECK_FALSE(driver.shake(file, 1));
    CHECK(driver.refusal == "it has received frames that were never sent");
  }
  Driver first = bench.driver();
  REQUIRE(first.shake(file, 0));
  link->send(execute("a"));
  REQUIRE(first.readData());
  first.write(Driver::ack(1));
  first.write(Driver::data(1, "seen"));
  REQUIRE(recorder.waitFrames(1));
  Driver second = bench.driver();
  CHECK_FALSE(second.shake(file, 0));
  CHECK(second.refusal == "it has lost frames that it acknowledged");
}

TEST_CASE("a result is acknowledged only once it is durable, and many by one ACK", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  Driver driver = bench.driver();
  REQUIRE(driver.shake(readLinkFile(link->linkFile()), 0));
  constexpr int count = 1000;
  for (int i = 1; i <= count; ++i) driver.write(Driver::data(i, "x"));
  REQUIRE(recorder.waitFrames(count));
  link->send(execute("marker"));
  REQUIRE(driver.readData());
  CHECK(driver.acks == 0);

  for (int i = 1; i <= count; ++i) link->received(i);
  link->received(count + 50);  // more than there was: no harm
  while (driver.lastAck < count) {
    const auto frame = driver.read();
    REQUIRE(frame);
    REQUIRE(frame->type == static_cast<std::uint8_t>(FrameType::ack));
    REQUIRE(frame->channel == 0);
    driver.lastAck = frame->sequence;
    ++driver.acks;
  }
  CHECK(driver.lastAck == count);
  CHECK(driver.acks < count / 10);

  // An ACK that was lost with its connection is said again.
  driver.hangUp();
  Driver again = bench.driver();
  REQUIRE(again.shake(readLinkFile(link->linkFile()), 1) == static_cast<std::uint64_t>(count));
  const auto frame = again.read();
  REQUIRE(frame);
  CHECK(frame->type == static_cast<std::uint8_t>(FrameType::ack));
  CHECK(frame->sequence == count);
}

TEST_CASE("a second connection that proves itself replaces the first", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  const LinkFile file = readLinkFile(link->linkFile());
  Driver first = bench.driver();
  REQUIRE(first.shake(file, 0));
  LinkFile wrong = file;
  wrong.secret = std::string(64, '0');
  Driver thief = bench.driver();
  REQUIRE_FALSE(thief.shake(wrong, 0));
  CHECK(link->connected());

  Driver second = bench.driver();
  REQUIRE(second.shake(file, 0));
  CHECK(first.hungUp());
  CHECK(recorder.waitEvents({Event::up, Event::down, Event::back}));
  link->send(execute("to the second"));
  const auto frame = second.readData();
  REQUIRE(frame);
  CHECK(frame->payload == "to the second");
  second.write(Driver::data(1, "from the second"));
  CHECK(recorder.waitFrames(1));
}

TEST_CASE("a driver that takes nothing cannot make the host grow", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  Driver driver = bench.driver();
  REQUIRE(driver.shake(readLinkFile(link->linkFile()), 0));
  const std::string chunk(1024 * 1024, 'x');
  int sent = 0;
  while (sent < 200 && link->send(execute(chunk))) ++sent;
  CHECK(sent >= 63);
  CHECK(sent <= 66);
  // What it acknowledges makes room again.
  for (int i = 1; i <= 10; ++i) REQUIRE(driver.readData());
  driver.write(Driver::ack(10));
  driver.write(Driver::data(1, "after the ack"));
  REQUIRE(recorder.waitFrames(1));
  CHECK(link->send(execute("small")));
  CHECK_FALSE(link->send(execute(std::string(maxFramePayload + 1, 'x'))));
}

TEST_CASE("a link dropped while frames arrive tells nothing afterwards", "[link]") {
  Bench bench;
  for (int round = 0; round < 30; ++round) {
    std::filesystem::create_directories(bench.folder / "7");
    auto alive =
        std::make_unique<std::atomic<int>>(0);  // freed at once: a late event would touch it
    std::atomic<int>* counter = alive.get();
    std::promise<void> arrived;
    auto link = bench.server->offer("7", bench.folder / "7", bench.loop.strand(),
                                    {nullptr, [counter, &arrived](const Frame&) {
                                       if (++*counter == 20) arrived.set_value();
                                     }});
    const LinkFile file = readLinkFile(link->linkFile());
    std::thread driverThread([&] {
      Driver driver = bench.driver();
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

TEST_CASE("a link can be dropped from its own event", "[link]") {
  Bench bench;
  std::filesystem::create_directory(bench.folder / "7");
  std::shared_ptr<Link> link;
  std::promise<void> dropped;
  const EventLoop::Strand strand = bench.loop.strand();
  link = bench.server->offer("7", bench.folder / "7", strand, {nullptr, [&](const Frame&) {
                                                                 link.reset();
                                                                 dropped.set_value();
                                                               }});
  Driver driver = bench.driver();
  REQUIRE(driver.shake(readLinkFile(link->linkFile()), 0));
  driver.write(Driver::data(1, "x"));
  driver.write(Driver::data(2, "x"));
  REQUIRE(dropped.get_future().wait_for(Recorder::patience) == std::future_status::ready);
  CHECK(driver.hungUp());
}

TEST_CASE("an event that throws does not stop those after it", "[link]") {
  Bench bench;
  std::filesystem::create_directory(bench.folder / "7");
  std::promise<void> second;
  const auto link = bench.server->offer("7", bench.folder / "7", bench.loop.strand(),
                                        {nullptr, [&](const Frame& frame) {
                                           if (frame.sequence == 1)
                                             throw std::runtime_error("first");
                                           second.set_value();
                                         }});
  Driver driver = bench.driver();
  REQUIRE(driver.shake(readLinkFile(link->linkFile()), 0));
  driver.write(Driver::data(1, "x"));
  driver.write(Driver::data(2, "x"));
  CHECK(second.get_future().wait_for(Recorder::patience) == std::future_status::ready);
}

TEST_CASE("a restarted host takes up a driver where it stands", "[link]") {
  Bench bench;
  Recorder before;
  auto old = bench.offer("7", before);
  const LinkFile file = readLinkFile(old->linkFile());
  {
    Driver driver = bench.driver();
    REQUIRE(driver.shake(file, 0));
    old->send(execute("one"));
    old->send(execute("two"));
    REQUIRE(driver.readData());
    REQUIRE(driver.readData());
    for (int i = 1; i <= 3; ++i) driver.write(Driver::data(i, "x"));
    REQUIRE(before.waitFrames(3));
  }
  old.reset();
  bench.server.reset();
  bench.server = std::make_unique<LinkServer>(bench.loop, bench.options);
  bench.server->start();

  Recorder recorder;
  CHECK_THROWS(bench.server->resume("8", bench.folder / "7", bench.loop.strand(), {}));
  const auto link =
      bench.server->resume("7", bench.folder / "7", bench.loop.strand(), recorder.events());
  CHECK(readLinkFile(link->linkFile()).secret == file.secret);
  link->send(execute("three"));
  {
    // Neither let in nor refused: there is nobody yet for what it brings.
    Driver early = bench.driver();
    CHECK_FALSE(early.shake(file, 2));
    CHECK(early.refusal.empty());
  }
  link->admit();
  Driver driver = bench.driver();
  // It has two frames of the old host; of its own, 1 was acknowledged, so it sends 2 and 3 again.
  REQUIRE(driver.shake(file, 2) == 0u);
  const auto frame = driver.readData();
  REQUIRE(frame);
  CHECK(frame->payload == "three");
  CHECK(frame->sequence == 3);
  driver.write(Driver::data(2, "x2"));
  driver.write(Driver::data(3, "x3"));
  driver.write(Driver::data(4, "x4"));
  REQUIRE(recorder.waitFrames(3));
  CHECK(payloads(recorder.frames()) == std::vector<std::string>{"x2", "x3", "x4"});
  // From here on the link is strict again.
  driver.write(Driver::data(6, "gap"));
  CHECK(driver.hungUp());
  Driver again = bench.driver();
  CHECK(again.shake(file, 3) == 4u);
}

TEST_CASE("the socket is for this user only and one host at a time", "[link]") {
  Bench bench;
  struct stat status {};
  REQUIRE(::stat(bench.options.socket.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK_THROWS_WITH(LinkServer(bench.loop, bench.options), Catch::Contains("another host"));
  CHECK(bench.driver().connected());

  bench.server.reset();
  CHECK_FALSE(std::filesystem::exists(bench.options.socket));
  // What a killed host leaves behind is no obstacle; a file of someone's is.
  const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, bench.options.socket.c_str(), bench.options.socket.size() + 1);
  REQUIRE(::bind(stale, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(stale);
  CHECK_NOTHROW(LinkServer(bench.loop, bench.options));
  std::ofstream(bench.options.socket) << "precious";
  CHECK_THROWS_WITH(LinkServer(bench.loop, bench.options), Catch::Contains("no socket"));
  CHECK(std::filesystem::file_size(bench.options.socket) == 8);

  LinkOptions tooLong;
  tooLong.socket = bench.folder / std::string(200, 'x');
  CHECK_THROWS_WITH(LinkServer(bench.loop, tooLong), Catch::Contains("longer than"));
}

TEST_CASE("links outlive their server without harm", "[link]") {
  Bench bench;
  Recorder recorder;
  const auto link = bench.offer("7", recorder);
  Driver driver = bench.driver();
  REQUIRE(driver.shake(readLinkFile(link->linkFile()), 0));
  bench.server.reset();
  CHECK(driver.hungUp());
  CHECK(recorder.waitEvents({Event::up, Event::down}));
  CHECK(link->send(execute("kept")));
  link->received(5);
}

TEST_CASE("200 drivers at once all get through and hear nothing of each other", "[link]") {
  Bench bench;
  constexpr int links = 200;
  constexpr int frames = 20;
  std::vector<Recorder> recorders(links);
  std::vector<std::shared_ptr<Link>> held;
  for (int i = 0; i < links; ++i) held.push_back(bench.offer(std::to_string(i), recorders[i]));
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      std::vector<std::pair<int, std::unique_ptr<Driver>>> drivers;
      for (int i = t; i < links; i += 8) {
        drivers.emplace_back(i, std::make_unique<Driver>(bench.options.socket));
        if (!drivers.back().second->shake(readLinkFile(held[i]->linkFile()), 0)) return;
      }
      for (int round = 1; round <= frames; ++round)
        for (auto& [i, driver] : drivers) {
          driver->write(Driver::data(round, std::to_string(i)));
          held[i]->send(execute(std::to_string(i)));
        }
      for (auto& [i, driver] : drivers) {
        bool right = true;
        for (int round = 1; round <= frames; ++round) {
          const auto frame = driver->readData();
          right = right && frame && frame->payload == std::to_string(i) &&
                  frame->sequence == static_cast<std::uint64_t>(round);
        }
        right = right && recorders[i].waitFrames(frames);
        if (right) ++good;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(good == links);
  for (int i = 0; i < links; ++i)
    CHECK(payloads(recorders[i].frames()) == std::vector<std::string>(frames, std::to_string(i)));
  held.clear();
}
