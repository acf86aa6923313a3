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
  const Node& services;
  Names names;
  Names hosts;                                 // of the services, and what else is known in their network
  std::string directory;                       // absolute, or empty
  const Node* secrets = nullptr;               // top-level, where each names its file
  std::set<std::string_view> awaited_ends;     // somebody waits for them to complete: oneshots
  std::set<std::string_view> awaited_healthy;  // somebody waits for them to be healthy
  std::unordered_map<std::string, std::string> ports;  // by the service that has it
};

// The items of a list; what is none is a list of itself.
[[nodiscard]] std::vector<const Node*> items_of(const Node& node);
// Whether a word is one that only a shell reads: `&&`, `||` or `|`.
[[nodiscard]] bool is_word_for_shell(const std::vector<std::string>& words);
// The names by which containers of the file can reach each other.
[[nodiscard]] std::vector<std::string_view> host_names(const Node& services);

// Carries one service over; `run` is called once.
class ComposeService {
 public:
  // `node`: what stands under `key`, with `extends` resolved.
  ComposeService(ComposeFile& file, const Node& key, const Node& node);
  ServiceWriter run();

 private:
  const Node* find(std::string_view name) const;
  // The text under `name`; empty if there is none or it is no text.
  std::string_view text(std::string_view name) const;
  void left(const Entry& entry, std::string why) { left(*entry.key, entry.key->text(), std::move(why)); }
  void left(const Node& at, std::string_view what, std::string why);
  static std::vector<std::string> words(const Node& node);

  // What runs, and as what: compose_service.cpp.
  void command();
  bool line_for_shell();
  void missing_command();
  void hosts();  // compose_hosts.cpp
  void one(std::string_view name, const Entry& entry);
  bool scalar(std::string_view name, const Entry& entry);
  bool structured(std::string_view name, const Entry& entry);
  static bool handled_elsewhere(std::string_view name);
  static bool has_shape(std::string_view name, const Node& value);
  // Lists the keys of `node` that are not `known`.
  void known_only(const Node& node, std::string_view within, std::initializer_list<std::string_view> known);
  void pairs(const Entry& entry, std::string_view absent);
  void user(std::string_view value);
  static std::string reason(std::string_view name);
  void replicas(const Entry& entry);
  void env_file(const Entry& entry);
  void oom_score(const Entry& entry);
  void ulimits(const Entry& entry);
  void deploy(const Entry& entry);
  void security(const Entry& entry);
  void secrets(const Entry& entry);
  void hook(const Entry& entry);

  // When it starts, is ready, starts again and stops: compose_lifecycle.cpp.
  void depends_on();
  std::string edge(const Entry& entry);
  void readiness();
  bool healthcheck(const Node& check);
  static std::vector<std::string> tested(const Node& check);
  std::string threshold(const Node* retries);
  void unused_ports();
  void guessed_readiness();
  // The port in the container is the one the process binds.
  void listening(const Node& ports, bool maps);  // compose_ports.cpp; `maps`: of `ports`, not of `expose`
  static bool exposes_more(const Node& expose, const Node& ports);
  std::string port_probe(const Node& item, bool maps);
  void published(const Node& item, const PortMapping& port);
  bool claim(const std::string& port);
  void restart();
  void stop();
  void cgroup();       // compose_limits.cpp
  void confinement();  // compose_confinement.cpp
  void capabilities();
  void sandbox();
  const Node* limit(std::string_view own, std::string_view deployed) const;
  std::string memory(const Node& node);
  std::string processors(const Node& node);
  std::string duration(const Node* node, std::string_view what);

  ComposeFile& file_;
  const Node& node_;
  ServiceWriter out_;
  const Node& key_;
  bool oneshot_;
  const KnownImage* image_ = nullptr;
  std::vector<std::string> command_;
  const Node* limits_ = nullptr;
  const Node* policy_ = nullptr;
};

}  // namespace belfry::config
