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

constexpr Duration between_words = std::chrono::seconds(1);
constexpr std::size_t longest_words = 4096;
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
  if (is_over_) return;
  if (!not_ready_.empty()) tell_causes_soon();
  if (!is_published(service)) return;
  give_back_what_is_over(service);
  const auto told = told_.find(service.name());
  if (service.default_level()) {
    not_ready_.erase(&service);
    // A oneshot that is run again is what it was until its next run has ended.
    const bool may_differ = service.state() == State::ready || service.state() == State::completed;
    if (told != told_.end() && (!may_differ || told->second == service.record().runs)) return;
    told_[std::string(service.name())] = service.record().runs;
    publisher_.publish(service.name(), publication_of(service));
    return;
  }
  if (told != told_.end()) told_.erase(told);
  reservations_.is_down(service.name());
  (void)publisher_.withdraw(service.name());
  tell_why_not(service);
}

void Announcements::tell_why_not(const Service& service) {
  std::string words = why_not(service);
  if (words.empty()) {
    not_ready_.erase(&service);
  } else {
    const std::string below = causes(service);
    if (!below.empty() && words.size() + below.size() < longest_words) words += " (" + below + ")";
    if (const auto known = not_ready_.find(&service); known != not_ready_.end() && known->second == words)
      return;
    not_ready_[&service] = words;
  }
  publisher_.not_ready(service.name(), std::move(words), wall_ms());
}

// Not with every change: a stack that starts has many.
void Announcements::tell_causes_soon() {
  if (again_.armed()) return;
  again_.arm(saturating_add(loop_.now(), between_words), [this] {
    std::vector<const Service*> all;
    for (const auto& [service, words] : not_ready_) all.push_back(service);
    for (const Service* service : all) tell_why_not(*service);
  });
}

// It is ready again, by another run; or somebody wants it to rest, for as long as that may be.
void Announcements::give_back_what_is_over(const Service& service) {
  const auto reserved = reserved_.find(service.name());
  if (reserved == reserved_.end()) return;
  const bool is_back = service.default_level() && service.record().runs != reserved->second;
  if (!is_back && service.state() != State::inactive) return;
  reserved_.erase(reserved);
  publisher_.give_back(service.name());
}

Task<Result<void>> Announcements::reserve(Context& ctx, std::vector<const Service*> going) {
  std::vector<cluster::Demand> demands;
  for (const Service* one : going) {
    const config::Update& update = *one->spec().extras->update;
    demands.push_back(
        {.service = std::string(one->name()), .most = update.max_unavailable, .hosts = update.hosts});
  }
  const Result<void> reserved = co_await reservations_.reserve(ctx, std::move(demands));
  const std::vector<std::string> kept = publisher_.kept();
  for (const Service* one : going)
    if (reserved && std::ranges::find(kept, one->name()) != kept.end())
      reserved_[std::string(one->name())] = one->record().runs;
  co_return reserved;
}

void Announcements::withdraw_all(const std::vector<std::unique_ptr<Service>>& services) {
  is_over_ = true;
  again_.cancel();
  not_ready_.clear();
  reservations_.end();
  notice_ = [] { return Duration::zero(); };
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
