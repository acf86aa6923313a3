// `file: path`: true when it exists, whatever it is.
#include "probes/kinds.hpp"
#include "system/file_facts.hpp"

namespace belfry::probes {

namespace {

class FileProbe final : public Probe {
 public:
  explicit FileProbe(std::string path) : path_(std::move(path)) {}

  Task<CheckResult> check(Context&) override {
    const auto found = system::facts_of(path_);
    if (found) co_return CheckResult{};
    co_return std::unexpected(Error::from_errno(found.error(), "cannot find " + path_));
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
