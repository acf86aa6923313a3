#include "probes/factory.hpp"

#include "probes/kinds.hpp"
#include "probes/listen_monitor/listen_probe.hpp"
#include "probes/net/resolver.hpp"
#include "system/path_watch.hpp"
#include "system/sock_diag.hpp"

namespace belfry::probes {

using Kind = config::Probe::Kind;

bool is_event(Kind kind) {
  return kind == Kind::notify || kind == Kind::fd || kind == Kind::log || kind == Kind::listen;
}

struct NativeFactory::Shared {
  Shared(Loop& l, system::Processes* p) : loop(l), processes(p), resolver(l), owners(l) {}
  Loop& loop;
  system::Processes* processes;  // null: there are none
  Resolver resolver;
  system::PathWatches paths{loop};  // one inotify, however many services wait for a file
  PortWaiters waiters;
  system::SockDiag diag;  // one netlink socket, however many services wait for a port
  SocketOwners owners;
  tls::Clients tls;
  KernelQuestions questions{.diag = diag, .owners = owners, .waiters = waiters};
  RemoteServices* others = nullptr;  // null: this host is alone
  NetMeans net{.resolver = resolver, .tls = tls, .questions = questions};
};

NativeFactory::NativeFactory(Loop& loop, system::Processes& processes)
    : shared_(std::make_unique<Shared>(loop, &processes)) {}
NativeFactory::NativeFactory(Loop& loop) : shared_(std::make_unique<Shared>(loop, nullptr)) {}
NativeFactory::~NativeFactory() = default;

void NativeFactory::ask_others_by(RemoteServices& others) { shared_->others = &others; }

Result<std::unique_ptr<Probe>> NativeFactory::make(const config::Probe& probe, const ProbeContext& context) {
  switch (probe.kind) {
    case Kind::tcp: return make_tcp(shared_->net, probe, context);
    case Kind::http: return make_http(shared_->net, probe, context);
    case Kind::postgres: return make_postgres(shared_->net, probe, context);
    case Kind::mysql: return make_mysql(shared_->net, probe, context);
    case Kind::grpc: return make_grpc(shared_->net, probe, context);
    case Kind::redis: return make_redis(shared_->net, probe, context);
    case Kind::amqp: return make_amqp(shared_->net, probe, context);
    case Kind::memcached: return make_memcached(shared_->net, probe, context);
    case Kind::dns: return make_dns(shared_->net, probe);
    case Kind::exec:
      if (shared_->processes == nullptr) break;
      return make_exec(shared_->loop, *shared_->processes, probe, context);
    case Kind::port: return make_port(shared_->questions, probe, context);
    case Kind::unix_socket: return make_unix(shared_->questions, probe, context);
    case Kind::file: return make_file(shared_->paths, probe);
    case Kind::cluster:
      if (shared_->others == nullptr) break;
      return make_cluster(*shared_->others, *this, probe, context);
    default: break;
  }
  return std::unexpected(Error(
      Error::Kind::invalid, "cannot probe " + context.service + ": this kind of probe is not supported yet"));
}

}  // namespace belfry::probes
