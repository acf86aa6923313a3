#include "system/exec_diagnosis.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <filesystem>

#include "system/elf_diagnosis.hpp"
#include "system/execute_right.hpp"

namespace belfry::system {

namespace {

// The kernel reads so much of a file to find out what it is (BINPRM_BUF_SIZE).
constexpr std::size_t beginning_size = 256;

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string why_link_is_broken(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
  if (length <= 0) return {};
  return "it is a link to " + std::string(target, static_cast<std::size_t>(length)) +
         ", which does not exist";
}

// The first directory on the way that this user may not enter, or that is none; as half a sentence.
std::string why_way_is_closed(const std::string& path, const Executor& who) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string directory = path.substr(0, slash);
    struct stat status{};
    if (::stat(directory.c_str(), &status) != 0) {
      if (errno != ENOENT) return {};
      const std::string broken = why_link_is_broken(directory);
      if (!broken.empty()) return std::string(directory).append(": ").append(broken);
      return "the directory " + directory + " does not exist";
    }
    if (!S_ISDIR(status.st_mode)) return directory + " is not a directory";
    if (!may_execute(directory, status, who)) return why_not_entered(directory, status, who);
  }
  return {};
}

// Where the file system begins whose files may not be executed.
std::string noexec_mount_of(const std::string& path) {
  std::filesystem::path place = std::filesystem::path(path).parent_path();
  while (place.has_relative_path()) {
    struct statvfs above{};
    if (::statvfs(place.parent_path().c_str(), &above) != 0 || (above.f_flag & ST_NOEXEC) == 0) break;
    place = place.parent_path();
  }
  return place.string();
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

std::string look_at(const std::string& path, const Executor& who, int depth) {
  if (std::string closed = why_way_is_closed(path, who); !closed.empty()) return closed;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return errno == ENOENT ? why_link_is_broken(path) : std::string();
  if (S_ISDIR(status.st_mode)) return "it is a directory";
  if (!S_ISREG(status.st_mode)) return "it is not a regular file";
  if (!may_execute(path, status, who))
    return (status.st_mode & 0111) == 0 ? "it is not executable (chmod +x)" : why_not_executed(status, who);
  struct statvfs system{};
  if (::statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_NOEXEC) != 0)
    return "its file system is mounted noexec (at " + noexec_mount_of(path) + ")";
  if (status.st_size == 0) return "it is empty";
  const std::string beginning = beginning_of(path);
  if (beginning.empty()) return {};  // it may not be read, and need not be
  if (beginning.starts_with("#!")) return why_interpreter_fails(shebang_of(beginning), who, depth);
  if (beginning.starts_with(ELFMAG)) return why_elf_fails(path, beginning);
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

std::string why_not_enterable(const std::string& path, const Executor& who) {
  return why_way_is_closed(path + "/", who);
}

}  // namespace belfry::system
