#include "system/exec_diagnosis.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

namespace belfry::system {

namespace {

// The kernel reads so much of a file to find out what it is (BINPRM_BUF_SIZE).
constexpr std::size_t beginning_size = 256;

#if defined(__x86_64__)
constexpr unsigned own_machine = EM_X86_64, compatible_machine = EM_386;
#elif defined(__aarch64__)
constexpr unsigned own_machine = EM_AARCH64, compatible_machine = EM_ARM;
#else
constexpr unsigned own_machine = 0, compatible_machine = 0;
#endif

// Of belfry's own user the kernel is asked, which knows of access control lists; of another the bits tell.
bool may_execute(const std::string& path, const struct stat& file, const Executor& who) {
  constexpr mode_t all = S_IXUSR | S_IXGRP | S_IXOTH;
  if (who.uid == 0) return S_ISDIR(file.st_mode) || (file.st_mode & all) != 0;
  if (who.uid == ::geteuid()) return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
  if (file.st_uid == who.uid) return (file.st_mode & S_IXUSR) != 0;
  if (std::ranges::find(who.groups, file.st_gid) != who.groups.end()) return (file.st_mode & S_IXGRP) != 0;
  return (file.st_mode & S_IXOTH) != 0;
}

// What binfmt_misc is told of at run time (wine, qemu, Java) is executed as well; nobody but it knows how.
bool knows_other_formats() {
  std::error_code ignored;
  std::filesystem::directory_iterator entries("/proc/sys/fs/binfmt_misc", ignored);
  return !ignored && std::ranges::any_of(entries, [](const auto& entry) {
    const std::string name = entry.path().filename().string();
    return name != "register" && name != "status";
  });
}

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

// The first directory on the way that this user may not enter.
std::string closed_directory(const std::string& path, const Executor& who) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string directory = path.substr(0, slash);
    struct stat status{};
    if (::stat(directory.c_str(), &status) == 0 && !may_execute(directory, status, who)) return directory;
  }
  return {};
}

std::string why_link_is_broken(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
  if (length <= 0) return {};
  return "it is a link to " + std::string(target, static_cast<std::size_t>(length)) +
         ", which does not exist";
}

std::string beginning_of(const std::string& path) {
  std::string text(beginning_size, '\0');
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  const ssize_t got = file < 0 ? -1 : ::pread(file, text.data(), text.size(), 0);
  if (file >= 0) ::close(file);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

// An interpreter may be a script itself; the kernel follows so many of them.
constexpr int most_interpreters = 5;

std::string look_at(const std::string& path, const Executor& who, int depth);

std::string why_interpreter_fails(const Shebang& first, const Executor& who, int depth) {
  if (first.interpreter.empty()) return "its first line begins with #! and names no interpreter";
  if (first.crlf)
    return "its first line ends with CRLF, so that " +
           (first.argument.empty()
                ? "its interpreter is " + in_quotes(first.interpreter + "\\r") + ", which does not exist"
                : first.interpreter + " is given " + in_quotes(first.argument + "\\r")) +
           " (write the file with Unix line ends)";
  const std::string name = in_quotes(first.interpreter);
  if (::access(first.interpreter.c_str(), F_OK) != 0) return "its interpreter " + name + " does not exist";
  if (depth >= most_interpreters) return "its interpreters are scripts that lead to one another";
  const std::string why = look_at(first.interpreter, who, depth + 1);
  return why.empty() ? why : "its interpreter " + name + " cannot be executed: " + why;
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

std::string why_program_fails(const std::string& path, std::string_view beginning) {
  Elf32_Ehdr header{};  // the fields read here lie alike in both classes
  if (beginning.size() < sizeof header) return "it is no program for this machine";
  std::memcpy(&header, beginning.data(), sizeof header);
  const bool wide = header.e_ident[EI_CLASS] == ELFCLASS64;
  if (knows_other_formats()) return {};
  if (own_machine != 0 && header.e_machine != own_machine && header.e_machine != compatible_machine)
    return "it was built for another machine (ELF machine " + std::to_string(header.e_machine) + ")";
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) return "it is an object file, not a program";
  const auto loader =
      wide ? loader_of<Elf64_Ehdr, Elf64_Phdr>(path) : loader_of<Elf32_Ehdr, Elf32_Phdr>(path);
  if (loader && ::access(loader->c_str(), F_OK) != 0)
    return "its loader " + in_quotes(*loader) + " does not exist (it was built for another C library)";
  return {};
}

std::string look_at(const std::string& path, const Executor& who, int depth) {
  if (const std::string closed = closed_directory(path, who); !closed.empty())
    return "user " + std::to_string(who.uid) + " may not enter " + closed;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return errno == ENOENT ? why_link_is_broken(path) : std::string();
  if (S_ISDIR(status.st_mode)) return "it is a directory";
  if (!S_ISREG(status.st_mode)) return "it is not a regular file";
  if (!may_execute(path, status, who))
    return (status.st_mode & 0111) == 0 ? "it is not executable (chmod +x)"
                                        : "user " + std::to_string(who.uid) + " may not execute it";
  struct statvfs system{};
  if (::statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_NOEXEC) != 0)
    return "its file system is mounted noexec";
  if (status.st_size == 0) return "it is empty";
  const std::string beginning = beginning_of(path);
  if (beginning.empty()) return {};  // it may not be read, and need not be
  if (beginning.starts_with("#!")) return why_interpreter_fails(shebang_of(beginning), who, depth);
  if (beginning.starts_with(ELFMAG)) return why_program_fails(path, beginning);
  return knows_other_formats() ? std::string() : "it has no #! line and is no program for this machine";
}

}  // namespace

Shebang shebang_of(std::string_view beginning) {
  Shebang first;
  if (!beginning.starts_with("#!")) return first;
  std::string_view line = beginning.substr(2, beginning.find('\n') - 2);
  first.crlf = line.ends_with('\r');
  if (first.crlf) line.remove_suffix(1);
  const auto begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return first;
  line.remove_prefix(begin);
  const auto end = line.find_first_of(" \t");
  first.interpreter = line.substr(0, end);
  if (end == std::string_view::npos) return first;
  const auto argument = line.find_first_not_of(" \t", end);
  if (argument != std::string_view::npos)
    first.argument = line.substr(argument, line.find_last_not_of(" \t") + 1 - argument);
  return first;
}

std::string why_not_executable(const std::string& path, const Executor& who) { return look_at(path, who, 0); }

}  // namespace belfry::system
