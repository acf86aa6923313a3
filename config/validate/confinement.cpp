// What a sandbox keeps apart that the file elsewhere takes for one: probes that belfry asks from outside,
// paths that the service no longer sees. And directories that two services would take away from each other.
#include <algorithm>
#include <array>
#include <map>

#include "config/keys/quote.hpp"
#include "config/model/output_reference.hpp"
#include "config/validate/validate.hpp"

namespace belfry::config {
namespace {

bool is_at_or_below(std::string_view path, std::string_view place) {
  return path == place || (path.starts_with(place) && path[place.size()] == '/');
}

// What is asked by address. A `listen` socket is bound by belfry, in its own network.
bool goes_over_the_network(const Probe& probe) {
  using Kind = Probe::Kind;
  constexpr std::array asked{Kind::tcp,   Kind::http, Kind::grpc,      Kind::postgres, Kind::mysql,
                             Kind::redis, Kind::amqp, Kind::memcached, Kind::dns};
  return std::ranges::find(asked, probe.kind) != asked.end();
}

bool is_of_this_host(const Probe& probe) {
  const std::string& target = probe.kind == Probe::Kind::dns ? *probe.server : probe.target;
  for (const std::string_view own : {"127.", "localhost", "[::1]", "${"})
    if (target.contains(own)) return true;
  return false;
}

class ConfinementCheck {
 public:
  ConfinementCheck(Decoder& decoder, const StackDraft& draft) : decoder_(decoder), draft_(draft) {}

  void run() {
    for (std::size_t i = 0; i < draft_.stack.services.size(); ++i) {
      service_ = &draft_.stack.services[i];
      mapping_ = draft_.origins[i].mapping;
      if (!service_->enabled || !service_->extras) continue;
      own_directories();
      if (!service_->extras->sandbox || is_repetition(draft_, i)) continue;
      probes(service_->ready);
      if (service_->live) probes(*service_->live);
      for (const OwnBell& bell : service_->extras->bells) probes(bell.probes);
      places();
    }
  }

 private:
  void warn(std::string_view rule, Span where, std::string message, std::string help) {
    decoder_.diagnostics().warning(rule, where, std::move(message), std::move(help));
  }

  [[nodiscard]] Span span_of(std::string_view key) const {
    const Node* const node = mapping_->find(key);
    return node != nullptr ? node->span() : Span(service_->place);
  }

  // Whoever stops first would take it away from the other.
  void own_directories() {
    for (const OwnDirectory& one : service_->extras->runtime_directories) {
      const auto [holder, fresh] = runtime_.try_emplace(one.name, service_);
      if (fresh || holder->second == service_) continue;
      decoder_.diagnostics().error("same-directory", span_of("runtime_directory"),
                                   quote(service_->name) + " has the `runtime_directory` " + quote(one.name) +
                                       ", which " + quote(holder->second->name) + " has as well",
                                   "it is removed with the first that stops: give each its own, of replicas "
                                   "such as " +
                                       one.name + "-${REPLICA}");
    }
  }

  void probes(const ProbeSet& set) {
    for (const Probe& probe : set.probes) {
      if (service_->extras->sandbox->private_network) reach(probe);
      if (probe.kind == Probe::Kind::unix_socket || probe.kind == Probe::Kind::file)
        place(probe.target, Span(probe.place), "this probe looks at", "belfry looks outside of it");
    }
  }

  void reach(const Probe& probe) {
    const bool port = probe.kind == Probe::Kind::port;
    if (!port && !(goes_over_the_network(probe) && is_of_this_host(probe))) return;
    warn(
        "unreachable-probe", Span(probe.place),
        port
            ? "the service listens in its `private_network`: belfry hears of it only where it may catch its "
              "calls of listen(2), and sees it nowhere else"
            : "the service listens in its `private_network`: this probe asks in belfry's own, and never gets "
              "an answer",
        "use notify, exec (which runs inside), a unix socket, or `listen`");
  }

  [[nodiscard]] bool is_writable(std::string_view path) const {
    return std::ranges::any_of(service_->extras->sandbox->writable,
                               [&](const std::string& place) { return is_at_or_below(path, place); });
  }

  void place(std::string_view path, Span where, std::string_view what, std::string_view why) {
    if (!path.starts_with('/') || has_reference(path) || is_writable(path)) return;
    const Sandbox& sandbox = *service_->extras->sandbox;
    const auto hidden = [&](bool asked, std::string_view key, std::string_view directory) {
      if (!asked || !is_at_or_below(path, directory)) return;
      warn("hidden-path", where,
           std::string(what) + " " + quote(path) + ", but with `" + std::string(key) +
               "` the service has a " + std::string(directory) + " of its own: " + std::string(why),
           "use a `runtime_directory`, or name the place in `writable`");
    };
    for (const std::string_view directory : {"/tmp", "/var/tmp"})
      hidden(sandbox.private_tmp, "private_tmp", directory);
    for (const std::string_view directory : {"/home", "/root", "/run/user"})
      hidden(sandbox.protect_home, "protect_home", directory);
  }

  // Where it runs, and what.
  void places() {
    constexpr std::string_view empty = "it is empty";
    place(service_->working_dir.str(), span_of("working_dir"), "it runs in", empty);
    if (!service_->command.empty())
      place(service_->command.front(), span_of("command"), "it executes", empty);
    place(service_->extras->outputs.file, span_of("outputs"), "its outputs are read from",
          "belfry looks outside of it");
  }

  Decoder& decoder_;
  const StackDraft& draft_;
  const Service* service_ = nullptr;
  const Node* mapping_ = nullptr;
  std::map<std::string_view, const Service*> runtime_;  // who has a directory of that name first
};

}  // namespace

void check_confinement(Decoder& decoder, const StackDraft& draft) { ConfinementCheck(decoder, draft).run(); }

// Of a machine: what belfry may not do there, as it runs.
void check_rights(Decoder& decoder, const StackDraft& draft, Host* host) {
  if (host == nullptr) return;
  for (std::size_t i = 0; i < draft.stack.services.size(); ++i) {
    const Service& service = draft.stack.services[i];
    if (!service.enabled || service.command.empty() || is_repetition(draft, i)) continue;
    for (const Host::Refusal& refused : host->what_is_refused(service)) {
      const Node* const node = draft.origins[i].mapping->find(refused.key);
      decoder.diagnostics().warning(
          "not-permitted", node != nullptr ? node->span() : Span(service.place),
          quote(service.name) + " cannot have its " + quote(refused.key) + " here: " + refused.why,
          refused.help);
    }
  }
}

}  // namespace belfry::config
