// `dns: NAME`, or `dns: {name: NAME, server: HOST:PORT}`: true when the name has an address.
#include <utility>

#include "probes/kinds.hpp"
#include "probes/net/dns_channel.hpp"

namespace belfry::probes {

namespace {

constexpr std::uint16_t dns_port = 53;

// As every lookup of this host: its hosts file, its name servers, its search domains.
class HostLookup final : public Probe {
 public:
  HostLookup(Resolver& resolver, std::string name) : resolver_(resolver), name_(std::move(name)) {}
  Task<CheckResult> check(Context& ctx) override {
    Result<std::vector<Endpoint>> found = co_await resolver_.resolve(ctx, name_, dns_port);
    if (!found) co_return std::unexpected(found.error());
    co_return CheckResult{};
  }

 private:
  Resolver& resolver_;
  std::string name_;
};

// One server alone is asked. Its own name, if it has one, is looked up as every other's, at each check.
class ServerLookup final : public Probe {
 public:
  ServerLookup(Resolver& resolver, std::string name, Target server)
      : resolver_(resolver), name_(std::move(name)), server_(std::move(server)) {}
  Task<CheckResult> check(Context& ctx) override;

 private:
  Result<DnsChannel*> channel_to(const Endpoint& server);

  Resolver& resolver_;
  std::string name_;
  Target server_;
  Endpoint asked_;
  std::unique_ptr<DnsChannel> channel_;  // to `asked_`
};

Result<DnsChannel*> ServerLookup::channel_to(const Endpoint& server) {
  if (channel_ && server == asked_) return channel_.get();
  Target address{.host = server.address().to_string(), .port = server.port()};
  auto fresh = std::make_unique<DnsChannel>(resolver_.loop());
  if (auto opened = fresh->open({.servers = address.text(), .only_servers = true}); !opened)
    return std::unexpected(opened.error());
  channel_ = std::move(fresh);
  asked_ = server;
  return channel_.get();
}

Task<CheckResult> ServerLookup::check(Context& ctx) {
  const std::string what = "cannot look up " + name_ + " at " + server_.text();
  Result<std::vector<Endpoint>> servers = co_await resolver_.resolve(ctx, server_.host, server_.port);
  if (!servers) co_return std::unexpected(servers.error().wrap(what));
  const Result<DnsChannel*> channel = channel_to(servers->front());
  if (!channel) co_return std::unexpected(channel.error().wrap(what));
  Result<DnsChannel::Addresses> found = co_await (*channel)->look_up(ctx, name_);
  if (!found) co_return std::unexpected(found.error().wrap(what));
  co_return CheckResult{};
}

}  // namespace

Made make_dns(NetMeans means, const config::Probe& spec) {
  if (spec.server->empty()) return std::make_unique<HostLookup>(means.resolver, spec.target);
  error_code not_literal;
  (void)asio::ip::make_address(spec.target, not_literal);
  if (!not_literal)
    return std::unexpected(
        Error(Error::Kind::invalid, "cannot probe " + spec.target + ": it is an address, and no name"));
  auto server = parse_host_port(*spec.server, dns_port);
  if (!server) return std::unexpected(server.error());
  return std::make_unique<ServerLookup>(means.resolver, spec.target, std::move(*server));
}

}  // namespace belfry::probes
