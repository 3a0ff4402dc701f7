// Which kernels are found, and how their kernel.json is read.
#include "KernelSpec.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "Connection.h"

using namespace hearth::jupyter;
namespace fs = std::filesystem;

namespace {

/// A folder that is removed with the test.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/hearth-jupyter-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error("no temporary folder");
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  /// `share`/kernels/NAME/kernel.json below the folder; returns share.
  std::string kernel(const std::string& share, const std::string& name,
                     const std::string& json) const {
    const fs::path folder = fs::path(path) / share / "kernels" / name;
    fs::create_directories(folder);
    std::ofstream(folder / "kernel.json") << json;
    return path + "/" + share;
  }

  std::string path;
};

std::string slurp(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("the folder that is named first has the kernel, and names know no case") {
  const Folder folder;
  const auto first = folder.kernel("one", "Mine", R"({"argv":["first"]})");
  const auto second = folder.kernel("two", "mine", R"({"argv":["second"]})");
  folder.kernel("two", "other", R"({"argv":["x"]})");
  const KernelSpecs specs({first, folder.path + "/nothing", second});
  CHECK(specs.find("MINE").argv[0] == "first");
  CHECK(specs.find("mine").name == "mine");
  CHECK(specs.installed().size() == 2);
  CHECK_THROWS_WITH(specs.find("yours"),
                    Catch::Contains("\"yours\"") && Catch::Contains("mine, other"));
  CHECK_THROWS_WITH(KernelSpecs(std::vector<std::string>{}).find("x"), Catch::Contains("none"));
}

TEST_CASE("kernels are looked for where Jupyter looks for them") {
  const Folder folder;
  const auto path = folder.kernel("path", "a", R"({"argv":["a"]})");
  folder.kernel("home/.local/share/jupyter", "b", R"({"argv":["b"]})");
  const auto data = folder.kernel("data", "c", R"({"argv":["c"]})");
  const auto more = folder.kernel("more", "d", R"({"argv":["d"]})");
  const std::string home = folder.path + "/home";
  const auto found = [&](const KernelSpecs& specs) {
    std::string names;
    for (const auto& entry : specs.installed())
      if (entry.second.rfind(folder.path, 0) == 0) names += entry.first;
    return names;
  };
  CHECK(found(KernelSpecs({more}, {{"JUPYTER_PATH", ":" + path + ":/none"}, {"HOME", home}})) ==
        "abd");
  CHECK(found(KernelSpecs({}, {{"JUPYTER_DATA_DIR", data}, {"HOME", home}})) == "c");
  CHECK(found(KernelSpecs({}, {})).empty());
}

TEST_CASE("a kernel is started as its kernel.json says") {
  const Folder folder;
  const auto share = folder.kernel(
      "share/jupyter", "k",
      R"({"argv":["prog","-f","{connection_file}","{resource_dir}/x","{prefix}","{other}","{"],
          "display_name":"K","language":"l","interrupt_mode":"message",
          "env":{"A":"$X-${X}-$Y-$$","B":"$"}})");
  const KernelSpec spec = KernelSpecs({share}).find("k");
  CHECK(spec.interruptByMessage);
  CHECK(spec.command("/c.json") == std::vector<std::string>{"prog", "-f", "/c.json",
                                                            share + "/kernels/k/x", folder.path,
                                                            "{other}", "{"});
  CHECK(spec.variables({{"X", "1"}}) == std::vector<std::string>{"A=1-1-$Y-$$", "B=$"});
}

TEST_CASE("python is the one of the environment that the kernel is installed in") {
  const Folder folder;
  const auto share = folder.kernel("share/jupyter", "k", R"({"argv":["python"]})");
  CHECK(KernelSpecs({share}).find("k").command("c")[0] == "python");
  fs::create_directories(folder.path + "/bin");
  std::ofstream(folder.path + "/bin/python") << "";
  CHECK(KernelSpecs({share}).find("k").command("c")[0] == folder.path + "/bin/python");
}

TEST_CASE("a kernelspec that cannot be used says why, with its file") {
  const Folder folder;
  for (const char* json :
       {"", "[]", "{}", R"({"argv":[]})", R"({"argv":[1]})", R"({"argv":["a"],"env":{"A":1}})",
        R"({"argv":["a"],"interrupt_mode":"shout"})",
        R"({"argv":["a"],"metadata":{"kernel_provisioner":{"provisioner_name":"far-away"}}})"}) {
    CAPTURE(json);
    const auto share = folder.kernel("s", "k", json);
    CHECK_THROWS_WITH(KernelSpecs({share}).find("k"), Catch::Contains("kernels/k/kernel.json"));
  }
}

TEST_CASE("a connection's file is private, and gone with it") {
  const Folder folder;
  Ports ports;
  std::string file;
  {
    const Connection connection(ports, folder.path, "k", Transport::ipc, "mine");
    file = connection.file();
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(slurp(file).find(connection.key()) != std::string::npos);
    CHECK(connection.key().size() == 64);
    CHECK(connection.endpoint(iopub) == "ipc://" + folder.path + "/k-2");
    CHECK_THROWS(Connection(ports, folder.path, "k", Transport::ipc, "mine"));
  }
  CHECK_FALSE(fs::exists(file));
}

TEST_CASE("no two kernels get the same ports, and a path too long for a socket gives ports") {
  const Folder folder;
  Ports ports;
  const std::string deep = folder.path + "/" + std::string(120, 'd');
  fs::create_directories(deep);
  const Connection first(ports, deep, "a", Transport::ipc, "k");
  CHECK(first.transport() == Transport::tcp);
  std::set<std::string> endpoints;
  const Connection second(ports, folder.path, "b", Transport::tcp, "k");
  for (const Connection* connection : {&first, &second})
    for (int channel = 0; channel < channelCount; ++channel)
      endpoints.insert(connection->endpoint(static_cast<Channel>(channel)));
  CHECK(endpoints.size() == 2 * channelCount);
  CHECK(endpoints.begin()->rfind("tcp://127.0.0.1:", 0) == 0);
  CHECK_FALSE(first.portsLost());
}
