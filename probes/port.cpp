// `port: N`, `port: any`, `port: {udp: N}`.
#include "probes/kinds.hpp"
#include "probes/listen_monitor/listen_probe.hpp"

namespace belfry::probes {

Made make_port(KernelQuestions questions, const config::Probe& spec, const ProbeContext& about) {
  return std::make_unique<ListenProbe>(questions, whose(about, spec.any_owner),
                                       Awaited{.port = spec.port, .udp = spec.udp, .path = {}});
}

}  // namespace belfry::probes
