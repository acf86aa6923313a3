#include "system/find_program.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace belfry::system {
namespace {

// 0, or why execve would refuse the file itself.
int fault_of(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return errno;
  if (S_ISDIR(file.st_mode)) return EISDIR;
  if (!S_ISREG(file.st_mode)) return EACCES;
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

std::string words_for(int errnum, const std::string& path) {
  switch (errnum) {
    case ENOENT: return path + " does not exist";
    case EISDIR: return path + " is a directory";
    case EACCES: return path + " is not executable";
    default: return path + ": " + std::strerror(errnum);
  }
}

// What stands behind `#!`; empty if the file is no script or cannot be read, which execve need not.
std::string interpreter_of(const std::string& path) {
  std::array<char, 256> start{};  // as much as the kernel looks at
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return {};
  const ssize_t length = ::pread(file, start.data(), start.size(), 0);
  ::close(file);
  std::string_view line(start.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  if (!line.starts_with("#!") || !line.contains('\n')) return {};
  line = line.substr(2, line.find('\n') - 2);
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

std::optional<NoProgram> fault_of_interpreter(const std::string& path) {
  std::string interpreter = interpreter_of(path);
  if (interpreter.empty()) return std::nullopt;
  const int errnum = fault_of(interpreter);
  if (errnum == 0) return std::nullopt;
  const bool windows = interpreter.ends_with('\r');
  if (windows) interpreter.pop_back();
  return NoProgram{errnum, path + " asks for the interpreter " +
                               (windows ? interpreter + " and has Windows line ends"
                                        : interpreter + ": " + words_for(errnum, interpreter))};
}

std::expected<std::string, NoProgram> judged(std::string path) {
  if (const int errnum = fault_of(path); errnum != 0)
    return std::unexpected(NoProgram{errnum, words_for(errnum, path)});
  if (auto fault = fault_of_interpreter(path)) return std::unexpected(std::move(*fault));
  return path;
}

}  // namespace

std::expected<std::string, NoProgram> find_program(std::string_view command, std::string_view path) {
  if (command.empty()) return std::unexpected(NoProgram{ENOENT, "it is empty"});
  if (command.contains('/')) return judged(std::string(command));
  std::optional<NoProgram> passed_over;  // as execvp: a file that cannot be executed is no end of the search
  for (std::string_view rest = path;;) {
    const std::size_t colon = rest.find(':');
    std::string candidate(rest.substr(0, colon));
    if (candidate.empty()) candidate = ".";
    candidate.append("/").append(command);
    const int errnum = fault_of(candidate);
    if (errnum == 0) return judged(std::move(candidate));
    if (errnum == EACCES && !passed_over) passed_over = NoProgram{EACCES, words_for(EACCES, candidate)};
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  if (passed_over) return std::unexpected(std::move(*passed_over));
  return std::unexpected(NoProgram{ENOENT, "it is not in PATH (" + std::string(path) + ")"});
}

}  // namespace belfry::system
