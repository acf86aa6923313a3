#include "report/incarnations.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace belfry::report {

namespace {

constexpr std::size_t nobody = static_cast<std::size_t>(-1);

class Collector {
 public:
  explicit Collector(const Run& run) : run_(run), last_(run.services.size(), nobody) {
    for (std::size_t i = 0; i < run.services.size(); ++i) numbers_[run.services[i].name] = i;
  }

  std::vector<Incarnation> collect() {
    for (const Event& event : run_.events) {
      const auto service = numbers_.find(event.service);
      if (service != numbers_.end()) take(service->second, event);
    }
    for (std::size_t i = 0; i < run_.services.size(); ++i) add_from_timeline(i);
    std::ranges::sort(
        all_, {}, [](const Incarnation& one) { return std::tuple(one.begin(), one.service, one.number); });
    return std::move(all_);
  }

 private:
  // The attempt of this service that goes on; null: there is none.
  Incarnation* current(std::size_t service) {
    if (last_[service] == nobody) return nullptr;
    Incarnation& one = all_[last_[service]];
    return one.ended ? nullptr : &one;
  }

  Incarnation& begin(std::size_t service) {
    last_[service] = all_.size();
    return all_.emplace_back(Incarnation{.service = service});
  }

  void take(std::size_t service, const Event& event) {
    Incarnation* one = current(service);
    if (event.kind == "bell") {
      if (one != nullptr && event.what == "started" && !one->started) one->started = event.at;
      return;
    }
    if (event.kind != "state") return;
    if (event.what == "waiting") {
      if (one == nullptr || one->starting) begin(service).waiting = event.at;
    } else if (event.what == "starting") {
      if (one == nullptr || one->starting) one = &begin(service);
      one->starting = event.at;
      one->number = event.incarnation;
    } else if (one == nullptr) {
      return;
    } else if (event.what == "ready") {
      if (!one->ready) one->ready = event.at;
    } else if (event.what != "unready" && event.what != "stopping") {
      one->ended = event.at;
      one->result = event.what;
      one->cause = event.cause;
    }
  }

  void add_from_timeline(std::size_t i) {
    const Service& service = run_.services[i];
    if (!service.starting) return;
    const auto same = [&](const Incarnation& one) {
      return one.service == i && one.starting && one.number == service.incarnation;
    };
    if (std::ranges::any_of(all_, same)) return;
    all_.push_back({.service = i,
                    .number = service.incarnation,
                    .waiting = service.wanted_at,
                    .starting = service.starting,
                    .started = service.started,
                    .ready = service.ready_at,
                    .ended = service.stopped,
                    .result = service.stopped && !service.ready_at ? service.state : ""});
  }

  const Run& run_;
  std::map<std::string_view, std::size_t> numbers_;
  std::vector<Incarnation> all_;
  std::vector<std::size_t> last_;  // of each service, in all_
};

}  // namespace

std::vector<Incarnation> incarnations_of(const Run& run) { return Collector(run).collect(); }

}  // namespace belfry::report
