// One service of a compose file on its way to a service of belfry. Used by compose.cpp only.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/document/words.hpp"
#include "config/import/writer.hpp"

namespace belfry::config {

struct KnownImage;
struct PortMapping;

// What one service must know of the file it stands in.
struct ComposeFile {
  Carrier& carrier;
  Node const& services;
  Names names;
  Names hosts;                                 // of the services, and what else is known in their network
  std::string directory;                       // absolute, or empty
  Node const* secrets = nullptr;               // top-level, where each names its file
  std::set<std::string_view> awaited_ends;     // somebody waits for them to complete: oneshots
  std::set<std::string_view> awaited_healthy;  // somebody waits for them to be healthy
  std::unordered_map<std::string, std::string> ports;  // by the service that has it
};

// The items of a list; what is none is a list of itself.
[[nodiscard]] std::vector<Node const*> items_of(Node const& node);
// Whether a word is one that only a shell reads: `&&`, `||` or `|`.
[[nodiscard]] bool is_word_for_shell(std::vector<std::string> const& words);
// What containers of the file may use as hosts.
[[nodiscard]] std::vector<std::string_view> host_names(Node const& services);

// Owner: import_compose, on its stack.
// Lifecycle: one service; `run` is called once.
// Cancellation: none.
class ComposeService {
 public:
  // `node`: what stands under `key`, with `extends` resolved.
  ComposeService(ComposeFile& file, Node const& key, Node const& node);
  ServiceWriter run();

 private:
  Node const* find(std::string_view name) const;
  // The text under `name`; empty if there is none or it is no text.
  std::string_view text(std::string_view name) const;
  void left(Entry const& entry, std::string why) { left(*entry.key, entry.key->text(), std::move(why)); }
  void left(Node const& at, std::string_view what, std::string why);
  static std::vector<std::string> words(Node const& node);

  // What runs, and as what: compose_service.cpp.
  void command();
  bool line_for_shell();
  void missing_command();
  void hosts();  // compose_hosts.cpp
  void one(std::string_view name, Entry const& entry);
  bool scalar(std::string_view name, Entry const& entry);
  bool structured(std::string_view name, Entry const& entry);
  static bool handled_elsewhere(std::string_view name);
  static bool has_shape(std::string_view name, Node const& value);
  // Lists the keys of `node` that are not `known`.
  void known_only(Node const& node, std::string_view within, std::initializer_list<std::string_view> known);
  void pairs(Entry const& entry, std::string_view absent);
  void user(std::string_view value);
  static std::string reason(std::string_view name);
  void replicas(Entry const& entry);
  void env_file(Entry const& entry);
  void oom_score(Entry const& entry);
  void ulimits(Entry const& entry);
  void deploy(Entry const& entry);
  void security(Entry const& entry);
  void secrets(Entry const& entry);
  void hook(Entry const& entry);

  // When it starts, is ready, starts again and stops: compose_lifecycle.cpp.
  void depends_on();
  std::string edge(Entry const& entry);
  void readiness();
  bool healthcheck(Node const& check);
  static std::vector<std::string> tested(Node const& check);
  std::string threshold(Node const* retries);
  void unused_ports();
  void guessed_readiness();
  // The port in the container is the one the process binds.
  void listening(Node const& ports, bool maps);  // compose_ports.cpp; `maps`: of `ports`, not of `expose`
  static bool exposes_more(Node const& expose, Node const& ports);
  std::string port_probe(Node const& item, bool maps);
  void published(Node const& item, PortMapping const& port);
  bool claim(std::string const& port);
  void restart();
  void stop();
  void cgroup();  // compose_limits.cpp
  Node const* limit(std::string_view own, std::string_view deployed) const;
  std::string memory(Node const& node);
  std::string processors(Node const& node);
  std::string duration(Node const* node, std::string_view what);

  ComposeFile& file_;
  Node const& node_;
  ServiceWriter out_;
  Node const& key_;
  bool oneshot_;
  KnownImage const* image_ = nullptr;
  std::vector<std::string> command_;
  Node const* limits_ = nullptr;
  Node const* policy_ = nullptr;
};

}  // namespace belfry::config
