// `unix: path`: a stream or seqpacket socket (one for datagrams does not listen). A file that is left over
// from an earlier run is nobody's.
#include "probes/kinds.hpp"
#include "probes/listen_monitor/listen_probe.hpp"

namespace belfry::probes {

Made make_unix(KernelQuestions questions, const config::Probe& spec, const ProbeContext& about) {
  if (spec.target.empty())
    return std::unexpected(Error(Error::Kind::invalid, "cannot probe: `unix` has no path"));
  return std::make_unique<ListenProbe>(questions, whose(about, spec.any_owner),
                                       Awaited{.port = 0, .udp = false, .path = spec.target});
}

}  // namespace belfry::probes
