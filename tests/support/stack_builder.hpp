// Writes a config::Stack in a few words, as a file would after it was decoded and validated.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "config/model/model.hpp"

namespace belfry::testing {

using namespace std::chrono_literals;

inline config::Stack a_stack() {
  config::Stack stack;
  stack.name = "test";
  stack.services.reserve(128);  // references to services stay good
  return stack;
}

inline config::Service& a_service(config::Stack& stack, std::string name, config::ServiceType type) {
  config::Service& made = stack.services.emplace_back();
  made.name = std::move(name);
  made.type = type;
  const bool has_command = type == config::ServiceType::daemon || type == config::ServiceType::oneshot;
  if (has_command) made.command = {"./" + made.name};
  if (type == config::ServiceType::oneshot) made.restart->policy = config::RestartPolicy::no;
  made.restart->jitter = 0;
  return made;
}

inline config::Probe a_probe(config::Probe::Kind kind = config::Probe::Kind::tcp) {
  config::Probe made;
  made.kind = kind;
  made.target = "127.0.0.1:1";
  return made;
}

// The default condition: completed for a oneshot, ready otherwise. Services depend on earlier ones only.
inline config::Dependency& depends(config::Service& dependent, const config::Stack& stack,
                                   std::string_view on) {
  config::Dependency& made = dependent.depends_on.emplace_back();
  for (std::uint32_t i = 0; i < stack.services.size(); ++i) {
    if (stack.services[i].name != on) continue;
    made.target = i;
    const bool oneshot = stack.services[i].type == config::ServiceType::oneshot;
    made.condition = oneshot ? config::Condition::completed : config::Condition::ready;
  }
  made.service = on;
  return made;
}

}  // namespace belfry::testing
