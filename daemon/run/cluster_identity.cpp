#include "daemon/run/cluster_identity.hpp"

#include "config/model/name.hpp"
#include "daemon/host/paths.hpp"
#include "system/open_file.hpp"
#include "system/process_identity.hpp"
#include "system/socket_directory.hpp"

namespace belfry::daemon {

Result<cluster::Identity> identify(const config::Stack& stack, const std::string& control_socket) {
  const config::Cluster& spec = *stack.cluster;
  cluster::Identity self{.name = spec.name.empty() ? stack.name : spec.name,
                         .host = spec.host.empty() ? system::host_name() : spec.host,
                         .boot_id = system::unguessable_name(),
                         .predecessor = {}};
  if (!config::is_name(self.host))
    return std::unexpected(Error(Error::Kind::invalid,
                                 "cannot take part in a cluster as host '" + self.host +
                                     "': that is no name of letters, digits, `_`, `-` and `.` (give it one: "
                                     "cluster: {host: NAME})"));
  if (control_socket.empty()) return self;
  const Result<std::string> place = make_place_for_boot_id(stack.name);
  if (!place) return self;
  const std::string before = system::OwnFile::read(*place);
  if (before.starts_with(control_socket + "\n")) self.predecessor = before.substr(control_socket.size() + 1);
  if (auto note = system::OwnFile::create(*place)) note->append(control_socket + "\n" + self.boot_id);
  return self;
}

}  // namespace belfry::daemon
