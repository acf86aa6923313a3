// From a host's name to its addresses, on the loop: no helper thread, and nobody waits behind anybody else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "probes/net/dns_channel.hpp"
#include "probes/net/hosts_file.hpp"
#include "system/file_stamp.hpp"

namespace belfry::probes {

using Endpoint = asio::ip::tcp::endpoint;

// Where it looks. The defaults are the host's.
struct ResolverOptions {
  std::string hosts_file = "/etc/hosts";
  DnsOptions dns = {};
};

// Owner: the factory of the probes. Lifecycle: outlives every resolve(). Nothing is opened and no memory is
//   taken for name servers before the first name that needs them.
// Cancellation: resolve() ends within a turn of its context's cancellation, whatever a name server does.
class Resolver {
 public:
  explicit Resolver(Loop& loop, ResolverOptions options = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // The host's addresses, IPv6 and IPv4 by turns, at least one. A literal address is itself, with zone or
  // without; a name is looked up in the hosts file; `localhost` is known in any case; all others are asked of
  // the name servers. Nothing is remembered: a name that moves is found where it is. Errors: "cannot resolve
  // db: no such name". `host` must outlive the task.
  Task<Result<std::vector<Endpoint>>> resolve(Context& ctx, std::string_view host, std::uint16_t port);

  [[nodiscard]] Loop& loop() const { return loop_; }
  // Null until a name had to be asked for.
  [[nodiscard]] const DnsChannel* channel() const { return channel_.get(); }

 private:
  Result<std::shared_ptr<DnsChannel>> open_channel();

  Loop& loop_;
  ResolverOptions options_;
  HostsFile hosts_;
  std::shared_ptr<DnsChannel> channel_;
  system::FileStamp stamp_;  // of resolv.conf when the channel was opened
};

}  // namespace belfry::probes
