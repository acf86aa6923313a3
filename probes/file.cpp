// `file: path`: true when it exists, whatever it is.
#include <sys/stat.h>

#include <cerrno>

#include "probes/kinds.hpp"

namespace belfry::probes {

namespace {

// Owner: the incarnation's watch. Lifecycle: any number of checks. Cancellation: none needed, a check
// never waits.
class FileProbe final : public Probe {
 public:
  explicit FileProbe(std::string path) : path_(std::move(path)) {}

  Task<Outcome> check(Context&) override {
    struct stat found{};
    if (::stat(path_.c_str(), &found) == 0) co_return Outcome{};
    co_return std::unexpected(Error::from_errno(errno, "cannot find " + path_));
  }

 private:
  std::string path_;
};

}  // namespace

Made make_file(const config::Probe& spec) {
  if (spec.target.empty())
    return std::unexpected(Error(Error::Kind::invalid, "cannot probe: `file` has no path"));
  return std::make_unique<FileProbe>(spec.target);
}

}  // namespace belfry::probes
