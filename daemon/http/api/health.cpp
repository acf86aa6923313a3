#include "daemon/http/api/health.hpp"
#include "daemon/http/api/unknown_name.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/http/wire/json_writer.hpp"
#include "daemon/http/wire/request_target.hpp"
#include "text/escape.hpp"

namespace belfry::daemon::http {
namespace {

struct Options {
  bool verbose = false;
  bool malformed = false;
  bool as_json = false;
  std::vector<std::string> exclude;
};

Options read_options(const Request& request, std::string_view query) {
  Options options;
  QueryReader reader(query);
  Parameter parameter;
  while (reader.next(parameter)) {
    if (parameter.name == "verbose") options.verbose = parameter.value != "0" && parameter.value != "false";
    if (parameter.name == "exclude") options.exclude.push_back(std::move(parameter.value));
  }
  options.malformed = reader.malformed();
  std::ranges::sort(options.exclude);  // each service is looked for in it
  options.as_json = request.accept.find(health_json) != std::string::npos ||
                    request.accept.find(application_json) != std::string::npos;
  return options;
}

enum class Verdict : std::uint8_t { pass, fail, not_counted };

// One line of the answer: the check of a service, or of the stack itself.
struct Check {
  std::string_view name;
  Verdict verdict = Verdict::pass;
  std::string said;
};

Check check_service(const ServiceView& service, const Options& options) {
  if (std::ranges::binary_search(options.exclude, service.name)) {
    return {service.name, Verdict::not_counted, "excluded"};
  }
  if (service.ignored_by_health) return {service.name, Verdict::not_counted, "ignored (health: ignore)"};
  if (!service.wanted) {
    return {service.name, Verdict::not_counted, "not wanted (" + std::string(name_of(service.state)) + ")"};
  }
  if (service.ready) return {service.name, Verdict::pass, "ok"};
  return {service.name, Verdict::fail, reason_unready(service)};
}

std::vector<Check> check_stack(const StackView& stack, const Options& options) {
  std::vector<Check> checks;
  if (stack.shutting_down()) checks.push_back({"stack", Verdict::fail, "shutting down"});
  for (const std::size_t index : stack.shown()) {
    checks.push_back(check_service(stack.service(index), options));
  }
  const bool nothing_failed =
      std::ranges::none_of(checks, [](const Check& check) { return check.verdict == Verdict::fail; });
  if (nothing_failed && options.exclude.empty() && !stack.stack_ready()) {
    checks.push_back({"stack", Verdict::fail, "starting"});
  }
  return checks;
}

std::string_view mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass: return "[+]";
    case Verdict::fail: return "[-]";
    case Verdict::not_counted: break;
  }
  return "[.]";
}

std::string render_text(std::string_view title, const std::vector<Check>& checks, bool passed, bool verbose) {
  if (passed && !verbose) return "ok\n";
  std::string body;
  for (const Check& check : checks) {
    if (!verbose && check.verdict != Verdict::fail) continue;
    ((((body += mark(check.verdict)) += check.name) += ' ') += check.said) += '\n';
  }
  ((body += title) += passed ? " check passed" : " check failed") += '\n';
  return body;
}

// draft-inadarei-api-health-check-06
std::string render_json(const StackView& stack, const std::vector<Check>& checks, bool passed) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("status").string(passed ? "pass" : "fail");
  json.key("description").string(stack.stack_name());
  json.key("checks").begin_object();
  for (const Check& check : checks) {
    if (check.verdict == Verdict::not_counted) continue;
    const bool pass = check.verdict == Verdict::pass;
    json.key(check.name).begin_array();
    json.begin_object();
    json.key("status").string(pass ? "pass" : "fail");
    if (!pass) json.key("output").string(check.said);
    json.end_object();
    json.end_array();
  }
  json.end_object();
  json.end_object();
  body += '\n';
  return body;
}

Response render(std::string_view title, const StackView& stack, const std::vector<Check>& checks, bool passed,
                const Options& options) {
  Response response;
  response.status = passed ? 200 : 503;
  if (options.as_json) {
    response.content_type = health_json;
    response.body = render_json(stack, checks, passed);
  } else {
    response.body = render_text(title, checks, passed, options.verbose);
  }
  return response;
}

bool all_pass(const std::vector<Check>& checks) {
  return std::ranges::none_of(checks, [](const Check& check) { return check.verdict == Verdict::fail; });
}

// True where the answer is nothing but the status: the question that is asked ten times a second.
bool is_plain(const Request& request, std::string_view query) {
  return query.empty() && (request.accept.empty() || request.accept == "*/*");
}

Response readiness(const Match& match, const Request& request, std::string_view query,
                   const StackView& stack) {
  if (is_plain(request, query) && stack.stack_ready()) return text(200, "ok\n");
  const Options options = read_options(request, query);
  if (options.malformed) return problem(400, "cannot read the query: a % escape is malformed");
  const bool with_loop = match.route == Route::healthz;
  std::vector<Check> checks;
  if (with_loop) checks.push_back({"loop", Verdict::pass, "ok"});
  for (Check& check : check_stack(stack, options)) checks.push_back(std::move(check));
  return render(with_loop ? "healthz" : "readyz", stack, checks, all_pass(checks), options);
}

Response service_readiness(const Match& match, const Request& request, std::string_view query,
                           const StackView& stack) {
  const auto index = stack.find(match.service);
  if (!index) return no_such_service(stack, match.service);
  const Options options = read_options(request, query);
  const ServiceView service = stack.service(*index);
  const Check check{service.name, service.ready ? Verdict::pass : Verdict::fail,
                    service.ready ? "ok" : reason_unready(service)};
  return render("readyz", stack, {check}, service.ready, options);
}

Response one_check(std::string_view title, std::string_view name, bool passed, std::string said,
                   const Request& request, std::string_view query, const StackView& stack) {
  if (passed && is_plain(request, query)) return text(200, "ok\n");
  const std::vector<Check> checks = {{name, passed ? Verdict::pass : Verdict::fail, std::move(said)}};
  return render(title, stack, checks, passed, read_options(request, query));
}

}  // namespace

std::string reason_unready(const ServiceView& service) {
  std::string reason(name_of(service.state));
  if (service.state == State::waiting && !service.waiting_for.empty()) {
    reason += " for ";
    for (std::size_t i = 0; i < service.waiting_for.size(); ++i) {
      if (i > 0) reason += ", ";
      reason += service.waiting_for[i];
    }
    return reason;
  }
  if (!service.last_error.empty()) (reason += ": ") += service.last_error;
  // One line per service is the format; an error of several lines would break it.
  std::ranges::replace(reason, '\n', ' ');
  return text::visible(reason);
}

Response health(const Match& match, const Request& request, std::string_view query, const StackView& stack) {
  switch (match.route) {
    case Route::livez: return one_check("livez", "loop", true, "ok", request, query, stack);
    case Route::startupz: {
      const bool done = stack.started_up();
      return one_check("startupz", "startup", done, done ? "ok" : "not completed yet", request, query, stack);
    }
    case Route::readyz_service: return service_readiness(match, request, query, stack);
    default: return readiness(match, request, query, stack);
  }
}

}  // namespace belfry::daemon::http
