#include "config/validate/validate.hpp"

#include <algorithm>
#include <ranges>

#include "channels/time/saturating.hpp"
#include "config/graph/graph.hpp"
#include "config/keys/quote.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

void enable(Decoder& decoder, StackDraft& draft, const std::vector<std::string>& profiles,
            const std::vector<std::string>& named) {
  auto& services = draft.stack.services;
  for (Service& service : services) {
    if (!service.extras || service.extras->profiles.empty()) continue;
    service.enabled = std::ranges::any_of(service.extras->profiles, [&](const auto& p) {
      return std::ranges::find(profiles, p) != profiles.end();
    });
  }
  std::vector<Index> roots;
  for (const std::string& name : named) {
    if (const auto found = draft.declared.find(name); found != draft.declared.end()) {
      roots.push_back(found->second.index);
      continue;
    }
    std::vector<std::string_view> names;
    names.reserve(services.size());
    for (const Service& service : services) names.push_back(service.name);
    decoder.diagnostics().error("unknown-service", {0, 0, 0}, "there is no service " + quote(name),
                                text::did_you_mean(name, names));
  }
  const auto closure = required_closure(draft.stack, roots);
  for (std::size_t i = 0; i < services.size(); ++i)
    if (closure[i]) services[i].enabled = true;
}

void check_disabled(Decoder& decoder, StackDraft& draft) {
  auto& services = draft.stack.services;
  for (std::size_t i = 0; i < services.size(); ++i) {
    Service& service = services[i];
    std::erase_if(service.depends_on, [&](const Dependency& edge) {
      const Service& target = services[edge.target];
      if (target.enabled || !service.enabled) return false;
      // It may be started by name later; until then it counts as settled. A gate counts its members.
      if (!edge.required) return service.type == ServiceType::gate;
      std::string profile =
          target.extras && !target.extras->profiles.empty() ? target.extras->profiles.front() : "";
      if (is_repetition(draft, i)) return false;
      decoder.diagnostics().error(
          "disabled-dependency", edge_span(edge),
          quote(service.name) + " requires " + quote(target.name) + ", which no active profile enables",
          "use --profile " + profile + ", or write " + target.name + ": {required: false}");
      return false;
    });
  }
}

}  // namespace

Span edge_span(const Dependency& edge) { return Span(edge.place); }

const Node* condition_node(const Origin& origin, const Dependency& edge) {
  const Node* const edges = origin.mapping == nullptr ? nullptr : origin.mapping->find("depends_on");
  const Node* const value = edges == nullptr ? nullptr : edges->find(edge.service);
  if (value == nullptr) return nullptr;
  return value->is_scalar() ? value : value->find("condition");
}

void check_main(Decoder& decoder, const StackDraft& draft) {
  const Service* first = nullptr;
  for (std::size_t i = 0; i < draft.stack.services.size(); ++i) {
    const Service& service = draft.stack.services[i];
    if (!service.main || !service.enabled) continue;
    const Node& node = *draft.origins[i].mapping->find("main");
    if (first != nullptr)
      decoder.error("two-mains", node,
                    quote(service.name) + " is a second main service beside " + quote(first->name),
                    "only the exit of one service can end the stack");
    first = &service;
    if (service.restart->policy != RestartPolicy::no)
      decoder.error(
          "main-restarts", node,
          "the main service " + quote(service.name) + " cannot be restarted: its exit ends the stack",
          "remove `restart` or `main`");
  }
}

// A message stays one that can be read.
constexpr std::size_t most_named = 8;

void check_budget(Decoder& decoder, const StackDraft& draft) {
  // A completed oneshot, a gate and an external have nothing to stop.
  const auto time = [](const Service& service) {
    if (service.type != ServiceType::daemon || !service.enabled) return Duration(0);
    const bool cleans_up = service.extras != nullptr && !service.extras->post_stop.empty();
    return saturating_multiply(service.stop.timeout,
                               cleans_up ? 2 : 1);  // cleaning up has as much time again
  };
  const Path path = critical_path(draft.stack, time);
  const Duration budget = draft.stack.shutdown.timeout > draft.stack.shutdown.delay
                              ? draft.stack.shutdown.timeout - draft.stack.shutdown.delay
                              : Duration(0);
  if (path.length <= budget) return;
  // Says nothing as long as all of the numbers are belfry's own defaults.
  const Node* written = nullptr;
  std::string chain;
  std::size_t links = 0;
  for (const Index i : path.services | std::views::reverse) {
    if (time(draft.stack.services[i]) == Duration(0)) continue;
    const Node* const stop = draft.origins[i].mapping->find("stop");
    const Node* const timeout = stop == nullptr ? nullptr : stop->find("timeout");
    if (written == nullptr) written = timeout;
    if (++links > most_named) continue;
    chain += (chain.empty() ? "" : ", then ") + draft.stack.services[i].name + " " +
             to_string(time(draft.stack.services[i]));
  }
  if (links > most_named) chain += ", then " + std::to_string(links - most_named) + " more";
  const bool own_budget =
      draft.stack.shutdown.timeout != Shutdown{}.timeout || draft.stack.shutdown.delay != Shutdown{}.delay;
  if (written == nullptr && !own_budget) return;
  const Span at =
      written != nullptr ? written->span() : Span(draft.stack.services[path.services.back()].place);
  decoder.diagnostics().warning("budget", at,
                                "stopping one after the other may take " + to_string(path.length) + " (" +
                                    chain + "), but `shutdown` leaves " + to_string(budget) +
                                    "; the times will be scaled down",
                                "shorten the `stop.timeout` of one of them, or write shutdown: {timeout: " +
                                    to_string(saturating_add(path.length, draft.stack.shutdown.delay)) + "}");
}

// Whom another host can ask.
bool is_for_others(std::string_view address) {
  constexpr std::string_view own[] = {"unix:", "127.", "localhost:", "[::1]:"};
  return std::ranges::none_of(own, [address](std::string_view one) { return address.starts_with(one); });
}

// A load balancer on another host learns from /readyz that it has to look elsewhere, at its next question.
void check_delay(Decoder& decoder, const StackDraft& draft) {
  const auto served = std::ranges::find_if(draft.stack.http.listen, is_for_others);
  if (served == draft.stack.http.listen.end() || draft.stack.shutdown.delay > Duration(0)) return;
  decoder.diagnostics().warning("no-delay", {0, 0, 0},
                                "other hosts may ask for /readyz at " + *served +
                                    ", but services stop in the moment in which it turns 503: who asks every "
                                    "few seconds still sends work",
                                "write shutdown: {delay: 5s}, as long as they take to notice");
}

// A bearer token is as good as a password, and anybody on the way reads it.
void check_token(Decoder& decoder, const StackDraft& draft) {
  const auto served = std::ranges::find_if(draft.stack.http.listen, is_for_others);
  if (draft.stack.control.token_file.empty() || served == draft.stack.http.listen.end() ||
      draft.stack.http.tls)
    return;
  decoder.diagnostics().warning("token-in-clear", {0, 0, 0},
                                "who has the token of `control.token_file` sends it to " + *served +
                                    " in clear text, and may be overheard",
                                "write http: {tls: {cert: FILE, key: FILE}}, or listen on 127.0.0.1");
}

void validate(Decoder& decoder, StackDraft& draft, const std::vector<std::string>& profiles,
              const std::vector<std::string>& named, Host* host) {
  if (draft.stack.services.empty() && !decoder.diagnostics().has_errors())
    decoder.diagnostics().error("no-services", {0, 0, 0}, "the file has no services",
                                "add `services: {web: {command: ./web}}`");
  enable(decoder, draft, profiles, named);
  check_disabled(decoder, draft);
  const std::size_t before = decoder.diagnostics().errors();
  check_cycles(decoder, draft);
  const bool acyclic = decoder.diagnostics().errors() == before;
  check_conditions(decoder, draft);
  check_quorums(decoder, draft);
  check_probes(decoder, draft);
  if (acyclic) check_outputs(decoder, draft);
  check_main(decoder, draft);
  check_schedules(decoder, draft);
  check_ports(decoder, draft);
  check_logs(decoder, draft);
  check_confinement(decoder, draft);
  check_host(decoder, draft, host);
  check_rights(decoder, draft, host);
  if (acyclic) check_budget(decoder, draft);
  check_delay(decoder, draft);
  check_token(decoder, draft);
}

}  // namespace belfry::config
