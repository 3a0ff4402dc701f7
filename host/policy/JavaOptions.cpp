#include "policy/JavaOptions.h"

#include <utility>

#include "policy/ConfKeys.h"

namespace hearth::host {

namespace {

bool begins(const std::string& text, const char* prefix) {
  return text.rfind(prefix, 0) == 0;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> found;
  std::string word;
  bool open = false;  // a word has begun
  char quote = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\' && quote != '\'' && at + 1 < text.size()) {
      word += text[++at];
      open = true;
    } else if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
      open = true;
    } else if (static_cast<unsigned char>(c) <= ' ') {
      if (open) found.push_back(std::exchange(word, {}));
      open = false;
    } else {
      word += c;
      open = true;
    }
  }
  if (open) found.push_back(word);
  return found;
}

}  // namespace

std::vector<JavaOption> javaOptions(std::string_view text) {
  std::vector<JavaOption> options;
  for (std::string& word : words(text)) {
    JavaOption option;
    if (begins(word, "-D")) {
      const auto equals = word.find('=');
      option.property = word.substr(2, equals == std::string::npos ? equals : equals - 2);
      if (equals != std::string::npos) option.value = word.substr(equals + 1);
    }
    option.fromFile = begins(word, "@") || begins(word, "-XX:Flags=") ||
                      begins(word, "-XX:VMOptionsFile=") || begins(word, "-XX:+ReadVMOptionsFile");
    for (const char* heap : {"-Xmx", "-mx", "-XX:MaxHeapSize", "-XX:MaxRAM", "-Xms", "-ms",
                             "-XX:InitialHeapSize", "-XX:InitialRAM", "-XX:MaxDirectMemorySize"})
      if (begins(word, heap)) option.setsMemory = true;
    option.word = std::move(word);
    options.push_back(std::move(option));
  }
  return options;
}

bool isJavaOptionsVariable(const std::string& name) {
  const std::string lower = lowered(name);
  return lower.find("java") != std::string::npos ? lower.find("opt") != std::string::npos
                                                 : lower.rfind("_opts") != std::string::npos ||
                                                       lower.rfind("_options") != std::string::npos;
}

}  // namespace hearth::host
