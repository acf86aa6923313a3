// The answers that have to be waited for: /v1/wait and the commands.
#include <algorithm>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "config/model/duration.hpp"
#include "config/model/enum_names.hpp"
#include "daemon/http/api/api.hpp"
#include "daemon/http/api/health.hpp"
#include "daemon/http/api/public_view.hpp"
#include "daemon/http/api/services.hpp"
#include "daemon/http/api/status.hpp"
#include "daemon/http/api/unknown_name.hpp"
#include "daemon/http/wire/json_writer.hpp"
#include "daemon/http/wire/request_target.hpp"

namespace belfry::daemon::http {
namespace {

bool is_off(std::string_view value) { return value == "0" || value == "false"; }

// What `/v1/wait?…` says, before anything is looked up.
struct WaitQuery {
  std::vector<std::string> services;
  std::optional<Level> level;
  std::optional<Duration> timeout;
  bool any = false, negated = false;
  std::string mistake;  // empty: none
};

// As many as fit into the head of a request, more or less: who may send longer ones is bounded all the same.
constexpr std::size_t most_names = 1024;

void read_parameter(WaitQuery& query, const Parameter& parameter) {
  if (parameter.name == "service") {
    query.services.push_back(parameter.value);
  } else if (parameter.name == "condition") {
    const auto known = config::condition_named(parameter.value);
    // Any other word is the name of an own bell; whether there is one is seen with the service.
    query.level = known ? Level{.condition = *known}
                        : Level{.condition = config::Condition::own_bell, .bell = parameter.value};
  } else if (parameter.name == "timeout") {
    const auto timeout = config::parse_duration(parameter.value);
    if (timeout) query.timeout = *timeout;
    if (!timeout)
      query.mistake = "timeout=" + parameter.value + " is not a duration such as 500ms, 30s or 1m30s";
  } else if (parameter.name == "any") {
    query.any = !is_off(parameter.value);
  } else if (parameter.name == "not") {
    query.negated = !is_off(parameter.value);
  } else {
    query.mistake =
        "the parameter " + parameter.name + " is not one of service, condition, timeout, any, not";
  }
}

WaitQuery read_wait(std::string_view text) {
  WaitQuery query;
  QueryReader reader(text);
  Parameter parameter;
  while (query.mistake.empty() && reader.next(parameter)) read_parameter(query, parameter);
  if (reader.malformed()) query.mistake = "a % escape is malformed";
  if (query.mistake.empty() && query.services.empty()) query.mistake = "it names no service (service=NAME)";
  return query;
}

// Each once, where it came first. Sorting finds the others without comparing each with each.
std::vector<std::string> without_repetitions(const std::vector<std::string>& names) {
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&names](std::size_t one, std::size_t other) {
    return std::tie(names[one], one) < std::tie(names[other], other);
  });
  const auto repeated =
      std::ranges::unique(order, {}, [&names](std::size_t i) { return std::string_view(names[i]); });
  order.erase(repeated.begin(), repeated.end());
  std::ranges::sort(order);
  std::vector<std::string> kept;
  kept.reserve(order.size());
  for (const std::size_t i : order) kept.push_back(names[i]);
  return kept;
}

// The condition that stands for "up" where none is given: the same as for an edge.
config::Condition default_condition(config::ServiceType type) {
  return type == config::ServiceType::oneshot ? config::Condition::completed : config::Condition::ready;
}

// Nothing is wrong, or: what the service could be waited for.
std::string mistake_in(const Level& level, const ServiceView& service) {
  const auto named = [&level](const BellView& bell) { return bell.name == level.bell; };
  if (level.condition != config::Condition::own_bell || std::ranges::any_of(service.bells, named)) return {};
  std::string text = "condition=" + level.bell + " is not one of started, ready, completed, stopped";
  for (const BellView& bell : service.bells) (text += ", ") += bell.name;
  return (text += " of ") += service.name;
}

// What the waits for several services share. The first that fails takes the others with it; where any of them
// is enough, the first that succeeds does, and who fails last says why there is none.
struct Waits {
  Context& siblings;
  bool any = false;
  bool found = false;  // one of any
  std::optional<Error> error{};
};

Task<void> wait_for_one(Waits& waits, StackView& stack, WaitFor::One one) {
  Result<void> level;
  try {
    level = co_await stack.wait_for(waits.siblings, one.service, one.level);
  } catch (...) {
    waits.siblings.cancel(Error::failed("the wait for another service broke"));
    throw;
  }
  if (level && waits.any) waits.found = true;
  if (!level && (waits.any || !waits.error)) waits.error = level.error();
  if (level.has_value() == waits.any) waits.siblings.cancel(level ? Error::cancelled() : level.error());
}

Task<Result<void>> wait_for_several(Context& ctx, StackView& stack, const WaitFor& wait) {
  Context siblings(ctx);
  Waits waits{.siblings = siblings, .any = wait.any};
  WaitGroup group(ctx.loop());
  for (const WaitFor::One& one : wait.services) spawn(group, "http wait", wait_for_one(waits, stack, one));
  // Every one of them ends with `siblings`, so joining needs no way out of its own.
  Context joining(ctx.loop());
  const Result<void> joined = co_await group.wait(joining);
  if (!joined) throw std::runtime_error(joined.error().text());  // a bug, and no answer to anybody
  if (waits.error && !waits.found) co_return std::unexpected(*waits.error);
  co_return Result<void>();
}

// Of one service without a frame in between.
Task<Result<void>> wait_for_them(Context& ctx, StackView& stack, const WaitFor& wait) {
  if (wait.services.size() > 1) return wait_for_several(ctx, stack, wait);
  return stack.wait_for(ctx, wait.services[0].service, wait.services[0].level);
}

Response waited(const StackView& stack, const WaitFor& wait, WallClock& clock) {
  Response response = json(200, {});
  JsonWriter writer(response.body);
  writer.begin_object();
  writer.key("services").begin_array();
  for (const WaitFor::One& one : wait.services)
    write_service(writer, stack.service(one.service), stack.now(), clock);
  writer.end_array();
  writer.end_object();
  response.body += '\n';
  return response;
}

// A person who waited in vain wants to know what for.
Response in_vain(int status, std::string detail, const StackView& stack, const WaitFor& wait) {
  char mark = ':';
  for (const WaitFor::One& one : wait.services) {
    const ServiceView service = stack.service(one.service);
    if (service.ready != one.level.negated && wait.services.size() > 1) continue;
    ((((detail += mark) += ' ') += service.name) += " is ") += reason_unready(service);
    mark = ',';
  }
  return problem(status, detail);
}

Response render(const CommandResult& result) {
  const int status = status_of(result.outcome);
  if (result.outcome != CommandOutcome::done) return problem(status, result.message);
  Response response = json(status, {});
  JsonWriter writer(response.body);
  writer.begin_object();
  writer.key("message").string(result.message);
  writer.key("affected").begin_array();
  for (const std::string& name : result.affected) writer.string(name);
  writer.end_array();
  writer.end_object();
  response.body += '\n';
  return response;
}

}  // namespace

Understood Api::understand_wait(std::string_view text) const {
  const WaitQuery query = read_wait(text);
  if (!query.mistake.empty()) return problem(400, "cannot wait: " + query.mistake);
  WaitFor wait;
  wait.timeout = query.timeout;
  wait.any = query.any;
  const std::vector<std::string> names = without_repetitions(query.services);
  if (names.size() > most_names)
    return problem(400, "cannot wait: it names more than " + std::to_string(most_names) +
                            " services; ask in several requests");
  for (const std::string& name : names) {
    const auto index = stack_.find(name);
    if (!index) return no_such_service(stack_, name);
    const ServiceView service = stack_.service(*index);
    Level level = query.level.value_or(Level{.condition = default_condition(service.type)});
    level.negated = query.negated;
    if (const std::string mistake = mistake_in(level, service); !mistake.empty())
      return problem(400, "cannot wait: " + mistake);
    wait.services.push_back({*index, level});
  }
  return wait;
}

Task<Response> Api::perform(Context& ctx, WaitFor wait) {
  std::optional<Context> limited;
  if (wait.timeout) limited.emplace(ctx, saturating_add(ctx.loop().now(), *wait.timeout));
  Context& waiting = limited ? *limited : ctx;
  const Result<void> levels = co_await wait_for_them(waiting, stack_, wait);
  PublicView in_public(stack_);
  const StackView& shown = wait.in_public ? static_cast<const StackView&>(in_public) : stack_;
  if (levels) co_return waited(shown, wait, clock_);
  const int status = status_of(levels.error().kind());
  if (status == 504) co_return in_vain(status, "cannot wait any longer", shown, wait);
  if (status == 424 && wait.in_public)
    co_return in_vain(status, "cannot wait: it will never be so", shown, wait);
  co_return problem(status, levels.error().text());
}

Understood Api::understand_command(const Match& match, std::string_view query) const {
  const auto index = stack_.find(match.service);
  if (!index) return no_such_service(stack_, match.service);
  RunCommand run{*index, match.command, Manner::in_order, false};
  QueryReader reader(query);
  Parameter parameter;
  while (reader.next(parameter)) {
    if (parameter.name == "wait") run.in_background = is_off(parameter.value);
    if (parameter.name == "only" && !is_off(parameter.value)) run.manner = Manner::alone;
    if (parameter.name == "rolling" && !is_off(parameter.value)) run.manner = Manner::rolling;
  }
  if (reader.malformed()) return problem(400, "cannot read the query: a % escape is malformed");
  if (run.manner == Manner::rolling && run.command != ServiceCommand::restart)
    return problem(400, "cannot understand the query: `rolling` is for restart");
  return run;
}

Task<Response> Api::perform(Context& ctx, RunCommand run) {
  const CommandResult result = co_await stack_.command(ctx, run.command, run.service, run.manner);
  metrics_.command_ended(run.command, result.outcome);
  co_return render(result);
}

}  // namespace belfry::daemon::http
