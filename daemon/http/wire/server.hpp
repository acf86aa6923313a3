// The HTTP server: listens, accepts, bounds, and stops by handshake.
//
// One task accepts for each address, one serves each connection; all of them end before stop() returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/loop.hpp"
#include "channels/task.hpp"
#include "daemon/http/wire/caller.hpp"
#include "daemon/http/wire/parser.hpp"
#include "daemon/http/wire/request_handler.hpp"
#include "tls/server.hpp"

namespace belfry::daemon::http {

struct ServerLimits {
  ParserLimits parser;
  // Of each address, so that one cannot starve another. Waits and commands take at most seven eighths of the
  // connections, whatever is said here: the rest can be given up for somebody new.
  std::size_t connections = 1024;
  std::size_t waits = 512;                                // /v1/wait that have not been answered
  std::size_t wait_names = 8192;                          // services named in them
  std::size_t commands = 256;                             // start, stop, … that are not done
  std::size_t streams = 1000;                             // answers that go on as long as there is news
  std::size_t stream_backlog = std::size_t{64} * 1024;    // what may wait for one of their readers
  std::size_t half_bytes = std::size_t{8} * 1024 * 1024;  // of requests that are not complete
  std::size_t unread_bytes =
      std::size_t{16} * 1024 * 1024;                 // of answers that are not taken; one may be larger
  std::size_t turn_bytes = std::size_t{128} * 1024;  // of answers in one turn of the loop, of all addresses
  std::size_t reserve = 16;                     // descriptors held back for connections, of all addresses
  Duration idle = std::chrono::seconds(75);     // until the first byte of a request
  Duration request = std::chrono::seconds(10);  // from the first byte of a request to its last
  Duration write = std::chrono::seconds(30);    // for a peer to take an answer
};

// Lifecycle: listen() any number of times, then stop() once; destroyed after that, or after the loop was
// abandoned. Cancellation: stop(): idle connections close at once, requests in work are answered, and what is
// left when `patience` ends is closed. A cancel of `parent` cuts all connections without that.
class Server {
 public:
  // `access` is what listen(address) grants; what a peer gets of it is the handler's to say.
  Server(Context& parent, RequestHandler& handler, Access access = Access::read_only,
         ServerLimits limits = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Binds at once, so that an address that is taken is known before anything else happens; answers as soon as
  // the loop runs. Errors: "cannot listen on 127.0.0.1:9600: Address already in use (…)".
  Result<void> listen(std::string_view address);
  // `groups`: whose members may connect to a unix socket besides its owner.
  Result<void> listen(std::string_view address, Access access, std::vector<gid_t> groups = {});
  // What is listened on from now on speaks TLS, unless it is a unix socket.
  void speak_tls(std::unique_ptr<tls::Server> tls);
  // Who had the index-th address, a unix socket, lost it and still runs; 0: nobody.
  [[nodiscard]] pid_t predecessor(std::size_t index = 0) const;
  // The port of the index-th address that was listened on; 0 for a unix socket.
  [[nodiscard]] std::uint16_t port(std::size_t index = 0) const;

  // Returns when no task of the server is left. The error: `patience` ended first and connections were cut.
  Task<Result<void>> stop(Context& patience);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace belfry::daemon::http
