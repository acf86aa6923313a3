// What a changed file makes of the stack that runs, as plain values.
#pragma once

#include <string>
#include <vector>

#include "config/difference/difference.hpp"
#include "config/model/model.hpp"

namespace belfry::daemon {

struct NewStack {
  config::Stack stack;
  config::Difference difference;        // from Supervisor::specs() to this stack; nothing in it is refused
  std::vector<std::string> warnings{};  // about the file, for whoever asked
};

// Names, each in the order in which it happens.
struct Touched {
  std::vector<std::string> stops;    // the first is the first that stops
  std::vector<std::string> starts;   // who stops and comes back is in both
  std::vector<std::string> rolls{};  // replicas that are replaced in turn, when all the others have been
  std::string trouble{};             // why not all of them were
};

}  // namespace belfry::daemon
