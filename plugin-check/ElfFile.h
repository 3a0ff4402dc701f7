// What a shared object says of itself, read without loading it.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace hearth::check {

/// Not a shared object that this machine could load; the text says why.
class ElfError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The dynamic part of a 64-bit ELF file of this machine's byte order.
struct ElfFile {
  std::vector<std::string> exported;  ///< defined in it, seen by others
  std::vector<std::string> unique;    ///< those of them that bind as STB_GNU_UNIQUE
  std::vector<std::string> needed;    ///< DT_NEEDED
  bool executableStack = false;
  bool textRelocations = false;

  static ElfFile read(const std::filesystem::path& file);  ///< throws ElfError
};

}  // namespace hearth::check
