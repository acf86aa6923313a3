#include "system/elf_diagnosis.hpp"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

namespace belfry::system {

namespace {

#if defined(__x86_64__)
constexpr unsigned own_machine = EM_X86_64, compatible_machine = EM_386;
#elif defined(__aarch64__)
constexpr unsigned own_machine = EM_AARCH64, compatible_machine = EM_ARM;
#else
constexpr unsigned own_machine = 0, compatible_machine = 0;
#endif

struct Machine {
  unsigned number;
  const char* name;
};
// By the names that distributions give them.
constexpr std::array<Machine, 11> machines = {{{EM_386, "i386"},
                                               {EM_X86_64, "x86-64"},
                                               {EM_ARM, "ARM of 32 bits"},
                                               {EM_AARCH64, "arm64"},
                                               {EM_RISCV, "RISC-V"},
                                               {EM_PPC, "PowerPC"},
                                               {EM_PPC64, "ppc64"},
                                               {EM_S390, "s390"},
                                               {EM_MIPS, "MIPS"},
                                               {EM_SPARCV9, "SPARC"},
                                               {258, "LoongArch"}}};

std::string name_of_machine(unsigned number) {
  const auto* const found = std::ranges::find(machines, number, &Machine::number);
  return found == machines.end() ? "another machine (ELF machine " + std::to_string(number) + ")"
                                 : found->name;
}

// The dynamic loader that an ELF program names.
template <class Header, class Segment>
std::optional<std::string> loader_of(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::optional<std::string> found;
  Header header{};
  if (::pread(file, &header, sizeof header, 0) == sizeof header && header.e_phentsize == sizeof(Segment)) {
    for (unsigned i = 0; i < std::min<unsigned>(header.e_phnum, 64) && !found; ++i) {
      Segment segment{};
      const auto at = static_cast<off_t>(header.e_phoff + (i * sizeof segment));
      if (::pread(file, &segment, sizeof segment, at) != sizeof segment) break;
      if (segment.p_type != PT_INTERP || segment.p_filesz > PATH_MAX) continue;
      std::string name(segment.p_filesz, '\0');
      if (::pread(file, name.data(), name.size(), static_cast<off_t>(segment.p_offset)) > 0)
        found = name.c_str();
    }
  }
  ::close(file);
  return found;
}

}  // namespace

bool knows_other_formats() {
  std::error_code ignored;
  std::filesystem::directory_iterator entries("/proc/sys/fs/binfmt_misc", ignored);
  return !ignored && std::ranges::any_of(entries, [](const auto& entry) {
    const std::string name = entry.path().filename().string();
    return name != "register" && name != "status";
  });
}

std::string why_elf_fails(const std::string& path, std::string_view beginning) {
  Elf32_Ehdr header{};  // the fields read here lie alike in both classes
  if (beginning.size() < sizeof header) return "it is cut off: it ends within its first header";
  std::memcpy(&header, beginning.data(), sizeof header);
  const bool wide = header.e_ident[EI_CLASS] == ELFCLASS64;
  if (knows_other_formats()) return {};
  // Those of the other byte order write its number so as well.
  const bool big_endian = header.e_ident[EI_DATA] == ELFDATA2MSB;
  const unsigned machine = big_endian ? __builtin_bswap16(header.e_machine) : header.e_machine;
  if (own_machine != 0 && machine != own_machine && machine != compatible_machine)
    return "it was built for " + name_of_machine(machine) + ", and this machine is " +
           name_of_machine(own_machine);
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) return "it is an object file, not a program";
  const auto loader =
      wide ? loader_of<Elf64_Ehdr, Elf64_Phdr>(path) : loader_of<Elf32_Ehdr, Elf32_Phdr>(path);
  if (loader && ::access(loader->c_str(), F_OK) != 0)
    return "its loader \"" + *loader + "\" does not exist (it was built for another C library)";
  return {};
}

}  // namespace belfry::system
