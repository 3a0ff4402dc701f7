#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include "plugin/Descriptor.h"

using hearth::host::ConfigKey;
using hearth::host::Descriptor;
using hearth::host::DescriptorError;

namespace {

/// Why a descriptor with these members, besides id, version and kinds, is refused; "" where not.
std::string refusal(const std::string& members) {
  try {
    Descriptor::parse(R"({"id":"x","version":"1","kinds":["x","y"],)" + members + "}");
    return "";
  } catch (const DescriptorError& e) {
    return e.what();
  }
}

std::string wholeRefusal(const std::string& json) {
  try {
    Descriptor::parse(json);
    return "";
  } catch (const DescriptorError& e) {
    return e.what();
  }
}

std::string merged(const Descriptor& descriptor, const char* config) {
  return boost::json::serialize(descriptor.mergeConfig(boost::json::parse(config).get_object()));
}

}  // namespace

TEST_CASE("everything a descriptor says reaches the host") {
  const auto d = Descriptor::parse(R"({
    "id": "pyspark", "version": "1.2", "kinds": ["pyspark", "pyspark3"],
    "aliases": {"python": "pyspark"}, "magics": ["%table"], "mime": ["text/plain", "text/html"],
    "leader": "spark", "concurrency": 4, "kind_parameter": "a version",
    "config": {"python": {"type": "string", "default": "python3", "doc": "the interpreter"}}})");
  CHECK(d.id == "pyspark");
  CHECK(d.version == "1.2");
  CHECK(d.kinds == std::vector<std::string>{"pyspark", "pyspark3"});
  CHECK(d.aliases.at("python") == "pyspark");
  CHECK(d.magics == std::vector<std::string>{"%table"});
  CHECK(d.mime == std::vector<std::string>{"text/plain", "text/html"});
  CHECK(d.leader == "spark");
  CHECK(d.kindParameter == "a version");
  CHECK(d.concurrency == 4);
  REQUIRE(d.config.count("python") == 1);
  CHECK(d.config.at("python").type == ConfigKey::Type::String);
  CHECK(d.config.at("python").defaultValue.as_string() == "python3");
  CHECK(d.config.at("python").doc == "the interpreter");
}

TEST_CASE("a descriptor of the shortest kind has sane defaults") {
  const auto d = Descriptor::parse(R"({"id":"x","version":"1","kinds":["x"]})");
  CHECK(d.concurrency == 1);
  CHECK(d.leader.empty());
  CHECK(d.config.empty());
}

TEST_CASE("a descriptor of a newer header is understood as far as this host goes") {
  CHECK(refusal(R"("hover":{"yes":true},"protocol":3)").empty());
}

TEST_CASE("a mistake in a descriptor is named, not guessed around") {
  CHECK(wholeRefusal("[1]") == "the descriptor is not a JSON object");
  CHECK(wholeRefusal("{\"id\":") == "the descriptor is not JSON: incomplete JSON");
  CHECK(wholeRefusal(R"({"version":"1","kinds":["x"]})") == "the descriptor has no \"id\"");
  CHECK(wholeRefusal(R"({"id":"x","kinds":["x"]})") == "the descriptor has no \"version\"");
  CHECK(wholeRefusal(R"({"id":"x","version":"1","kinds":[]})") ==
        "the descriptor's \"kinds\" is empty");
  CHECK(wholeRefusal(R"({"id":"x","version":"1","kinds":["x","x"]})") == "kinds names \"x\" twice");
  CHECK(wholeRefusal(R"({"id":"../x","version":"1","kinds":["x"]})") ==
        "id \"../x\" is not a name: letters, digits, and . _ - + inside");
  CHECK(wholeRefusal(R"({"id":"x","version":1,"kinds":["x"]})") ==
        "version is not a text, or is empty");
  CHECK(refusal(R"("aliases":{"z":"w"})") ==
        "alias \"z\" stands for \"w\", which is not one of the kinds");
  CHECK(refusal(R"("aliases":{"y":"x"})") == "alias \"y\" is a kind already");
  CHECK(refusal(R"("concurrency":0)") == "concurrency is not a number from 1 to 1000");
  CHECK(refusal(R"("magics":"%sql")") == "magics is not an array");
  CHECK(refusal(R"("mime":[""])") == "mime[0] is not a text, or is empty");
  CHECK(refusal(R"("config":{"a":{}})") == "config.a has no \"type\"");
  CHECK(refusal(R"("config":{"a":{"type":"text"}})") ==
        "config.a.type \"text\" is not one of string, integer, number, boolean, array, object");
  CHECK(refusal(R"("config":{"a":{"type":"integer","default":"3"}})") ==
        "config.a.default is not of its type, integer");
  CHECK(refusal(R"("config":{"plugin_dir":{"type":"string"}})") ==
        "config key \"plugin_dir\" is the host's to set");
}

TEST_CASE("a deployment's configuration goes over the defaults, and typing mistakes are caught") {
  const auto d = Descriptor::parse(R"({"id":"x","version":"1","kinds":["x"],"config":{
      "python":{"type":"string","default":"python3"}, "retries":{"type":"integer","default":3},
      "ratio":{"type":"number"}, "jars":{"type":"array"}, "fast":{"type":"boolean"}}})");
  CHECK(merged(d, "{}") == R"({"python":"python3","retries":3})");
  CHECK(merged(d, R"({"retries":5,"fast":true})") ==
        R"({"python":"python3","retries":5,"fast":true})");
  CHECK(merged(d, R"({"ratio":2})") == R"({"python":"python3","retries":3,"ratio":2})");
  CHECK_THROWS_WITH(merged(d, R"({"pyhton":"x"})"),
                    "unknown config key \"pyhton\"; did you mean \"python\"?");
  CHECK_THROWS_WITH(merged(d, R"({"zzzzzzzz":"x"})"), "unknown config key \"zzzzzzzz\"");
  CHECK_THROWS_WITH(merged(d, R"({"retries":"5"})"),
                    "config key \"retries\" is not of its type, integer");
  CHECK_THROWS_WITH(merged(d, R"({"jars":null})"), "config key \"jars\" is not of its type, array");
}
