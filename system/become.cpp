#include "system/become.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "system/descriptors.hpp"
#include "system/exec_diagnosis.hpp"
#include "system/find_program.hpp"

namespace belfry::system {

int become(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  if (const auto limit = entry_descriptor_limit()) ::setrlimit(RLIMIT_NOFILE, &*limit);
  ::signal(SIGPIPE, SIG_DFL);
  ::execvp(arguments.front(), arguments.data());
  return errno;
}

std::string why_not_run(const std::string& program, int errnum) {
  const char* const path = std::getenv("PATH");
  const auto found = find_program(program, path != nullptr ? path : "/bin:/usr/bin");  // as execvp(3)
  if (!found) return found.error().reason;
  const std::string why = why_not_executable(*found, {.uid = ::geteuid()});
  return why.empty() ? std::strerror(errnum) : why;
}

void die_of(int signo) {
  ::signal(signo, SIG_DFL);
  sigset_t alone;
  sigemptyset(&alone);
  sigaddset(&alone, signo);
  pthread_sigmask(SIG_UNBLOCK, &alone, nullptr);
  ::raise(signo);
}

}  // namespace belfry::system
