#include "channels/handshake.hpp"

#include "channels/detail/die.hpp"
#include "channels/spawn.hpp"

namespace belfry {

Handshake::~Handshake() {
  errors_.tell(context_.loop(), "destroy handshake", name());
  if (!running() || context_.loop().abandoned() || detail::abandoning) return;
  detail::die("destroy handshake", name(), "its task still runs");
}

void Handshake::request_stop(const Error& cause) noexcept {
  context_.cancel(cause);
  if (!spawned_) stopped_.ring();
}

void Handshake::task_threw(std::string_view name, std::exception_ptr thrown) noexcept {
  errors_.put(error_from_exception(name, std::move(thrown)));
}

void spawn(Handshake& handshake, Task<void> task) {
  if (handshake.spawned_) detail::die("spawn into handshake", handshake.name(), "it has its task already");
  if (handshake.stopped_.ended()) return;  // stopped before it began: the task is dropped unstarted
  handshake.spawned_ = true;
  spawn_for(handshake, handshake.context_.loop(), handshake.name(), std::move(task));
}

}  // namespace belfry
