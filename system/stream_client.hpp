// Connections of a client, so far as they need not be waited for.
//
// The problem: a loop learns that a connection stands by a registration, a wake-up and questions about the
// result, which cost more than connecting does. On loopback a connection stands, or is refused, before
// connect(2) has returned; asking a second time is all it takes to know.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "system/owned_fd.hpp"

namespace belfry::system {

struct Connecting {
  OwnedFd fd{};          // non-blocking and CLOEXEC; empty: it failed
  int error = 0;         // errno of a failure
  bool pending = false;  // it becomes writable when it is known; then connect_result() says it
};

// How the handshake of TCP ends. `unanswered`: for one who is going to close by a reset and says nothing
// before: the server's answer is not acknowledged, so that its program never hears of a connection that
// nobody wants (HAProxy checks servers like that). To the one who connects it is the same: connect(2) ends
// with the SYN-ACK, whoever sends it. Where the acknowledgement goes out after all the program hears of a
// connection that has ended.
enum class Handshake : std::uint8_t { whole, unanswered };

[[nodiscard]] Connecting begin_connect(const sockaddr* to, socklen_t size, Handshake handshake);
// 0, or the errno why it does not stand.
[[nodiscard]] int connect_result(int fd);

// Whether it has met itself: its own end is the other one, too. A port of the ephemeral range that nobody
// listens on may be the very one the kernel gives the client's own end: the SYN then meets itself and the
// connection stands (simultaneous open, RFC 9293 3.5), with nobody behind it.
[[nodiscard]] bool is_connected_to_itself(int fd, const sockaddr* to, socklen_t size);

// Whether nothing is to be read from it: neither bytes nor the end of the connection.
[[nodiscard]] bool is_quiet(int fd);

// By a reset: no TIME_WAIT keeps the port from whoever wants to bind it.
void close_by_reset(OwnedFd fd);

}  // namespace belfry::system
