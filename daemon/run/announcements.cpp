#include "daemon/run/announcements.hpp"

#include <algorithm>
#include <chrono>

#include "config/model/output_reference.hpp"
#include "daemon/service/description.hpp"
#include "system/clock.hpp"

namespace belfry::daemon {

namespace {

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(system::coarse_time_of_day()).count();
}

constexpr std::size_t most_bytes = 16384;  // so that others believe it whatever has to be escaped

bool is_published(const Service& service) {
  return service.spec().extras != nullptr && service.spec().extras->publish.has_value();
}

// What the file says wins over what the run says. Secrets stay here.
cluster::Publication publication_of(const Service& service) {
  cluster::Publication out;
  out.incarnation = service.record().runs;
  out.since_ms = wall_ms();
  out.outputs = service.spec().extras->publish->outputs;
  std::size_t bytes = 0;
  for (const PublishedOutput& one : service.outputs()) {
    const std::string key = config::upper_case(one.key);
    const bool is_known = std::ranges::find(out.outputs, key, [](const auto& known) {
                            return known.first;
                          }) != out.outputs.end();
    bytes += one.key.size() + one.value.size();
    if (!one.secret && !is_known && out.outputs.size() < config::most_outputs && bytes < most_bytes)
      out.outputs.emplace_back(key, std::string(one.value));
  }
  return out;
}

// "is blocked: db has failed: exited with code 1"; empty: nobody has to know.
std::string why_not(const Service& service) {
  const State state = service.state();
  if (state == State::inactive || state == State::stopping || state == State::completed) return {};
  std::string text = "is " + std::string(name_of(state));
  if (const std::string error = last_error(service); !error.empty()) return text + ": " + error;
  std::string waits;
  for (const std::string& missing : waiting_for(service))
    waits += (waits.empty() ? ": waits for " : ", ") + missing;
  return text + waits;
}

}  // namespace

void Announcements::state_changed(const Service& service) {
  if (!is_published(service) || is_over_) return;
  const auto told = told_.find(service.name());
  if (service.default_level()) {
    // A oneshot that is run again is what it was until its next run has ended.
    const bool may_differ = service.state() == State::ready || service.state() == State::completed;
    if (told != told_.end() && (!may_differ || told->second == service.record().runs)) return;
    told_[std::string(service.name())] = service.record().runs;
    publisher_.publish(service.name(), publication_of(service));
    return;
  }
  if (told != told_.end()) told_.erase(told);
  (void)publisher_.withdraw(service.name());
  publisher_.not_ready(service.name(), why_not(service), wall_ms());
}

void Announcements::withdraw_all(const std::vector<std::unique_ptr<Service>>& services) {
  is_over_ = true;
  notice_ = Duration::zero();
  for (const auto& service : services) {
    if (!is_published(*service)) continue;
    (void)publisher_.withdraw(service->name());
    publisher_.not_ready(service->name(), {}, 0);
  }
}

std::shared_ptr<Bell<>> Announcements::withdraw(const Service& service) {
  if (const auto told = told_.find(service.name()); told != told_.end()) told_.erase(told);
  return publisher_.withdraw(service.name());
}

bool Announcements::is_told_of(const Service& service) const {
  return publisher_.is_published(service.name());
}

}  // namespace belfry::daemon
