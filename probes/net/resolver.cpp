#include "probes/net/resolver.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

namespace belfry::probes {

namespace {

using Addresses = DnsChannel::Addresses;

// Also in the forms that inet_aton(3) knows, such as 127.1: a name server would be asked for them in vain.
std::optional<asio::ip::address> literal(const std::string& host) {
  error_code not_literal;
  auto address = asio::ip::make_address(host, not_literal);
  if (!not_literal) return address;
  in_addr number{};
  if (::inet_aton(host.c_str(), &number) == 0) return std::nullopt;
  return asio::ip::address_v4(ntohl(number.s_addr));
}

// No name server is asked for these (RFC 6761, 6.3).
bool is_localhost(std::string_view name) {
  constexpr std::string_view localhost = "localhost";
  if (name.size() < localhost.size()) return false;
  const std::string_view rest = name.substr(0, name.size() - localhost.size());
  const auto is_same = [](char a, char b) { return (a | 0x20) == b; };
  return std::ranges::equal(name.substr(rest.size()), localhost, is_same) &&
         (rest.empty() || rest.ends_with('.'));
}

// IPv6 first, then by turns, so that a family that leads nowhere costs one attempt (RFC 8305, 4).
std::vector<Endpoint> by_turns(const Addresses& addresses, std::uint16_t port) {
  std::vector<Endpoint> wide;
  std::vector<Endpoint> narrow;
  for (const auto& address : addresses) (address.is_v6() ? wide : narrow).emplace_back(address, port);
  std::vector<Endpoint> all;
  for (std::size_t i = 0; i < std::max(wide.size(), narrow.size()); ++i) {
    if (i < wide.size()) all.push_back(wide[i]);
    if (i < narrow.size()) all.push_back(narrow[i]);
  }
  return all;
}

}  // namespace

Resolver::Resolver(Loop& loop, ResolverOptions options)
    : loop_(loop), options_(std::move(options)), hosts_(options_.hosts_file) {}

Resolver::~Resolver() = default;

Task<Result<std::vector<Endpoint>>> Resolver::resolve(Context& ctx, std::string_view host,
                                                      std::uint16_t port) {
  std::string name(host);
  if (const auto address = literal(name)) co_return std::vector{Endpoint(*address, port)};
  std::string_view bare = host;
  if (bare.ends_with('.')) bare.remove_suffix(1);
  Addresses known = hosts_.find(bare);
  if (known.empty() && is_localhost(bare))
    known = {asio::ip::address_v6::loopback(), asio::ip::address_v4::loopback()};
  if (!known.empty()) co_return by_turns(known, port);

  const std::string what = "cannot resolve " + name;
  Result<std::shared_ptr<DnsChannel>> channel = open_channel();
  if (!channel) co_return std::unexpected(channel.error().wrap(what));
  Result<Addresses> found = co_await (*channel)->look_up(ctx, std::move(name));
  if (!found) co_return std::unexpected(found.error().wrap(what));
  co_return by_turns(*found, port);
}

// A task that waits for an answer of the servers that were in the file before keeps their channel.
Result<std::shared_ptr<DnsChannel>> Resolver::open_channel() {
  const auto now = system::FileStamp::of(options_.dns.resolv_conf.c_str());
  if (channel_ && now == stamp_) return channel_;
  auto fresh = std::make_shared<DnsChannel>(loop_);
  if (auto opened = fresh->open(options_.dns); !opened) return std::unexpected(opened.error());
  channel_ = std::move(fresh);
  stamp_ = now;
  return channel_;
}

}  // namespace belfry::probes
