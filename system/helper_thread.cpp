#include "system/helper_thread.hpp"

#include <signal.h>

#include <cstddef>
#include <memory>
#include <utility>

namespace belfry::system {

namespace {
constexpr std::size_t stack_size = std::size_t{128} << 10;  // of which two pages are ever touched
}

bool start_thread(pthread_t& thread, const char* name, std::move_only_function<void()> body) {
  using Body = std::move_only_function<void()>;
  auto given = std::make_unique<Body>(std::move(body));
  const auto run = [](void* passed) -> void* {
    const std::unique_ptr<Body> own(static_cast<Body*>(passed));
    (*own)();
    return nullptr;
  };
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, stack_size);
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited
  const bool started = ::pthread_create(&thread, &attributes, run, given.get()) == 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  if (!started) return false;
  [[maybe_unused]] const auto* given_to_the_thread = given.release();
  ::pthread_setname_np(thread, name);
  return true;
}

}  // namespace belfry::system
