// What a socket is that somebody else has made, held against what was asked for.
#pragma once

#include <optional>
#include <string>

#include "system/activation_socket.hpp"

namespace belfry::system {

// Whether the descriptor is a socket of this kind at this address, and clients find it there: it listens
// (UDP: is bound).
[[nodiscard]] bool is_bound_to(int fd, const SocketPlan& plan);

// Whether its options are those of the plan, and its file too: the mode and the owner that are asked for, and
// still the file of this socket.
[[nodiscard]] bool is_made_as(int fd, const SocketPlan& plan);

// Where it is, when it is one that `listen` could have asked for.
[[nodiscard]] std::optional<SocketPlan> plan_of(int fd);

// For people: "127.0.0.1:80", "udp:[::]:53", "unix:/run/app.sock", "a datagram unix socket at /run/x",
// "something that is no socket".
[[nodiscard]] std::string describe_socket(int fd);

// Whether both are of one kind and want one port, so that one of them may keep the other from being bound.
[[nodiscard]] bool is_in_the_way(int fd, const SocketPlan& plan);

}  // namespace belfry::system
