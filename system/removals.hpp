// Directories that go while nobody waits for them: a service may have left a million files in one.
//
// The contract: a directory of some hundred entries is gone when remove() returns; of a larger one the name
// is free then, and a thread takes away the rest.
#pragma once

#include <pthread.h>

#include <string_view>
#include <vector>

namespace belfry::system {

// Owner: the native resources. Lifecycle: the destructor waits until all are gone. Thread rules: the first
// thread's; the threads share nothing with it.
class Removals {
 public:
  static constexpr std::size_t at_once = 256;

  Removals() = default;
  ~Removals();
  Removals(const Removals&) = delete;
  Removals& operator=(const Removals&) = delete;

  void remove(std::string_view base, std::string_view name);
  [[nodiscard]] std::size_t begun() const { return threads_.size(); }

 private:
  std::vector<pthread_t> threads_;
};

}  // namespace belfry::system
