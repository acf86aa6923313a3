// Who has a port, for a message to a person: a service has ended because it was taken.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "config/model/model.hpp"
#include "probes/socket_owners.hpp"
#include "system/sock_diag.hpp"

namespace belfry::probes {

struct Port {
  std::uint16_t number = 0;
  bool udp = false;
  friend bool operator==(const Port&, const Port&) = default;
};

struct PortHolder {
  bool is_held = false;  // somebody listens there (UDP: is bound)
  pid_t pid = 0;         // 0: the process cannot be seen
  std::string name{};    // of the process, as it calls itself: from outside
  bool gave_up = false;  // the search did not come to its end: the process may be one that can be seen
  uid_t uid = 0;         // whom the process acts as; of one that cannot be seen, who made the socket
};

class PortHolders {
 public:
  virtual ~PortHolders() = default;
  // Whether anybody does, at once: a question to the kernel of some µs.
  virtual bool is_held(const Port& port) = 0;
  // Who it is. Ends with the context: searches have a small share of the loop's time, and wait for it.
  virtual Task<PortHolder> holder_of(Context& ctx, Port port) = 0;
};

// The ports that a service says it is going to listen on: those of its `ready` and `listen`, and those of
// this host that its probes connect to. `ready`: with the outputs of others in their places.
[[nodiscard]] std::vector<Port> declared_ports(const config::ProbeSet& ready);

// Has a share of the loop's time of its own, beside that of the probes' searches.
// Owner: the native resources. Lifecycle: longer than whoever asks. Cancellation: by the context of a
// question.
class NativePortHolders final : public PortHolders {
 public:
  explicit NativePortHolders(Loop& loop) : owners_(loop) {}
  bool is_held(const Port& port) override;
  Task<PortHolder> holder_of(Context& ctx, Port port) override;

 private:
  system::SockDiag diag_;
  SocketOwners owners_;
};

}  // namespace belfry::probes
