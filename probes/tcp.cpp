// `tcp: host:port`: true when a connection is accepted.
#include "probes/kinds.hpp"
#include "probes/target.hpp"

namespace belfry::probes {

namespace {

class TcpProbe final : public Probe {
 public:
  TcpProbe(Resolver& resolver, Target target) : resolver_(resolver), target_(std::move(target)) {}

  Task<Outcome> check(Context& ctx) override {
    Socket socket(ctx.loop().executor());
    Outcome outcome = co_await connect(ctx, socket, resolver_, target_);
    co_return outcome;
  }

 private:
  Resolver& resolver_;
  Target target_;
};

}  // namespace

Made make_tcp(Resolver& resolver, const config::Probe& spec) {
  auto target = parse_host_port(spec.target);
  if (!target) return std::unexpected(target.error());
  return std::make_unique<TcpProbe>(resolver, std::move(*target));
}

}  // namespace belfry::probes
