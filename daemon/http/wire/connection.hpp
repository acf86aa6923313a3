// One connection as a stream of plain bytes, whether it is within TLS or not. Includes Asio: for the server's
// own files only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/task.hpp"
#include "system/owned_fd.hpp"
#include "system/stream_socket.hpp"
#include "tls/server.hpp"

namespace belfry::daemon::http {

// Owner: the session. Lifecycle: secure() first where there is TLS, then reads and writes. Cancellation: by
// the context of each wait; the connection is then good for nothing but to be closed.
class Connection {
 public:
  using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;

  // `tls`: null where none is spoken.
  Connection(Loop& loop, system::OwnedFd fd, std::unique_ptr<tls::ServerSession> tls);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] bool has_tls() const { return tls_ != nullptr; }
  // The handshake. False: it has failed, and a client that speaks HTTP without TLS has been told.
  Task<bool> secure(Context& ctx);

  // Sends what the socket takes now and removes it from `bytes`. False, with errno, when something is left:
  // of them, or of what TLS has made of those that are gone.
  [[nodiscard]] bool send_what_fits(std::string_view& bytes) {
    return has_tls() ? send_secured(bytes) : system::send_what_fits(descriptor(), bytes);
  }
  // How many bytes were put into `into`, one at least; 0: the connection has ended, or the wait for it.
  Task<std::size_t> read_some(Context& ctx, std::span<char> into);
  // False: the wait has ended otherwise.
  Task<bool> wait_until_writable(Context& ctx);

  enum class Sign : std::uint8_t { bytes, end, cancelled };
  // The next thing that comes, which is left where it is.
  Task<Sign> watch(Context& ctx);

  // Tells the peer that nothing follows; what it still sends can be read.
  void end_sending();
  // As much of a farewell as the socket takes.
  void say_goodbye();

 private:
  [[nodiscard]] int descriptor() { return socket_.native_handle(); }
  Task<bool> wait_until_readable(Context& ctx);
  bool send_secured(std::string_view& bytes);
  bool flush();
  // What has come over the wire goes to TLS. False: nothing more will come.
  bool take_in();

  Socket socket_;
  std::unique_ptr<tls::ServerSession> tls_;
  std::string outgoing_;  // what TLS has to send; [sent_, …) has not been taken
  std::size_t sent_ = 0;
};

}  // namespace belfry::daemon::http
