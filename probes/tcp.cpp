// `tcp: host:port`: true when a connection is accepted.
#include "probes/kinds.hpp"
#include "probes/target.hpp"

namespace belfry::probes {

namespace {

class TcpProbe final : public Probe {
 public:
  TcpProbe(Loop& loop, Target target) : loop_(loop), target_(std::move(target)) {}

  Task<Outcome> check(Context& ctx) override {
    Socket socket(loop_.executor());
    Outcome outcome = co_await connect(ctx, socket, target_);
    co_return outcome;
  }

 private:
  Loop& loop_;
  Target target_;
};

}  // namespace

Made make_tcp(Loop& loop, const config::Probe& spec) {
  auto target = parse_host_port(spec.target);
  if (!target) return std::unexpected(target.error());
  return std::make_unique<TcpProbe>(loop, std::move(*target));
}

}  // namespace belfry::probes
