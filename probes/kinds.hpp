// The makers of the kinds that are asked, one file each; the factory chooses among them.
#pragma once

#include <memory>

#include "channels/loop.hpp"
#include "config/model/model.hpp"
#include "probes/dialogue_probe.hpp"
#include "probes/factory.hpp"
#include "probes/probe.hpp"
#include "system/processes.hpp"

namespace belfry::system {
class PathWatches;
}

namespace belfry::probes {

class RemoteServices;

using Made = Result<std::unique_ptr<Probe>>;

Made make_exec(Loop& loop, system::Processes& processes, const config::Probe& spec,
               const ProbeContext& about);
Made make_tcp(NetMeans means, const config::Probe& spec, const ProbeContext& about);
Made make_http(NetMeans means, const config::Probe& spec, const ProbeContext& about);
Made make_postgres(NetMeans means, const config::Probe& spec, const ProbeContext& about);
Made make_mysql(NetMeans means, const config::Probe& spec, const ProbeContext& about);
Made make_grpc(NetMeans means, const config::Probe& spec, const ProbeContext& about);
Made make_redis(NetMeans means, const config::Probe& spec, const ProbeContext& about);
Made make_amqp(NetMeans means, const config::Probe& spec, const ProbeContext& about);
Made make_memcached(NetMeans means, const config::Probe& spec, const ProbeContext& about);
Made make_dns(NetMeans means, const config::Probe& spec);
// These ask the kernel through one socket for all probes, and are counted.
Made make_port(KernelQuestions questions, const config::Probe& spec, const ProbeContext& about);
Made make_unix(KernelQuestions questions, const config::Probe& spec, const ProbeContext& about);
// What changes at the path is told by the watches, which must outlive the probe.
Made make_file(system::PathWatches& watches, const config::Probe& spec);
// `factory` makes what confirms.
Made make_cluster(RemoteServices& others, Factory& factory, const config::Probe& spec,
                  const ProbeContext& about);

}  // namespace belfry::probes
