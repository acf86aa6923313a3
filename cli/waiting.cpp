#include "cli/waiting.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "cli/render.hpp"

namespace belfry::cli {
namespace {

constexpr std::size_t most_named = 3;

using Services = std::map<std::string_view, const ServiceStatus*>;

// Follows the waits from `name` to those who wait for nobody else.
void find_culprits(const Services& services, std::string_view name, std::set<std::string_view>& seen,
                   std::vector<const ServiceStatus*>& found) {
  const auto service = services.find(name);
  if (service == services.end() || !seen.insert(name).second) return;
  const std::size_t before = found.size();
  for (const std::string& waited_for : service->second->waiting_for_services)
    find_culprits(services, waited_for, seen, found);
  if (found.size() == before) found.push_back(service->second);
}

std::vector<const ServiceStatus*> culprits(const StackStatus& status, const std::vector<std::string>& names) {
  Services services;
  for (const ServiceStatus& service : status.services) services.emplace(service.name, &service);
  std::set<std::string_view> seen;
  std::vector<const ServiceStatus*> found;
  for (const std::string& name : names) find_culprits(services, name, seen, found);
  // Of several, those that are as they should be are not waited for.
  const auto is_ready = [](const ServiceStatus* service) { return service->ready; };
  if (!std::ranges::all_of(found, is_ready)) std::erase_if(found, is_ready);
  return found;
}

std::vector<const ServiceStatus*> stopping(const StackStatus& status, const std::vector<std::string>& names) {
  std::vector<const ServiceStatus*> found;
  for (const ServiceStatus& service : status.services) {
    if (service.state == "stopping") found.push_back(&service);
  }
  std::ranges::sort(found, {}, &ServiceStatus::since_ns);
  if (!found.empty()) return found;
  for (const ServiceStatus& service : status.services) {
    if (std::ranges::find(names, service.name) != names.end()) found.push_back(&service);
  }
  return found;
}

std::string described(const ServiceStatus& service, std::int64_t now_ns) {
  const auto since = std::chrono::nanoseconds(std::max<std::int64_t>(0, now_ns - service.since_ns));
  std::string text = service.name + " (" + service.state + " " + humanised(since);
  if (service.restarts > 0) text += ", " + std::to_string(service.restarts) + " restarts";
  text += ")";
  const std::string& why = service.last_error.empty() ? service.status_text : service.last_error;
  return why.empty() ? text : text + ": " + why;
}

}  // namespace

std::string describe_wait(const StackStatus& status, const std::vector<std::string>& names, WaitingFor what) {
  const auto found = what == WaitingFor::up ? culprits(status, names) : stopping(status, names);
  std::string text;
  for (std::size_t i = 0; i < std::min(found.size(), most_named); ++i)
    (text += text.empty() ? "" : "; ") += described(*found[i], status.now_ns);
  if (found.size() > most_named) text += "; and " + std::to_string(found.size() - most_named) + " others";
  if (!text.empty()) return text;
  for (const std::string& name : names) (text += text.empty() ? "" : ", ") += name;
  return text.empty() ? "belfry" : text;
}

}  // namespace belfry::cli
