#include "SqlOpening.h"

#include <charconv>
#include <hearth/plugin.hpp>

#include "JsonOptions.h"

namespace hearth::sql {

namespace json = boost::json;

namespace {

constexpr std::int64_t mostRows = 10'000'000;

std::int64_t checked(std::int64_t rows, const char* key) {
  if (rows < 1 || rows > mostRows)
    throw Error(HEARTH_E_INVALID,
                std::string(key) + " is no number from 1 to " + std::to_string(mostRows));
  return rows;
}

std::int64_t parsed(const std::string& text, const char* key) {
  std::int64_t rows = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, rows);
  return checked(result.ec == std::errc() && result.ptr == end ? rows : 0, key);
}

}  // namespace

std::string opening(std::string_view configJson, std::string_view optionsJson) {
  const json::object config = spark::parseObject(configJson, "the configuration");
  const json::value* configured = config.if_contains("max_rows");
  std::int64_t rows = checked(
      configured != nullptr && configured->is_int64() ? configured->get_int64() : 0, "max_rows");
  const json::object conf = spark::confOf(optionsJson);
  for (const char* key : {"spark.hearth.sql.maxRows", "livy.rsc.sql.num-rows"}) {
    const std::string text = spark::textIn(conf, key);
    if (text.empty()) continue;
    rows = parsed(text, key);
    break;
  }
  return R"({"interpreter":"sql","maxRows":)" + std::to_string(rows) + "}";
}

}  // namespace hearth::sql
