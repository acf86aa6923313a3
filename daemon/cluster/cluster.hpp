// This host's part in a cluster: the client of etcd, what is published, and what the others have.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "config/model/model.hpp"
#include "daemon/cluster/etcd/client.hpp"
#include "daemon/cluster/publisher.hpp"
#include "daemon/cluster/reservations.hpp"
#include "daemon/cluster/watcher.hpp"
#include "daemon/view/cluster_view.hpp"
#include "probes/net/resolver.hpp"
#include "tls/client.hpp"

namespace belfry::daemon::cluster {

// Who this belfry is among the others.
struct Identity {
  std::string name;  // of what is shared
  std::string host;
  std::string boot_id;      // random; another one after each start
  std::string predecessor;  // the boot id of the belfry before this one, which is known to be gone; or empty
};

// Owner: the daemon, on main's stack. Lifecycle: start(), stop(); outlives what follows it.
// Cancellation: stop() ends every question; the parent's cancel does.
class Cluster final : public ClusterSource {
 public:
  // The error says which key of `cluster` is wrong.
  static Result<std::unique_ptr<Cluster>> make(Context& parent, const config::Cluster& spec,
                                               Identity identity, etcd::Random random);
  ~Cluster();

  void start();
  // Publishes nothing any more, and returns when nothing of it runs. What etcd does not hear of within
  // `patience` runs out with the lease.
  Task<Result<void>> stop(Context& patience);

  [[nodiscard]] probes::RemoteServices& others() { return watcher_; }
  [[nodiscard]] Publisher& publisher() { return publisher_; }
  [[nodiscard]] Reservations& reservations() { return reservations_; }
  [[nodiscard]] const Identity& identity() const { return identity_; }
  // For people: whom it is about ("belfry", or a service), and what.
  std::function<void(const std::string& about, const std::string& text)> on_remark;

  [[nodiscard]] ClusterView cluster() const override;
  [[nodiscard]] ClusterView cluster_summary() const override;
  Task<Result<void>> refresh(Context& ctx) override { return watcher_.refresh(ctx); }

 private:
  Cluster(Context& parent, etcd::ClientOptions client, const config::Cluster& spec, Identity identity,
          const etcd::Random& random);

  Loop& loop_;
  Identity identity_;
  probes::Resolver resolver_;
  tls::Clients tls_;
  etcd::Client client_;
  Publisher publisher_;
  Reservations reservations_;
  Watcher watcher_;
};

}  // namespace belfry::daemon::cluster
