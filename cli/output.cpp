#include "cli/output.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <system_error>

#include "client/failure.hpp"
#include "config/model/exit_codes.hpp"

namespace belfry::cli {

int finish_output(int code) {
  errno = 0;
  std::cout.flush();
  if (std::cout.good() && std::ferror(stdout) == 0) return code;
  const int why = errno;
  if (why == EPIPE) return exit_code::by_signal + SIGPIPE;
  const std::string reason = why == 0 ? "" : ": " + std::generic_category().message(why);
  return client::report({exit_code::os_error, "cannot write to standard output" + reason, ""});
}

}  // namespace belfry::cli
