#include "system/removals.hpp"

#include <string>

#include "system/helper_thread.hpp"
#include "system/own_directory.hpp"

namespace belfry::system {

Removals::~Removals() {
  for (const pthread_t thread : threads_) ::pthread_join(thread, nullptr);
}

void Removals::remove(std::string_view base, std::string_view name) {
  if (remove_some_of_own_directory(base, name, at_once)) return;
  const std::string aside = move_own_directory_aside(base, name);
  const std::string what = aside.empty() ? std::string(name) : aside;
  pthread_t thread{};
  if (start_thread(thread, "removal", [base = std::string(base), what] { remove_own_directory(base, what); }))
    threads_.push_back(thread);
  else
    remove_own_directory(base, what);
}

}  // namespace belfry::system
