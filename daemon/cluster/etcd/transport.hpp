// One connection to one member: a socket, TLS where it is spoken, HTTP/2, and the tasks that move the bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "channels/asio.hpp"
#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"
#include "channels/wakeup.hpp"
#include "daemon/cluster/etcd/endpoints.hpp"
#include "daemon/cluster/etcd/http2.hpp"
#include "probes/net/happy_eyeballs.hpp"
#include "probes/net/resolver.hpp"
#include "tls/client.hpp"

namespace belfry::daemon::etcd {

// When silence is a loss. etcd ends connections that ask more often than every 5 s (its
// --grpc-keepalive-min-time), or that ask while no call is open.
struct Patience {
  Duration before_ping = std::chrono::seconds(10);  // nothing was heard for so long, and a call is open
  Duration for_answer = std::chrono::seconds(5);    // to the ping
};

// Owner: the client, and each call on it, so that the HTTP/2 below a call outlives it. Lifecycle: connect(),
//   then start(); from then on calls, until `lost` rings; then `ctx` of start() is cancelled and the group
//   waited for. Everything ends in lose(): what the socket says, silence, the client's own wish.
// Cancellation: connect() ends within a turn of it; the tasks of start() do, and take the calls with them.
class Transport {
 public:
  Transport(Loop& loop, const Endpoint& endpoint, Patience patience);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Errors say all: "cannot connect to e1:2379: Connection refused". `session`: null for clear text.
  Task<Result<void>> connect(Context& ctx, probes::Resolver& resolver,
                             std::unique_ptr<tls::ClientSession> session);
  // The tasks are the group's, and end with `ctx`.
  void start(Context& ctx, WaitGroup& group);

  void lose(const Error& why);
  // When its tasks have ended: whoever still holds a call on it holds no descriptor by that.
  void close();
  [[nodiscard]] Listener<> lost() { return lost_.listener(); }
  // Empty: it is not.
  [[nodiscard]] const Error& why_lost() const { return why_lost_; }
  [[nodiscard]] bool takes_calls() const { return why_lost_.empty() && !http2_.going_away(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Loop& loop() const { return loop_; }
  [[nodiscard]] Http2& http2() { return http2_; }
  // A call was begun: silence counts from now on.
  void expect_news();

 private:
  Task<Result<void>> start_tls(Context& ctx, std::unique_ptr<tls::ClientSession> session);
  Task<Result<void>> write_all(Context& ctx, std::string_view bytes);
  Task<Result<std::size_t>> read_some(Context& ctx, std::span<char> into);
  Task<> read(Context& ctx);
  Task<> write(Context& ctx);
  Task<> listen_for_silence(Context& ctx);
  Result<void> take_in(std::string_view bytes, std::span<char> plain);
  Result<std::string> outgoing();

  Loop& loop_;
  Endpoint endpoint_;
  Patience patience_;
  std::string name_;
  probes::Socket socket_;
  std::unique_ptr<tls::ClientSession> tls_;
  Http2 http2_;
  Wakeup to_send_;
  Wakeup call_begun_;
  TimePoint quiet_since_;
  Bell<> lost_;
  Error why_lost_;
};

// A call on a connection, for whoever waits. Owner: the one who asks. Lifecycle: until its end, or its
//   destruction, which ends it for the server, too. Cancellation: next() can be asked again after a cancel.
class TransportCall {
 public:
  TransportCall(std::shared_ptr<Transport> transport, std::string_view path,
                std::span<const Metadata> metadata, std::string_view message, Http2::Call::Kind kind);
  TransportCall(const TransportCall&) = delete;
  TransportCall& operator=(const TransportCall&) = delete;

  void send(std::string_view message);
  // A message; nothing when the call has ended, see end(); or the cause of ctx.
  Task<Result<std::optional<std::string>>> next(Context& ctx);
  // Precondition: next() has given nothing.
  [[nodiscard]] const CallEnd& end() const { return *call_.end(); }
  [[nodiscard]] Transport& transport() { return *transport_; }
  [[nodiscard]] const std::shared_ptr<Transport>& shared_transport() const { return transport_; }

 private:
  std::shared_ptr<Transport> transport_;
  Wakeup news_;
  Http2::Call call_;
};

}  // namespace belfry::daemon::etcd
