// `tcp: host:port`: true when a connection is accepted.
#include "probes/kinds.hpp"
#include "probes/local_owner.hpp"
#include "probes/target.hpp"

namespace belfry::probes {

namespace {

class TcpProbe final : public Probe {
 public:
  TcpProbe(Resolver& resolver, Target target, LocalOwner owner)
      : resolver_(resolver), target_(std::move(target)), owner_(std::move(owner)) {}

  Task<CheckResult> check(Context& ctx) override {
    Socket socket(ctx.loop().executor());
    CheckResult outcome = co_await connect(ctx, socket, resolver_, target_);
    if (outcome) outcome = co_await owner_.judge(ctx, socket);
    co_return outcome;
  }

 private:
  Resolver& resolver_;
  Target target_;
  LocalOwner owner_;
};

}  // namespace

Made make_tcp(Resolver& resolver, KernelQuestions questions, const config::Probe& spec,
              const ProbeContext& about) {
  auto target = parse_host_port(spec.target);
  if (!target) return std::unexpected(target.error());
  LocalOwner owner(questions, spec, about, target->port);
  return std::make_unique<TcpProbe>(resolver, std::move(*target), std::move(owner));
}

}  // namespace belfry::probes
