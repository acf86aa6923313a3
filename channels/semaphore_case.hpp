// Units of a semaphore as a case of a select.
//
//   auto turn = acquire(limit, 2);             auto gone = on(client_left);
//   switch (co_await select(ctx, turn, gone)) { case 0: { Result<Permit> permit = turn.take(); … } … }
#pragma once

#include <cstddef>

#include "channels/select_case.hpp"
#include "channels/semaphore.hpp"

namespace belfry {

// Ready when the units are there and nobody waits before it; it stands in the queue like any other waiter,
// and gives its place up when another case has won. More units than the semaphore has: ready, with an error.
class SemaphoreCase final : public SelectCase {
 public:
  SemaphoreCase(Semaphore& semaphore, std::size_t weight) noexcept;
  ~SemaphoreCase() override;

  // After this case won: the units, or kind invalid. Units that nobody takes out go back with the case, or
  // when it is selected again.
  Result<Permit> take();

 private:
  bool try_take() override;
  std::string describe() const override;
  void enter() override;
  void leave() noexcept override;

  Semaphore& semaphore_;
  detail::SemaphoreWaiter party_;
  Permit permit_;
  bool entered_ = false;
};

inline SemaphoreCase acquire(Semaphore& semaphore, std::size_t weight = 1) noexcept {
  return {semaphore, weight};
}

}  // namespace belfry
