#include "system/become.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "system/descriptors.hpp"

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

void die_of(int signo) {
  ::signal(signo, SIG_DFL);
  sigset_t alone;
  sigemptyset(&alone);
  sigaddset(&alone, signo);
  pthread_sigmask(SIG_UNBLOCK, &alone, nullptr);
  ::raise(signo);
}

}  // namespace belfry::system
