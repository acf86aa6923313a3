// Where the control socket of a stack lies: the daemon makes it, the command line finds it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "channels/error.hpp"

namespace belfry::daemon {

// The places in their order: $XDG_RUNTIME_DIR/belfry/NAME.sock, /run/belfry/NAME.sock, and a directory of the
// user's own below the temporary one. `configured` (control.socket), when not empty, is the only one.
[[nodiscard]] std::vector<std::string> control_socket_candidates(std::string_view stack_name,
                                                                 std::string_view configured = {});

// Whom the directory of a control socket lets pass.
enum class Passage : std::uint8_t {
  owner,       // nobody else
  who_may_use  // everybody, as far as the socket, whose own rights say who may use it
};

// For the daemon: the first place whose directory exists or could be made and can be written to. Directories
// that are made get mode 0700, or 0711 for `who_may_use`, as belfry's own one below /run does; one that
// everybody may write to is refused unless it was `configured`, and below the temporary directory one that
// another user owns.
[[nodiscard]] Result<std::string> make_place_for_control_socket(std::string_view stack_name,
                                                                std::string_view configured = {},
                                                                Passage passage = Passage::owner);

// Whether a directory below the temporary one, which belongs to everybody, is really this user's. Asked by
// the daemon before it binds and by the command line before it believes what it hears there; who answers at a
// path that a user has chosen is judged by the user of its socket alone.
[[nodiscard]] Result<void> check_control_directory(const std::string& socket);

// Where the history of a stack's starts is: NAME.history in $XDG_STATE_HOME/belfry, else in /var/lib/belfry.
[[nodiscard]] std::string place_of_history(std::string_view stack_name);
// The same for who writes there: the directory is made. The error: it cannot be, or somebody else could
// replace the file.
[[nodiscard]] Result<std::string> make_place_for_history(std::string_view stack_name);

// Where a stack that is a part of a cluster notes which of its starts this is, NAME.boot beside the history.
[[nodiscard]] Result<std::string> make_place_for_boot_id(std::string_view stack_name);

// Where a stack in the background writes what `run` would have written to its terminal: NAME.log beside the
// history, or beside its control socket where that cannot be.
[[nodiscard]] Result<std::string> make_place_for_output(std::string_view stack_name,
                                                        std::string_view configured = {});

// Where control sockets are by default, whatever the stack is called.
[[nodiscard]] std::vector<std::string> control_socket_directories();

// For `exec`: a place that nobody else uses, below the temporary directory. The file is the caller's to
// remove.
[[nodiscard]] Result<std::string> make_place_for_private_socket(std::string_view stack_name);

}  // namespace belfry::daemon
