// A stream of bytes to a server: TCP or a unix socket, plain or within TLS.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "probes/net/resolver.hpp"
#include "probes/net/target.hpp"
#include "system/owned_fd.hpp"
#include "system/stream_client.hpp"
#include "tls/client.hpp"

namespace belfry::probes {

// The two ends of a TCP connection.
struct Ends {
  Endpoint own, peer;
};

// Owner: whoever talks. Lifecycle: connect(), start_tls() where it is spoken, then reads and writes; closed
//   with the object, or by close(), after which it may connect again. One call at a time.
// Cancellation: every call ends within a turn of its context's cancellation, with that cause; the connection
//   is then good for nothing but close().
class Connection {
 public:
  explicit Connection(Loop& loop) : socket_(loop.executor()) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The error says all: "cannot connect to db:5432: Connection refused". `target` must outlive the task.
  // `unanswered`: nothing will be said, and abort() follows.
  Task<Result<void>> connect(Context& ctx, Resolver& resolver, const Target& target,
                             system::Handshake handshake = system::Handshake::whole);
  // The errors of these say what is wrong, and not with whom: "Connection reset by peer". Of start_tls():
  // what is wrong with the certificate. Nothing may be left that was read before TLS began.
  Task<Result<void>> start_tls(Context& ctx, std::unique_ptr<tls::ClientSession> session);
  Task<Result<void>> write(Context& ctx, std::string_view bytes);
  // How many bytes were put into `into`, one at least; 0: the server has closed its side.
  Task<Result<std::size_t>> read_some(Context& ctx, std::span<char> into);

  [[nodiscard]] bool is_open() const { return bare_ || socket_.is_open(); }
  // For whoever asks the kernel who is at the other end. Stays the connection's.
  [[nodiscard]] int descriptor() { return bare_ ? bare_.get() : socket_.native_handle(); }
  // Whether the server has said nothing that is still to be read, nor closed its side.
  [[nodiscard]] bool is_quiet() { return system::is_quiet(descriptor()); }
  void close();
  // By a reset, so that this end leaves no TIME_WAIT behind.
  void abort();

  // Empty: it is no TCP connection, or none any more.
  [[nodiscard]] std::optional<Ends> ends();
  // Null: it is not within TLS.
  [[nodiscard]] const tls::ClientSession* tls() const { return tls_.get(); }

 private:
  using Stream = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;

  Task<Result<void>> connect_to_path(Context& ctx, std::string path);
  Task<Result<void>> connect_to_one(Context& ctx, Endpoint endpoint, std::string name,
                                    system::Handshake handshake);
  // What must be waited for goes over the loop.
  void enlist();
  Task<Result<std::size_t>> read_wire(Context& ctx, std::span<char> into);
  Task<Result<void>> write_wire(Context& ctx, std::string_view bytes);
  Task<Result<void>> flush_tls(Context& ctx);
  // False: the server has closed its side.
  Task<Result<bool>> feed_tls(Context& ctx);

  system::OwnedFd bare_;  // connected, and nothing had to be waited for yet: the loop does not know of it
  int family_ = 0;        // its
  Stream socket_;
  std::unique_ptr<tls::ClientSession> tls_;
  std::unique_ptr<char[]> wire_;  // what TLS reads into
  std::string outgoing_;          // of TLS, on its way
};

}  // namespace belfry::probes
