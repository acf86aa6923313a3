#include "daemon/supervisor/supervisor.hpp"

#include <algorithm>

#include "channels/spawn.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/service/description.hpp"
#include "daemon/supervisor/schedules.hpp"

namespace belfry::daemon {

namespace {

std::uint32_t run_of(const Service& service) { return static_cast<std::uint32_t>(service.record().runs); }

// Services with a command that run, or will run without anybody's help.
bool is_active(const Service& service, State state) {
  return !service.spec().command.empty() && !is_settled(state);
}

}  // namespace

Supervisor::Supervisor(Context& parent, const config::Stack& stack, system::Processes& processes,
                       ResourceProvider& resources, probes::Factory& probes, Reporter& reporter,
                       std::uint64_t seed)
    : loop_(parent.loop()),
      reporter_(reporter),
      journal_(loop_),
      timeline_(stack.services.size()),
      probe_slots_(loop_, stack.probe_limit, "probe slots"),
      start_slots_(loop_, stack.parallel_starts),
      preparations_(loop_),
      runtime_{.stack_name = stack.name,
               .loop = loop_,
               .processes = processes,
               .resources = resources,
               .probes = {.slots = probe_slots_, .factory = probes, .random = *this},
               .start_slots = start_slots_,
               .preparations = preparations_,
               .graph = graph_,
               .listener = *this,
               .services = services_},
      random_(seed),
      lives_context_(parent),
      up_(loop_, "up"),
      ending_(loop_, "ending"),
      schedules_(
          std::make_unique<Schedules>(lives_context_, lives_, runtime_.listener, runtime_.probes.random)),
      up_again_(loop_),
      lives_(loop_, "lives", WaitGroup::Thrown::told_at_once) {
  services_.reserve(stack.services.size());
  by_name_.reserve(stack.services.size());
  for (const config::Service& spec : stack.services) {
    const auto index = static_cast<std::uint32_t>(services_.size());
    services_.push_back(std::make_unique<Service>(runtime_, spec, index));
    shown_.push_back(index);
    if (spec.essential) essentials_.push_back(services_.back().get());
  }
  by_name_ = shown_;
  std::ranges::sort(by_name_, {}, [this](std::uint32_t i) { return services_[i]->name(); });
  for (auto& service : services_) graph_.add(*service, service->record());
  graph_.connect();
  counted_unready_.resize(services_.size(), false);
}

Supervisor::~Supervisor() = default;

void Supervisor::tell_time_by(system::TimeOfDay& time) { schedules_->tell_time_by(time); }

bool Supervisor::waits_for_its_time(const Service& service) const {
  const config::Schedule* schedule = schedule_of(service.spec());
  return schedule != nullptr && !schedule->at_start && schedules_->has(service);
}

void Supervisor::begin(const std::vector<std::string>& names) {
  names_ = names;
  timeline_.begun(loop_.now());
  write_down_of_stack("begun");
  for (auto& service : services_) spawn(lives_, service->name(), service->live(lives_context_));
  std::vector<Node*> wanted;
  for (auto& service : services_) {
    if (!service->spec().enabled) continue;
    if (names.empty() || std::ranges::find(names, service->name()) != names.end())
      wanted.push_back(service.get());
  }
  for (Node* node : graph_.required_closure(std::move(wanted))) {
    Service& needed = service_of(*node);
    schedules_->take(needed);
    if (!waits_for_its_time(needed))
      needed.request_start();
    else if (!needed.spec().extras->health_ignore)
      needed.expect();
    count_health(needed);
  }
  begun_ = true;
  if (unready_ == 0) has_come_up();
}

void Supervisor::stop_everything(TimePoint deadline, const Error& cause) {
  write_down_of_stack("stopping", cause);
  shutting_down_ = true;
  schedules_->stop();
  graph_.hold_everything();
  const std::vector<StopShare> shares = graph_.plan_stop(loop_.now(), deadline);
  for (std::size_t i = 0; i < services_.size(); ++i) {
    StopTerms terms{.intent = Intent::rest, .cause = cause};
    // Half of its share is for cleaning up.
    const Duration cleaning = services_[i]->cleans_up() ? shares[i].kept / 2 : Duration::zero();
    terms.kill_by = shares[i].end_by - cleaning;
    terms.end_by = shares[i].end_by;
    terms.by_command = false;
    services_[i]->request_stop(terms);
  }
}

void Supervisor::kill_everything(const Error& cause) {
  if (!std::exchange(killing_, true)) write_down_of_stack("killing", cause);
  shutting_down_ = true;
  schedules_->stop();
  for (auto& service : services_) service->kill_now(cause);
}

Task<void> Supervisor::end() {
  lives_context_.cancel(Error::closed("the daemon ends"));
  Context patience(loop_);
  const Result<void> joined = co_await lives_.wait(patience);
  if (!joined) reporter_.notice("belfry", joined.error().text());
}

void Supervisor::state_changed(Service& service, State from, State to) {
  unsettled_ += static_cast<std::size_t>(!is_settled(to)) - static_cast<std::size_t>(!is_settled(from));
  running_ += static_cast<std::size_t>(is_running(to)) - static_cast<std::size_t>(is_running(from));
  stopping_ +=
      static_cast<std::size_t>(to == State::stopping) - static_cast<std::size_t>(from == State::stopping);
  active_ +=
      static_cast<std::size_t>(is_active(service, to)) - static_cast<std::size_t>(is_active(service, from));
  write_down(service, from, to);
  count_health(service);
  reporter_.state_changed(service, from, to);
  look_whether_up();
  for (Wakeup* watcher : watchers_) watcher->notify();
  schedules_->changed(service);
  look_for_the_end(service, to);
}

// `exec` starts its command on this bell, so it is asked as an edge is. Not every death changes a state: the
// first process of a daemon that forks leaves without.
void Supervisor::look_whether_up() {
  if (!begun_ || unready_ != 0 || shutting_down_ || up_.ended()) return up_again_.cancel();
  if (nobody_died_unnoticed()) {
    up_again_.cancel();
    has_come_up();
  } else if (!up_again_.armed()) {
    up_again_.arm(loop_.now() + std::chrono::milliseconds(2), [this] { look_whether_up(); });
  }
}

bool Supervisor::nobody_died_unnoticed() const {
  return std::ranges::none_of(services_, [this](const auto& s) {
    return s->spec().type != config::ServiceType::gate && is_running(s->state()) &&
           graph_.has_died_unnoticed(*s);
  });
}

void Supervisor::count_health(Service& service) {
  const Record& record = service.record();
  const bool counts = record.wanted && !(service.spec().extras && service.spec().extras->health_ignore);
  const bool unready = counts && !service.default_level();
  if (unready == counted_unready_[service.index()]) return;
  counted_unready_[service.index()] = unready;
  unready ? ++unready_ : --unready_;
}

void Supervisor::look_for_the_end(Service& service, State to) {
  if (shutting_down_) return;
  const std::string name(service.name());
  if (service.spec().main && (to == State::completed || to == State::failed)) {
    const auto& exit = service.record().run.exit;
    const int code = exit ? exit->shell_code() : 0;
    // Who was ended because it hung, and exited with 0 then, has failed all the same.
    const bool lies = to == State::failed && code == 0;
    const std::string how = exit && !lies ? exit->text() : "failed: " + last_error(service);
    if (ends_when_done_ || code != 0 || lies)
      ending_.ring(
          {.code = lies ? exit_code::unavailable : code, .reason = "main service " + name + " " + how});
  }
  if (to == State::failed || (to == State::blocked && service.spec().essential)) look_at_essentials();
  // What settles may unblock or block others in the same turn, so the question is asked after it.
  if (active_ == 0 && !end_check_pending_) {
    end_check_pending_ = true;
    loop_.post([this] { loop_.post([this] { end_when_nothing_can_run(); }); });
  }
}

// Also at those that were blocked already, by something that was harmless then.
void Supervisor::look_at_essentials() {
  for (const Service* one : essentials_) {
    const State state = one->state();
    if (one->record().start_requested) continue;  // it is about to be tried again
    if (state != State::failed && (state != State::blocked || !graph_.is_blocked_by_failure(*one))) continue;
    ending_.ring({.code = exit_code::unavailable,
                  .reason = "essential service " + std::string(one->name()) + " " +
                            std::string(name_of(state)) + ": " + last_error(*one)});
  }
}

void Supervisor::must_go_down(Service&, const Error& why) {
  if (!shutting_down_) ending_.ring({.code = exit_code::unavailable, .reason = why.text()});
}

// Idea 33: a stack that can make no progress says so. Services that were stopped by command wait for the
// next command, so they keep the daemon.
void Supervisor::end_when_nothing_can_run() {
  end_check_pending_ = false;
  if (shutting_down_ || exchanging_ || active_ != 0 || !ends_when_done_) return;
  if (schedules_->will_start_somebody()) return;
  bool failed = false;
  bool anything_to_run = false;
  for (const auto& service : services_) {
    if (service->record().stopped_by_command || service->record().start_requested) return;
    if (!service->record().wanted || service->spec().command.empty()) continue;
    anything_to_run = true;
    failed = failed || service->state() != State::completed;
  }
  // A stack of externals and gates has nothing to run, and is there to be asked.
  if (!anything_to_run) return;
  ending_.ring({.code = failed ? exit_code::unavailable : exit_code::ok,
                .reason = failed ? "nothing can run any more" : "all services have completed"});
}

bool Supervisor::has_stuck() const {
  return std::ranges::any_of(services_, [](const auto& service) { return service->record().stuck; });
}

void Supervisor::own_bell_rang(Service& service, std::uint32_t bell, const Evidence& evidence) {
  const std::string& name = service.spec().extras->bells[bell].name;
  journal_.append({.kind = EventKind::bell,
                   .to = service.state(),
                   .incarnation = run_of(service),
                   .service = service.name(),
                   .subject = name,
                   .evidence = evidence});
  reporter_.own_bell_rang(service, name);
  for (Wakeup* watcher : watchers_) watcher->notify();
}

void Supervisor::notice(Service& service, const std::string& text) {
  journal_.append({.kind = EventKind::notice,
                   .to = service.state(),
                   .incarnation = run_of(service),
                   .service = service.name(),
                   .cause = text});
  reporter_.notice(service.name(), text);
}

double Supervisor::random() { return std::uniform_real_distribution<double>(0.0, 1.0)(random_); }

void Supervisor::request_shutdown(std::string_view reason) {
  ending_.ring({.code = 0, .reason = std::string(reason)});
}

}  // namespace belfry::daemon
