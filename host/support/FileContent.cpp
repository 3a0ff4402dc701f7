#include "support/FileContent.h"

#include <fstream>
#include <sstream>

namespace hearth::host {

std::string fileContent(const std::filesystem::path& file) {
  const std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();  // an error sets a bit of `text`, and what was read before is kept
  return text.str();
}

}  // namespace hearth::host
