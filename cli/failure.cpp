#include "cli/failure.hpp"

#include <iostream>

namespace belfry::cli {

int report(const Failure& failure) {
  std::cerr << "belfry: " << failure.message << '\n';
  if (!failure.next_step.empty()) std::cerr << "  next step: " << failure.next_step << '\n';
  return failure.exit_code;
}

}  // namespace belfry::cli
