#include "policy/SparkAsk.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "policy/ConfKeys.h"
#include "policy/JavaOptions.h"
#include "policy/PathKeys.h"
#include "policy/PolicyRefusal.h"

namespace hearth::host {

namespace {

constexpr std::int64_t mebi = 1 << 20;

std::int64_t plus(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

std::optional<std::int64_t> wholeNumber(const std::string& text) {
  std::int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

class Reader {
 public:
  Reader(const SparkRequest& request, const std::string& rule) : request_(request), rule_(rule) {}

  std::optional<std::string> text(const std::string& key) const {
    const auto value = request_keys::valueOf(request_, key);
    return value ? std::optional(trimmed(*value)) : std::nullopt;
  }

  std::int64_t size(const std::string& key, std::int64_t fallback, std::int64_t unit = mebi) const {
    const auto value = text(key);
    if (!value) return fallback;
    if (const auto size = sparkSize(*value, unit)) return *size;
    wrong(key, *value, "a size such as 512m, 2g");
  }

  std::int64_t count(const std::string& key, std::int64_t fallback) const {
    const auto value = text(key);
    if (!value) return fallback;
    if (const auto count = wholeNumber(*value)) return *count;
    wrong(key, *value, "a whole number");
  }

  /// As Kubernetes writes them: "2", "1.5", "500m".
  std::int64_t cores(const std::string& key, std::int64_t fallback) const {
    const auto value = text(key);
    if (!value) return fallback;
    char* end = nullptr;
    double cores = std::strtod(value->c_str(), &end);
    if (end != value->c_str() && *end == 'm') {
      cores /= 1000;
      ++end;
    }
    if (value->empty() || *end != 0 || !(cores >= 0) || cores > 1e9)
      wrong(key, *value, "a number of cores");
    return static_cast<std::int64_t>(std::ceil(cores));
  }

  [[noreturn]] void wrong(const std::string& key, const std::string& value,
                          const char* wanted) const {
    throw PolicyRefusal(rule_, key + " = '" + value.substr(0, 100) + "' is not " + wanted);
  }
  [[noreturn]] void unbounded(const std::string& text) const { throw PolicyRefusal(rule_, text); }

 private:
  const SparkRequest& request_;
  const std::string& rule_;
};

// N of local[N], local[N,failures]; 0 where it is not local.
std::int64_t localCores(const std::string& master) {
  if (master.empty() || master == "local[*]" || master.rfind("local[*,", 0) == 0)
    return std::max<std::int64_t>(1, std::thread::hardware_concurrency());
  if (master == "local") return 1;
  if (master.rfind("local[", 0) != 0) return 0;
  const auto end = master.find_first_of(",]");
  return wholeNumber(trimmed(master.substr(6, end == std::string::npos ? end : end - 6)))
      .value_or(INT64_MAX);
}

std::int64_t executors(const Reader& read, const std::string& master, std::int64_t coresEach) {
  const std::int64_t asked = read.count("spark.executor.instances", -1);
  if (lowered(read.text("spark.dynamicAllocation.enabled").value_or("")) == "true") {
    const std::int64_t most = read.count("spark.dynamicAllocation.maxExecutors", -1);
    if (most < 0)
      read.unbounded(
          "spark.dynamicAllocation.enabled asks for executors without a bound: "
          "spark.dynamicAllocation.maxExecutors gives one");
    return std::max(most, asked);
  }
  if (asked >= 0) return asked;
  if (localCores(master) > 0) return 0;
  if (master.rfind("local-cluster[", 0) == 0)
    return wholeNumber(trimmed(master.substr(14, master.find(',') - 14))).value_or(INT64_MAX);
  if (master.rfind("spark:", 0) != 0) return 2;  // YARN's and Kubernetes' default
  const std::int64_t most = read.count("spark.cores.max", -1);
  if (most < 0)
    read.unbounded(
        "without spark.cores.max or numExecutors an application takes the whole of a standalone "
        "cluster");
  return (most + std::max<std::int64_t>(1, coresEach) - 1) / std::max<std::int64_t>(1, coresEach);
}

// What Java's own options say is beside Spark's keys.
void refuseHeapOptions(const SparkRequest& request, const Reader& read) {
  const auto look = [&](const std::string& place, const std::string& value) {
    for (const JavaOption& option : javaOptions(value)) {
      if (option.fromFile || option.setsMemory)
        read.unbounded(place + ": " + option.word.substr(0, 100) +
                       " is not counted: driverMemory and executorMemory set the heap");
      for (const char* part : {".memory", ".cores", ".instances", "xecutors", "dynamicAllocation",
                               "spark.master", "memoryOverhead", "offHeap"})
        if (option.property.rfind("spark.", 0) == 0 &&
            option.property.find(part) != std::string::npos)
          read.unbounded(place + " may not set " + option.property.substr(0, 200) +
                         " by -D: give it in conf");
    }
  };
  for (const auto& [key, value] : request.conf)
    if (pathShape(key) == PathShape::javaOptions) look(key, value);
  for (const auto& [variable, value] : request.env)
    if (isJavaOptionsVariable(variable)) look("env " + variable, value);
}

std::string shortSize(std::int64_t bytes) {
  if (bytes % (1 << 30) == 0) return std::to_string(bytes >> 30) + "g";
  return std::to_string(bytes >> 20) + "m";
}

}  // namespace

std::optional<std::int64_t> sparkSize(const std::string& given, std::int64_t unit) {
  const std::string text = lowered(trimmed(given));
  const auto digits = text.find_first_not_of("0123456789");
  const auto number = wholeNumber(text.substr(0, digits));
  if (!number) return std::nullopt;
  std::string suffix = digits == std::string::npos ? std::string() : trimmed(text.substr(digits));
  if (suffix.size() == 2 && suffix[1] == 'b') suffix.pop_back();
  if (suffix.size() > 1) return std::nullopt;
  if (!suffix.empty()) {
    const auto power = std::string_view("bkmgtp").find(suffix[0]);
    if (power == std::string_view::npos) return std::nullopt;
    unit = std::int64_t{1} << (10 * power);
  }
  const std::int64_t size = times(*number, unit);
  return size == INT64_MAX ? std::nullopt : std::optional(size);
}

SparkAsk sparkAsk(const SparkRequest& request, const std::string& fixedMaster,
                  const std::string& rule) {
  const Reader read(request, rule);
  refuseHeapOptions(request, read);
  const std::string master =
      fixedMaster.empty() ? read.text("spark.master").value_or("") : fixedMaster;

  const std::int64_t offHeap = read.size("spark.memory.offHeap.size", 0, 1);
  std::int64_t driver = read.size("spark.driver.memory", std::int64_t{1} << 30);
  driver = plus(driver, read.size("spark.driver.memoryOverhead", 0));
  driver = plus(driver, read.size("spark.yarn.am.memory", 0));
  std::int64_t driverCores = read.count("spark.driver.cores", 1);
  for (const char* key :
       {"spark.kubernetes.driver.request.cores", "spark.kubernetes.driver.limit.cores"})
    driverCores = std::max(driverCores, read.cores(key, 0));
  driverCores = std::max(driverCores, localCores(master));

  std::int64_t each = read.size("spark.executor.memory", std::int64_t{1} << 30);
  each = plus(each, read.size("spark.executor.memoryOverhead", 0));
  each = plus(each, read.size("spark.executor.pyspark.memory", 0));
  each = plus(each, offHeap);
  std::int64_t eachCores = read.count("spark.executor.cores", 1);
  for (const char* key :
       {"spark.kubernetes.executor.request.cores", "spark.kubernetes.executor.limit.cores"})
    eachCores = std::max(eachCores, read.cores(key, 0));
  const std::int64_t count = executors(read, master, eachCores);

  SparkAsk ask;
  ask.memory = plus(driver, times(each, count));
  ask.cores = plus(driverCores, times(eachCores, count));
  if (master.rfind("spark:", 0) == 0)
    if (const std::int64_t most = read.count("spark.cores.max", -1); most >= 0)
      ask.cores = plus(driverCores, most);
  ask.text = "driver " + shortSize(driver) + " and " + std::to_string(driverCores) + " cores, " +
             std::to_string(count) + " executors of " + shortSize(each) + " and " +
             std::to_string(eachCores) + " cores";
  return ask;
}

}  // namespace hearth::host
