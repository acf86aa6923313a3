// Oneshots that run by themselves: what cannot be together with a schedule, and the zones of this machine.
#include <algorithm>

#include "calendar/zone.hpp"
#include "config/keys/quote.hpp"
#include "config/validate/validate.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

bool is_scheduled(const Service& service) { return service.extras && service.extras->schedule; }

void check_zone(Decoder& decoder, const Node& schedule, const std::string& name) {
  const auto zone = calendar::Zone::named(name);
  if (zone) return;
  const std::vector<std::string> all = calendar::zone_names();
  const std::vector<std::string_view> known(all.begin(), all.end());
  const Node* const written = schedule.find("time_zone");
  decoder.error("unknown-zone", written != nullptr ? *written : schedule,
                "there is no time zone " + quote(name) + ": " + zone.error(),
                known.empty() ? "install the package tzdata, or write time_zone: UTC"
                              : text::did_you_mean(name, known));
}

void check_own_keys(Decoder& decoder, const StackDraft& draft, std::size_t index) {
  const Service& service = draft.stack.services[index];
  const Node& mapping = *draft.origins[index].mapping;
  const Node* const schedule = mapping.find("schedule");
  if (schedule == nullptr) return;
  if (service.main)
    decoder.error(
        "contradiction", *mapping.find("main"),
        "the first run of " + quote(service.name) + " would end the stack: `main` has no `schedule`",
        "remove one of them");
  if (draft.origins[index].replica_of != 0)
    decoder.error("contradiction", *mapping.find("replicas"), "a oneshot with a `schedule` has no replicas",
                  "remove one of them");
  if (!service.extras->schedule->cron.empty())
    check_zone(decoder, *schedule, service.extras->schedule->time_zone);
}

}  // namespace

void check_schedules(Decoder& decoder, const StackDraft& draft) {
  const auto& services = draft.stack.services;
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (is_repetition(draft, i)) continue;
    if (is_scheduled(services[i])) check_own_keys(decoder, draft, i);
    for (const Dependency& edge : services[i].depends_on) {
      const Service& target = services[edge.target];
      if (!is_scheduled(target) || services[i].replicated) continue;
      decoder.diagnostics().error("scheduled-dependency", edge_span(edge),
                                  quote(services[i].name) + " cannot depend on " + quote(target.name) +
                                      ": that runs when its time comes, and not for others",
                                  "depend on a oneshot without `schedule`: both may have the same command");
    }
  }
}

}  // namespace belfry::config
