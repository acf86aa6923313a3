// The store as a cluster of etcd keeps it: one connection to one member at a time, all calls on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/handshake.hpp"
#include "channels/mutex.hpp"
#include "channels/wakeup.hpp"
#include "config/model/model.hpp"
#include "daemon/cluster/etcd/endpoints.hpp"
#include "daemon/cluster/etcd/store.hpp"
#include "daemon/cluster/etcd/transport.hpp"
#include "probes/net/resolver.hpp"
#include "tls/client.hpp"

namespace belfry::daemon::etcd {

struct ClientOptions {
  std::vector<Endpoint> endpoints;  // one at least
  config::TlsOptions tls;           // of those that are within TLS
  std::string user, password;       // empty: none, or the CN of the certificate
  std::uint64_t cluster = 0;        // its id; 0: that of the first member that answers
  Random random;
  Duration connect_timeout = std::chrono::seconds(5);  // up to the member's status
  // For an answer. Longer than etcd's own (7 s), so that it is etcd who says that it found no majority.
  Duration answer_timeout = std::chrono::seconds(10);
  Duration steady_after = std::chrono::seconds(10);  // a connection that stood for so long was no failure
  Patience patience = {};
};

// What may be shown of it.
struct ClientFacts {
  std::string member;             // "e1:2379"; empty: none is connected
  std::string version;            // of the last that was
  std::uint64_t cluster = 0;      // 0: not known yet
  std::string remark;             // on version or settings, for people; empty: none
  Error trouble;                  // the last one; empty: all is well
  std::uint64_t connections = 0;  // that have stood
};

// Owner: the main flow. Lifecycle: start(), calls, stop(); outlives its calls and watches. It connects when
// it is
//   first asked something and stays connected; a connection that is lost is made again when somebody asks.
// Cancellation: of a call at any moment, which tells the member; stop() ends the connection and all calls.
//
// The members are tried in an order that chance has made, with full jitter after each failure. A call that
// finds no connection waits until one stands, or until all members have been tried in vain: then it ends,
// with what each of them said. Reading is asked again elsewhere when the connection goes in the middle; a
// transaction and a renewal are not.
class Client final : public Store {
 public:
  // `resolver` and `tls` outlive it.
  Client(Context& parent, ClientOptions options, probes::Resolver& resolver, tls::Clients& tls);
  ~Client() override;

  void start();
  // Returns when nothing of it runs any more.
  Handshake::Stop stop(Context& patience) { return life_.stop(patience); }
  [[nodiscard]] const ClientFacts& facts() const { return facts_; }

  Task<Result<Range>> range(Context& ctx, std::string prefix) override;
  Task<Result<TxnResult>> txn(Context& ctx, Txn txn) override;
  Task<Result<Lease>> grant(Context& ctx, std::chrono::seconds ttl) override;
  Task<Result<std::chrono::seconds>> keep_alive(Context& ctx, LeaseId lease) override;
  Task<Result<void>> revoke(Context& ctx, LeaseId lease) override;
  Task<Result<std::unique_ptr<Watch>>> watch(Context& ctx, std::string prefix, Revision from) override;

 private:
  friend class ClientWatch;
  using Connection = std::shared_ptr<Transport>;
  enum class Repeat : std::uint8_t { no, yes };
  struct Question {
    std::string_view path;
    std::string message;
    std::string what;  // "list the keys below shop/"
    Repeat repeat = Repeat::yes;
  };
  struct Answer {
    CallEnd end;
    std::string message;
    Connection from;
  };

  // --- the connection: client.cpp
  Task<> live(Context& ctx);
  // How long it has stood.
  Task<Duration> visit(Context& ctx, Endpoint endpoint);
  Task<Result<void>> establish(Context& ctx, Connection connection, Endpoint endpoint, Context& life,
                               WaitGroup& tasks);
  Result<std::unique_ptr<tls::ClientSession>> tls_session(const Endpoint& endpoint);
  Task<Result<void>> greet(Context& ctx, Connection connection);
  Task<Result<void>> log_in(Context& ctx, Connection connection);
  void note_failure(const Error& why);
  void close();
  Result<void> pin(std::uint64_t cluster, Transport& from);

  // --- the calls: client_calls.cpp
  Task<Result<Connection>> connected(Context& ctx);
  // Whoever answers it, whatever the status is; not `lost`, unless it may not be repeated.
  Task<Result<Answer>> ask(Context& ctx, Question question);
  Task<Result<Answer>> ask_once(Context& ctx, Connection connection, std::string_view path,
                                std::string message);
  Task<Result<std::optional<Range>>> all_pages(Context& ctx, std::string prefix);
  // Another token, unless somebody has got one since `token`.
  Task<Result<void>> renew_token(Context& ctx, Connection connection, std::uint64_t token);
  Task<Result<std::chrono::seconds>> keep_alive_once(Context& ctx, LeaseId lease);
  // What was said by a member of the right cluster.
  template <class Response>
  Result<Response> read(const Answer& answer, std::optional<Response> (*reader)(std::string_view),
                        const std::string& what);
  [[nodiscard]] std::vector<Metadata> metadata() const;
  [[nodiscard]] bool wants_other_token(const GrpcStatus& status) const;

  Loop& loop_;
  ClientOptions options_;
  probes::Resolver& resolver_;
  tls::Clients& tls_;
  ClientFacts facts_;

  Connection current_;                // null: none stands
  std::shared_ptr<Bell<>> standing_;  // rings when one does; never, when all members were tried in vain
  std::vector<Error> failures_;       // of the members, since one stood or all were tried
  std::size_t next_ = 0;              // of options_.endpoints
  std::size_t asking_ = 0;            // who wait for a connection
  Wakeup wanted_;
  bool stopped_ = false;

  std::string token_;
  std::uint64_t tokens_ = 0;  // that there have been
  Mutex logging_in_;

  std::unique_ptr<TransportCall> renewals_;  // the stream of LeaseKeepAlive; null: there is none
  Mutex renewing_;

  Handshake life_;  // last: its context goes before what it cancels
};

}  // namespace belfry::daemon::etcd
