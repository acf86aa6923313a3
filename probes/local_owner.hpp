// `tcp` and `http`: whether what answered is of the service, where it runs on this host.
//
// A foreign server on the port answers as well as the service would, and a service that cannot bind its port
// and dies would be ready in every round. Whose the listener is, in this order:
//   1. A process of the service's tree holds it: the service's.
//   2. A process that was started before the run did holds it: a stranger's.
//   3. A younger process holds it: the service's (the proxy that `docker run` starts, say).
//   4. Nobody is seen to hold it, because descriptors of other users may not be looked at: a stranger's when
//      it listened already as the run began, else the service's.
// What is not on this host, or in another network namespace behind a translated address, is not judged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/task.hpp"
#include "config/model/model.hpp"
#include "probes/factory.hpp"
#include "probes/kernel_questions.hpp"
#include "probes/probe.hpp"
#include "probes/socket_owners.hpp"
#include "system/sock_diag.hpp"

namespace belfry::probes {

// Owner: the probe. Lifecycle: made as the run begins, which it takes note of; remembers its last verdict, so
// that a further attempt costs two questions to the kernel. Cancellation: by the attempt's context.
class LocalOwner {
 public:
  using Endpoint = asio::ip::tcp::endpoint;

  // `port`: of the target. An external, and `owner: any`, is never judged.
  LocalOwner(KernelQuestions questions, const config::Probe& spec, const ProbeContext& about,
             std::uint16_t port);

  // False: whoever answers is right.
  [[nodiscard]] bool judges() const { return tree_.leader != 0; }
  // Once connected: the two ends of the connection. The error names who has the port instead.
  Task<CheckResult> judge(Context& ctx, Endpoint own, Endpoint peer);

 private:
  using Sockets = SocketOwners::Sockets;
  Task<bool> is_ours(Context& ctx, system::ListeningSocket listener, std::uint16_t port);
  Task<CheckResult> judge_stranger(Context& ctx, system::ListeningSocket listener, std::uint16_t port);
  [[nodiscard]] bool was_there(const system::ListeningSocket& listener) const;

  system::SockDiag& diag_;
  SocketOwners& owners_;
  system::TreeId tree_;
  std::uint64_t began_;     // the run, as system::proc::born_at() has it
  Sockets there_at_first_;  // listeners on the port
  SocketOwners::Memory memory_;
};

}  // namespace belfry::probes
