#include "client/failure.hpp"

#include <iostream>

#include "text/escape.hpp"

namespace belfry::client {

int report(const Failure& failure) {
  std::cerr << "belfry: " << text::visible(failure.message) << '\n';
  if (!failure.next_step.empty()) std::cerr << "  next step: " << text::visible(failure.next_step) << '\n';
  return failure.exit_code;
}

}  // namespace belfry::client
