// Where belfry itself leaves descriptors for its next start (FDSTORE=1, sd_notify(3)).
#pragma once

#include <cstddef>
#include <string>

namespace belfry::daemon {

class DescriptorStore {
 public:
  virtual ~DescriptorStore() = default;
  // How many it takes; 0: there is none.
  [[nodiscard]] virtual std::size_t room() const = 0;
  // A copy of the descriptor, which comes back by this name. It may be closed as soon as this returns.
  virtual void store(int fd, const std::string& name) = 0;
  // Whatever has this name is closed there.
  virtual void remove(const std::string& name) = 0;
  // Waits until all of that has been done there, but not for long. It blocks: for the start alone.
  virtual void settle() = 0;
};

}  // namespace belfry::daemon
