// One service of a compose file on its way to a service of belfry. Used by compose.cpp only.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/import/writer.hpp"
#include "config/words.hpp"

namespace belfry::config {

// Owner: import_compose, on its stack.
// Lifecycle: one service; `run` is called once.
// Cancellation: none.
class ComposeService {
 public:
  ComposeService(Carrier& carrier, Node const& key, Node const& node, bool oneshot,
                 std::set<std::string>& ports)
      : carrier_(carrier),
        node_(node),
        out_(service_name(key.text())),
        key_(key),
        oneshot_(oneshot),
        ports_(ports) {}
  ServiceWriter run();

 private:
  Node const* find(std::string_view name) const;
  std::string title() const { return "`" + std::string(key_.text()) + "`"; }
  void left(Entry const& entry, std::string why);
  static std::vector<std::string> words(Node const& node);
  void command();
  void one(std::string_view name, Entry const& entry);
  static bool handled_elsewhere(std::string_view name);
  static std::string reason(std::string_view name);
  void replicas(Node const& value);
  void env_file(Node const& value);
  void depends_on(Node const& value);
  void extends(Entry const& entry);
  void ulimits(Node const& value);
  void deploy(Node const& value);
  void security(Entry const& entry);
  void cgroup();
  void readiness();
  bool healthcheck(Node const& check);
  // The port in the container is the one the process binds.
  void listening(Node const& ports);
  void restart();
  void stop();

  Carrier& carrier_;
  Node const& node_;
  ServiceWriter out_;
  Node const& key_;
  bool oneshot_;
  std::set<std::string>& ports_;  // taken by the services before this one
  Node const* limits_ = nullptr;
  Node const* policy_ = nullptr;
};

}  // namespace belfry::config
