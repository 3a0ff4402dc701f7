#include "ElfFile.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

namespace hearth::check {

namespace {

/// The file's bytes; every look at them is held within them.
class Bytes {
 public:
  explicit Bytes(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw ElfError("it cannot be read");
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
  }
  template <class T>
  T at(std::uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T))
      throw ElfError("it ends before its tables do");
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  std::string text(std::uint64_t offset) const {
    if (offset >= bytes_.size()) throw ElfError("it ends before its tables do");
    const char* begin = bytes_.data() + offset;
    return {begin, strnlen(begin, bytes_.size() - offset)};
  }

 private:
  std::vector<char> bytes_;
};

void readSymbols(const Bytes& bytes, const Elf64_Shdr& section, const Elf64_Shdr& names,
                 ElfFile& found) {
  if (section.sh_entsize != sizeof(Elf64_Sym)) throw ElfError("its symbol table is odd");
  for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.sh_size; at += sizeof(Elf64_Sym)) {
    const auto symbol = bytes.at<Elf64_Sym>(section.sh_offset + at);
    const auto binding = ELF64_ST_BIND(symbol.st_info);
    const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    if (symbol.st_shndx == SHN_UNDEF || binding == STB_LOCAL || visibility == STV_HIDDEN ||
        visibility == STV_INTERNAL)
      continue;
    const std::string name = bytes.text(names.sh_offset + symbol.st_name);
    found.exported.push_back(name);
    if (binding == STB_GNU_UNIQUE) found.unique.push_back(name);
  }
}

void readDynamic(const Bytes& bytes, const Elf64_Shdr& section, const Elf64_Shdr& names,
                 ElfFile& found) {
  for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= section.sh_size; at += sizeof(Elf64_Dyn)) {
    const auto entry = bytes.at<Elf64_Dyn>(section.sh_offset + at);
    if (entry.d_tag == DT_NULL) return;
    if (entry.d_tag == DT_NEEDED)
      found.needed.push_back(bytes.text(names.sh_offset + entry.d_un.d_val));
    if (entry.d_tag == DT_TEXTREL || (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_TEXTREL)))
      found.textRelocations = true;
  }
}

}  // namespace

ElfFile ElfFile::read(const std::filesystem::path& file) {
  const Bytes bytes(file);
  const auto header = bytes.at<Elf64_Ehdr>(0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) throw ElfError("it is no ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64) throw ElfError("it is no 64-bit ELF file");
  if (header.e_type != ET_DYN) throw ElfError("it is no shared object");

  ElfFile found;
  found.executableStack = true;  // what the loader takes for granted where nothing is said
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment =
        bytes.at<Elf64_Phdr>(header.e_phoff + std::uint64_t{i} * header.e_phentsize);
    if (segment.p_type == PT_GNU_STACK) found.executableStack = (segment.p_flags & PF_X) != 0;
  }
  const auto section = [&](unsigned i) {
    return bytes.at<Elf64_Shdr>(header.e_shoff + std::uint64_t{i} * header.e_shentsize);
  };
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr one = section(i);
    if (one.sh_type == SHT_DYNSYM) readSymbols(bytes, one, section(one.sh_link), found);
    if (one.sh_type == SHT_DYNAMIC) readDynamic(bytes, one, section(one.sh_link), found);
  }
  std::sort(found.exported.begin(), found.exported.end());
  return found;
}

}  // namespace hearth::check
