#include "daemon/cluster/cluster.hpp"

#include <charconv>
#include <utility>

#include "system/clock.hpp"
#include "system/file_facts.hpp"
#include "system/open_file.hpp"

namespace belfry::daemon::cluster {

namespace {

constexpr std::size_t longest_password = 4096;

Result<std::string> password_of(const config::Cluster& spec) {
  if (spec.password_file.empty()) return std::string();
  std::string text;
  const int error = system::read_beginning(spec.password_file, longest_password, text);
  if (error != 0)
    return std::unexpected(
        Error::from_errno(error, "cannot read " + spec.password_file + " (cluster.password_file)"));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty())
    return std::unexpected(
        Error(Error::Kind::invalid, spec.password_file + " is empty (cluster.password_file)"));
  return text;
}

std::string hex(std::uint64_t number) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  return {digits, end};
}

PublishedView view_of(std::string_view service, std::string_view host, const Publication& of,
                      etcd::Revision generation) {
  return {.service = std::string(service),
          .host = std::string(host),
          .generation = generation,
          .incarnation = of.incarnation,
          .since_ms = of.since_ms,
          .boot_id = of.boot_id,
          .outputs = of.outputs,
          .trouble = {}};
}

PublisherOptions publisher_options(const config::Cluster& spec, const Identity& identity) {
  return {.host = identity.host,
          .boot_id = identity.boot_id,
          .predecessor = identity.predecessor,
          .ttl = spec.ttl,
          .since_boot = [] { return Duration(system::time_since_boot()); }};
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::make(Context& parent, const config::Cluster& spec,
                                               Identity identity, etcd::Random random) {
  etcd::ClientOptions client{.endpoints = {},
                             .tls = spec.tls,
                             .user = spec.user,
                             .password = {},
                             .cluster = spec.id,
                             .random = random};
  for (const std::string& text : spec.etcd) {
    auto endpoint = etcd::parse_endpoint(text, spec.tls_asked);
    if (!endpoint) return std::unexpected(endpoint.error());
    client.endpoints.push_back(std::move(*endpoint));
  }
  auto password = password_of(spec);
  if (!password) return std::unexpected(password.error());
  client.password = std::move(*password);
  return std::unique_ptr<Cluster>(new Cluster(parent, std::move(client), spec, std::move(identity), random));
}

Cluster::Cluster(Context& parent, etcd::ClientOptions client, const config::Cluster& spec, Identity identity,
                 const etcd::Random& random)
    : loop_(parent.loop()),
      identity_(std::move(identity)),
      resolver_(loop_),
      client_(parent, std::move(client), resolver_, tls_),
      publisher_(parent, client_, Keys(identity_.name), publisher_options(spec, identity_), random),
      reservations_(client_, Keys(identity_.name), publisher_, identity_.host, random),
      watcher_(parent, client_, Keys(identity_.name), random) {
  publisher_.on_put = [this](etcd::Revision revision) { watcher_.expect(revision); };
  reservations_.on_wait = [this](const std::string& service, const std::string& text) {
    if (on_remark) on_remark(service, "does not restart yet: " + text);
  };
  publisher_.on_remark = [this](const std::string& about, const std::string& text) {
    if (on_remark) on_remark(about, text);
  };
  watcher_.on_remark = [this](const std::string& text) {
    if (on_remark) on_remark("belfry", text);
  };
}

Cluster::~Cluster() = default;

void Cluster::start() {
  client_.start();
  publisher_.start();
  watcher_.start();
}

Task<Result<void>> Cluster::stop(Context& patience) {
  Result<void> first;
  const Result<void> watched = co_await watcher_.stop(patience);
  if (!watched) first = watched;
  const Result<void> published = co_await publisher_.stop(patience);
  if (!published && first) first = published;
  const Result<void> asked = co_await client_.stop(patience);
  if (!asked && first) first = asked;
  co_return first;
}

ClusterView Cluster::cluster_summary() const {
  const etcd::ClientFacts& etcd = client_.facts();
  const PublisherFacts& published = publisher_.facts();
  const WatcherFacts& watched = watcher_.facts();
  ClusterView view{
      .name = identity_.name,
      .host = identity_.host,
      .boot_id = identity_.boot_id,
      .member = etcd.member,
      .version = etcd.version,
      .id = etcd.cluster == 0 ? std::string() : hex(etcd.cluster),
      .revision = watched.revision,
      .remarks = {},
      .trouble = {},
      .watching = watcher_.is_watching(),
      .watch_lag = watcher_.lag(),
      .known_for = watched.listed_at == TimePoint::min() ? Duration(0) : loop_.now() - watched.listed_at,
      .lease = published.lease,
      .lease_age = published.lease == 0 ? Duration(0) : loop_.now() - published.renewed_at,
      .lease_left = publisher_.lease_left(),
      .counts = {.lists = watched.lists,
                 .looks = watched.looks,
                 .events = watched.events,
                 .refused = watched.refused,
                 .backwards = watched.backwards,
                 .missed = watched.missed,
                 .leases_lost = published.leases_lost,
                 .txns = published.txns,
                 .connections = etcd.connections,
                 .errors = published.errors + watched.errors},
      .published = publisher_.published(),
      .restarts = {},
      .own = {},
      .others = {}};
  for (const std::string& remark : {etcd.remark, watched.remark})
    if (!remark.empty()) view.remarks.push_back(remark);
  if (watched.trouble)
    view.trouble = watched.trouble.text();
  else if (published.trouble)
    view.trouble = published.trouble.text();
  for (std::string& service : publisher_.kept()) view.restarts.push_back({std::move(service), {}});
  for (const auto& [service, why] : reservations_.waits()) view.restarts.push_back({service, why});
  return view;
}

ClusterView Cluster::cluster() const {
  ClusterView view = cluster_summary();
  for (Own& own : publisher_.all()) {
    view.own.push_back(view_of(own.service, identity_.host, own.publication, own.generation));
    view.own.back().trouble = std::move(own.trouble);
  }
  watcher_.each([&view](std::string_view service, const Watcher::Hosts& hosts) {
    for (const auto& [host, placed] : hosts)
      view.others.push_back(view_of(service, host, placed.publication, placed.generation));
  });
  return view;
}

}  // namespace belfry::daemon::cluster
