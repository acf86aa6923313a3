// What all services share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channels/loop.hpp"
#include "channels/semaphore.hpp"
#include "daemon/graph/dependency_graph.hpp"
#include "daemon/service/preparations.hpp"
#include "daemon/service/readiness.hpp"
#include "daemon/service/service_resources.hpp"
#include "daemon/service/start_slots.hpp"
#include "probes/factory.hpp"
#include "system/processes.hpp"

namespace belfry::daemon {

class Announcer;
class Service;

// Told of every change of state, after it.
class StateListener {
 public:
  virtual void state_changed(Service& service, State from, State to) = 0;
  virtual void started(Service& service) = 0;  // its bell `started` has rung
  virtual void own_bell_rang(Service& service, std::uint32_t bell, const Evidence& evidence) = 0;
  // Something an operator should read: who had to be killed, what could not be prepared.
  virtual void notice(Service& service, const std::string& text) = 0;
  // The stack cannot go on without it (`on_failure: shutdown`).
  virtual void must_go_down(Service& service, const Error& why) = 0;
  // It says that its current phase takes so much longer (EXTEND_TIMEOUT_USEC).
  virtual void asked_for_time(Service& service, Duration by) = 0;

 protected:
  ~StateListener() = default;
};

// Owner: the supervisor. Lifecycle: longer than every service.
struct ServiceRuntime {
  std::string_view stack_name;
  Loop& loop;
  system::Processes& processes;
  ResourceProvider& resources;
  ProbeMeans probes;
  StartSlots& start_slots;
  Preparations& preparations;
  DependencyGraph& graph;
  StateListener& listener;
  const std::vector<std::unique_ptr<Service>>& services;  // all of the stack
  Announcer* announcer = nullptr;                         // null: nobody else is told
  std::uint64_t moments = 0;                              // starts and requests of the whole stack so far
};

}  // namespace belfry::daemon
