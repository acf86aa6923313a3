// Replicas are replaced one after the other: by `restart --rolling`, and by a reload where the file says
// `update`.
//
// While some are replaced the others serve. So nobody who depends on them is stopped: an edge that asks for
// fewer than all notices nothing, and any other one does what its `on_loss` says. One that does not come up
// ends it: the next ones are worth more as they are.
//
// A reload gives all of them the new description at once, which their next runs begin with (a run goes on
// with what it began with); those that are not replaced get the old one back.
#include <algorithm>
#include <charconv>

#include "daemon/service/description.hpp"
#include "daemon/supervisor/command_answer.hpp"
#include "daemon/supervisor/supervisor.hpp"

namespace belfry::daemon {

namespace {

config::Update terms_of(const Service& replica) {
  const auto& extras = replica.spec().extras;
  return extras && extras->update ? *extras->update : config::Update{};
}

std::string names_of(const std::vector<Service*>& services) {
  std::string text;
  for (const Service* one : services) text.append(text.empty() ? "" : ", ").append(one->name());
  return text;
}

// The number that ends the name of a replica; 0: it is none.
std::size_t number_of(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos) return 0;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data() + dash + 1, name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() ? number : 0;
}

}  // namespace

// The gate of replicas comes right before them in the file.
bool Supervisor::is_rolled(const NewStack& next, const config::ServiceChange& change) const {
  const config::Service& after = next.stack.services[change.after];
  const Service& now = *services_[shown_[change.before]];
  if (!change.restarts() || !is_running(now.state()) || now.spec().type != after.type) return false;
  if (!after.enabled || !now.spec().enabled || !after.extras || !after.extras->update) return false;
  const std::size_t number = number_of(after.name);
  if (number == 0 || number > change.after || !next.stack.services[change.after - number].replicated)
    return false;
  // What it listens on is exchanged while it rests.
  return std::ranges::none_of(change.keys,
                              [](const config::KeyChange& one) { return one.key.starts_with("listen"); });
}

Task<CommandResult> Supervisor::roll(Context& ctx, Service& service) {
  CommandResult result;
  const std::string name(service.name());
  if (!service.spec().replicated) {
    result.outcome = CommandOutcome::refused;
    result.message = "cannot restart " + name + " rolling: it has no replicas (replicas: 3)";
    co_return result;
  }
  std::vector<Service*> replicas = meant_by(service, false);
  std::erase_if(replicas, [](const Service* one) { return one->was_stopped(); });
  for (const Service* one : replicas) result.affected.emplace_back(one->name());
  std::size_t begun = 0;
  const Result<void> waited = co_await restart_in_turn(ctx, replicas, begun);
  answer(result, waited, "restart", name, "is restarted, one replica after the other");
  const std::vector<Service*> left(replicas.begin() + static_cast<std::ptrdiff_t>(begun), replicas.end());
  if (!waited && !left.empty()) result.message += " (" + names_of(left) + ": not restarted)";
  co_return result;
}

// `begun`: how many of them have been stopped.
Task<Result<void>> Supervisor::restart_in_turn(Context& ctx, std::vector<Service*> replicas,
                                               std::size_t& begun) {
  begun = 0;
  while (begun < replicas.size()) {
    const std::size_t at_once =
        std::min<std::size_t>(terms_of(*replicas[begun]).parallel, replicas.size() - begun);
    const auto first = replicas.begin() + static_cast<std::ptrdiff_t>(begun);
    std::vector<Service*> batch(first, first + static_cast<std::ptrdiff_t>(at_once));
    std::vector<Node*> going(batch.begin(), batch.end());
    const Result<void> given = co_await leave_of_other_hosts(ctx, [going] { return going; });
    if (!given) co_return given;
    begun += at_once;
    const Result<void> replaced = co_await restart_together(ctx, std::move(batch));
    if (!replaced) co_return replaced;
  }
  co_return Result<void>();
}

Task<Result<void>> Supervisor::restart_together(Context& ctx, std::vector<Service*> replicas) {
  const Error cause(Error::Kind::cancelled, "restarted in its turn");
  std::vector<std::pair<Service*, SharedIncarnation>> gone;
  for (Service* one : replicas) {
    if (is_running(one->state())) {
      gone.emplace_back(one, one->incarnation());
      one->request_stop({.intent = Intent::again, .cause = cause, .in_order = false});
    } else {
      one->request_start();
    }
    count_health(*one);
  }
  const std::uint64_t asked_in = runtime_.moments;
  Result<void> waited;
  for (const auto& [one, run] : gone) {
    if (waited) waited = co_await until_gone(ctx, *one, run, asked_in);
  }
  for (Service* one : replicas) {
    if (waited) waited = co_await until_up_or_broken(ctx, *one);
  }
  co_return waited;
}

// One that has to be started again has not come up, however often that is tried.
Task<Result<void>> Supervisor::until_up_or_broken(Context& ctx, Service& service) {
  const config::Condition level = terms_of(service).wait;
  Wakeup changed(loop_, "until up or broken");
  StateWatch watch(changed);
  service.watch(watch);
  Result<void> told;
  while (told && !service.level(level, {})) {
    if (shutting_down_) co_return std::unexpected(Error::closed("the stack is shutting down"));
    const bool is_broken = is_settled(service.state()) || service.state() == State::backoff;
    if (is_broken && !service.record().start_requested) {
      std::string why = std::string(service.name()) + " is " + std::string(name_of(service.state()));
      if (const std::string error = last_error(service); !error.empty()) why += ": " + error;
      co_return std::unexpected(Error::failed(std::move(why)));
    }
    told = co_await changed.wait(ctx);
  }
  co_return told;
}

// --- of a reload

// What became of those that the exchange has left running by their old description; empty: all went well.
Task<std::string> Supervisor::roll_replaced(Context& ctx) {
  std::string trouble;
  std::vector<Rolled> all = std::exchange(rolled_, {});
  // Who had to stop with somebody else has come back by the new description already.
  std::erase_if(all, [](const Rolled& one) { return one.service->incarnation() != one.run; });
  const auto base = [](const Rolled& one) {
    const std::string_view name = one.service->name();
    return name.substr(0, name.rfind('-'));
  };
  for (auto first = all.begin(); first != all.end();) {
    const auto last =
        std::find_if(first, all.end(), [&](const Rolled& one) { return base(one) != base(*first); });
    const std::string problem = co_await roll_one_by_one(ctx, std::vector<Rolled>(first, last));
    if (!problem.empty()) trouble.append(trouble.empty() ? "" : "; ").append(problem);
    first = last;
  }
  co_return trouble;
}

Task<std::string> Supervisor::roll_one_by_one(Context& ctx, std::vector<Rolled> all) {
  std::vector<Service*> replicas;
  replicas.reserve(all.size());
  for (const Rolled& one : all) replicas.push_back(one.service);
  const bool rolls_back = terms_of(*replicas.front()).on_failure == config::Update::OnFailure::roll_back;
  std::size_t begun = 0;
  const Result<void> replaced = co_await restart_in_turn(ctx, replicas, begun);
  if (replaced) co_return std::string();
  std::string problem = replaced.error().text();
  const auto middle = static_cast<std::ptrdiff_t>(begun);
  const std::vector<Service*> left(replicas.begin() + middle, replicas.end());
  if (!left.empty()) problem += " (" + names_of(left) + ": as before)";
  if (!rolls_back || ctx.cancelled()) {
    describe_again({all.begin() + middle, all.end()});
    co_return problem;
  }
  describe_again(all);
  const std::vector<Service*> back(replicas.begin(), replicas.begin() + middle);
  std::size_t back_again = 0;
  // Who is broken first: until it is back, the others are needed.
  const Result<void> rolled_back =
      co_await restart_in_turn(ctx, std::vector<Service*>(back.rbegin(), back.rend()), back_again);
  problem += rolled_back ? " (" + names_of(back) + ": rolled back)"
                         : ", and cannot roll back: " + rolled_back.error().text();
  co_return problem;
}

// Not who depended on somebody who is in the file no more.
void Supervisor::describe_again(std::vector<Rolled> all) {
  for (const Rolled& one : all) {
    const bool stands = std::ranges::none_of(one.before->depends_on, [this](const config::Dependency& edge) {
      return services_[edge.target]->is_retired();
    });
    if (!stands) continue;
    one.service->adopt(one.before);
    if (!is_running(one.service->state())) {
      runtime_.resources.place(one.service->index(), *one.before);
      one.service->take_sockets();
    }
    timeline_.forget_edges(one.service->index());
  }
  graph_.connect();
  count_anew();
}

}  // namespace belfry::daemon
