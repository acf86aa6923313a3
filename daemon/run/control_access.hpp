// Who may command this daemon: what `control:` says, looked up on this machine.
#pragma once

#include <string>
#include <vector>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "daemon/http/api/access.hpp"

namespace belfry::daemon {

struct ControlAccess {
  http::AccessRules rules;
  std::vector<std::string> remarks;  // what works otherwise than the file's author may think
};

// Blocks on files and on the user database. Errors (Kind::invalid): a group that is not there, a token file
// that cannot be read, that others may write, or that holds no token.
[[nodiscard]] Result<ControlAccess> look_up(const config::Control& control);

// The remarks about groups that cannot come as far as the socket.
[[nodiscard]] std::vector<std::string> who_cannot_reach(const config::Control& control,
                                                        const http::AccessRules& rules,
                                                        const std::string& socket);

}  // namespace belfry::daemon
