// Whom the command line believes.
#pragma once

#include <sys/socket.h>

#include <string>

#include "client/failure.hpp"

namespace belfry::client {

// Whoever answers at a socket says what `stop` and `wait` report as done. Another user may have made the
// default directory, or a socket in a directory that is open to him, before belfry did. So: the process at
// the other end is root's or this user's, what lies at the path belongs to one of the two, and the default
// directory is one that belfry would use itself. Failure: 77, with who answers there.
[[nodiscard]] Expected<void> check_trusted(const std::string& path, const ucred& peer);
// The same of a connected socket.
[[nodiscard]] Expected<void> check_trusted(const std::string& path, int descriptor);
// Who is at the other end; nobody, where the kernel does not tell.
[[nodiscard]] ucred peer_of(int descriptor);

}  // namespace belfry::client
