// A dependency of one service on another, as a level that is looked at again after every wake-up.
#pragma once

#include <string>

#include "config/model/model.hpp"

namespace belfry::daemon {

class Node;

// Owner: the node that depends. Lifecycle: until the graph is put together anew.
class Edge {
 public:
  Edge(Node& other, const config::Dependency& dependency) : on(&other), spec(&dependency) {}

  Node* on;
  const config::Dependency* spec;
  bool is_new = false;  // drawn by a reload for somebody who ran then, and has not held since

  // The level of its condition, right now.
  [[nodiscard]] bool holds() const;
  // `holds`, or the other has settled and the edge does not require it.
  [[nodiscard]] bool lets_start() const;
  // A required dependency that cannot make it hold by itself any more, and why; see `blocked`.
  [[nodiscard]] bool is_hopeless() const;
  [[nodiscard]] bool cannot_be_lost() const;
  // It does not hold for want of new ones alone: itself, or members of its gate.
  [[nodiscard]] bool awaits_new() const;
  // Its level is about a run that has ended.
  [[nodiscard]] bool needs_no_process() const;
  // Work that is done, or a wait for its end: to stop the other takes nothing away from the dependent.
  [[nodiscard]] bool is_done_with() const;
  // "db ready", "migrate completed".
  [[nodiscard]] std::string text() const;
  // True when it looks through a gate at the gate's members.
  [[nodiscard]] bool asks_members() const;
  // Of its gate.
  [[nodiscard]] std::size_t members_needed() const;

 private:
  [[nodiscard]] std::size_t members_but_new() const;
  [[nodiscard]] bool too_few_are_left() const;
};

}  // namespace belfry::daemon
