// The makers of the kinds that are asked, one file each; the factory chooses among them.
#pragma once

#include <memory>

#include "channels/loop.hpp"
#include "config/model.hpp"
#include "probes/factory.hpp"
#include "probes/probe.hpp"
#include "system/processes.hpp"

namespace belfry::system {
class SockDiag;
}

namespace belfry::probes {

struct PortWaiters;
class Resolver;

using Made = Result<std::unique_ptr<Probe>>;

// The resolver must outlive these.
Made make_tcp(Resolver& resolver, const config::Probe& spec);
Made make_http(Resolver& resolver, const config::Probe& spec);
Made make_exec(Loop& loop, system::Processes& processes, const config::Probe& spec,
               const ProbeContext& about);
// These ask the kernel through one socket for all probes, and are counted; both must outlive them.
Made make_port(system::SockDiag& diag, PortWaiters& waiters, const config::Probe& spec,
               const ProbeContext& about);
Made make_unix(system::SockDiag& diag, PortWaiters& waiters, const config::Probe& spec,
               const ProbeContext& about);
Made make_file(const config::Probe& spec);

}  // namespace belfry::probes
