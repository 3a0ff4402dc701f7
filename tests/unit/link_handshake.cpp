#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "link/Handshake.h"
#include "temp_folder.h"

using namespace hearth::host;
using hearth::test::TempFolder;

TEST_CASE("proofs are HMAC-SHA256 as any driver computes it", "[link]") {
  // python3: hmac.new(bytes.fromhex(secret), b"host:aa:bb", "sha256").hexdigest()
  const std::string secret = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  CHECK(linkProof(secret, "host", "aa", "bb") ==
        "52291dfc22313541768dbf823f768f209b3cb5804ff3ed7b21335609543abab3");
  CHECK(linkProof(secret, "driver", "aa", "bb") != linkProof(secret, "host", "aa", "bb"));
  CHECK_THROWS(linkProof("short", "host", "aa", "bb"));
}

TEST_CASE("a nonce is never the same", "[link]") {
  CHECK(randomHex().size() == 64);
  CHECK(randomHex() != randomHex());
}

TEST_CASE("a HELLO that is not quite one is refused with a reason", "[link]") {
  const std::string nonce(64, 'a');
  std::string why;
  const auto hello =
      parseHello(R"({"protocol":1,"session":"7","nonce":")" + nonce + R"(","received":5})", why);
  REQUIRE(hello);
  CHECK(hello->session == "7");
  CHECK(hello->received == 5);
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{}"), std::string("{\"protocol\":2}"),
        R"({"protocol":1,"session":"7","nonce":")" + nonce + R"("})",
        R"({"protocol":1,"session":"7","nonce":")" + nonce + R"(","received":-1})",
        R"({"protocol":1,"session":"","nonce":")" + nonce + R"(","received":1})",
        R"({"protocol":1,"session":7,"nonce":")" + nonce + R"(","received":1})",
        R"({"protocol":1,"session":"7","nonce":")" + std::string(64, 'A') + R"(","received":1})",
        std::string(R"({"protocol":1,"session":"7","nonce":"abc","received":1})"),
        std::string(1000, '[') + std::string(1000, ']')}) {
    why.clear();
    INFO(bad);
    CHECK_FALSE(parseHello(bad, why));
    CHECK_FALSE(why.empty());
  }
}

TEST_CASE("the secret in a link file is for its owner's eyes only", "[link]") {
  const TempFolder folder;
  const std::string path = folder / "link.json";
  std::ofstream(path) << "old";
  std::filesystem::permissions(path, std::filesystem::perms::all);
  writeLinkFile(path, {"a \"quoted\" session", "tls:h:1", std::string(64, 'b'), 600, "pin"});

  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  const LinkFile read = readLinkFile(path);
  CHECK(read.session == "a \"quoted\" session");
  CHECK(read.endpoint == "tls:h:1");
  CHECK(read.pin == "pin");
  CHECK(read.secret == std::string(64, 'b'));
  CHECK(read.orphanSeconds == 600);
  // Nothing half-written stays beside it.
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  CHECK_THROWS(writeLinkFile(folder / "no/link.json", {}));
  std::ofstream(path) << "{}";
  CHECK_THROWS(readLinkFile(path));
}
