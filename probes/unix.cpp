// `unix: path`: true when a process of this service listens at that path. A file that is left over from an
// earlier run is nobody's, and nobody is connected to.
#include "probes/kinds.hpp"
#include "probes/owner.hpp"
#include "system/sock_diag.hpp"

namespace belfry::probes {

namespace {

// Owner: the incarnation's watch. Lifecycle: any number of checks. Cancellation: none needed, a check
// never waits.
class UnixProbe final : public Probe {
 public:
  UnixProbe(system::SockDiag& diag, const config::Probe& spec, const ProbeContext& about)
      : diag_(diag), path_(spec.target), tree_(about.tree) {}

  Task<Outcome> check(Context&) override {
    const std::vector<ino_t> inodes = diag_.unix_listeners(path_);
    if (inodes.empty()) co_return std::unexpected(Error(Error::Kind::failed, "nobody listens at " + path_));
    if (tree_.leader != 0 && !holds_one(tree_, inodes)) {
      co_return std::unexpected(
          Error(Error::Kind::failed, "another process listens at " + path_ + " (ss -lxp shows which)"));
    }
    co_return Outcome{};
  }

 private:
  system::SockDiag& diag_;
  std::string path_;
  system::TreeId tree_;
};

}  // namespace

Made make_unix(system::SockDiag& diag, const config::Probe& spec, const ProbeContext& about) {
  if (spec.target.empty())
    return std::unexpected(Error(Error::Kind::invalid, "cannot probe: `unix` has no path"));
  return std::make_unique<UnixProbe>(diag, spec, about);
}

}  // namespace belfry::probes
