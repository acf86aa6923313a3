// POST /v1/reload: the files of the stack are read again.
#include <utility>

#include "daemon/http/api/access.hpp"
#include "daemon/http/api/api.hpp"
#include "daemon/http/api/status.hpp"
#include "daemon/http/wire/json_writer.hpp"
#include "daemon/http/wire/request_target.hpp"

namespace belfry::daemon::http {
namespace {

bool is_off(std::string_view value) { return value == "0" || value == "false"; }

void write_names(JsonWriter& writer, std::string_view key, const std::vector<std::string>& names) {
  writer.key(key).begin_array();
  for (const std::string& name : names) writer.string(name);
  writer.end_array();
}

void write_keys(JsonWriter& writer, std::string_view name, const std::vector<ReloadedKey>& keys) {
  writer.key(name).begin_array();
  for (const ReloadedKey& one : keys) {
    writer.begin_object();
    writer.key("key").string(one.key);
    if (!one.before.empty()) writer.key("before").string(one.before);
    if (!one.after.empty()) writer.key("after").string(one.after);
    writer.key("effect").string(one.effect);
    writer.end_object();
  }
  writer.end_array();
}

Response render(const ReloadResult& result) {
  if (result.outcome != CommandOutcome::done) return problem(status_of(result.outcome), result.message);
  Response response = json(200, {});
  JsonWriter writer(response.body);
  writer.begin_object();
  writer.key("message").string(result.message);
  writer.key("dry_run").boolean(result.dry_run);
  write_keys(writer, "stack", result.stack);
  writer.key("services").begin_array();
  for (const ReloadedService& one : result.services) {
    writer.begin_object();
    writer.key("name").string(one.name);
    writer.key("change").string(one.change);
    write_keys(writer, "keys", one.keys);
    writer.end_object();
  }
  writer.end_array();
  write_names(writer, "stops", result.stops);
  write_names(writer, "starts", result.starts);
  write_names(writer, "rolls", result.rolls);
  writer.end_object();
  response.body += '\n';
  return response;
}

}  // namespace

Understood Api::understand_reload(std::string_view query, const Asker& asker) const {
  if (reloader_ == nullptr) return problem(409, "cannot reload: this stack was read from no file");
  RunReload run{.asked_by = who_is(asker.caller)};
  QueryReader reader(query);
  Parameter parameter;
  while (reader.next(parameter)) {
    if (parameter.name == "wait") run.in_background = is_off(parameter.value);
    if (parameter.name == "dry_run") run.dry_run = !is_off(parameter.value);
  }
  if (reader.malformed()) return problem(400, "cannot read the query: a % escape is malformed");
  if (run.dry_run) run.in_background = false;  // there would be nobody to say it to
  return run;
}

Task<Response> Api::perform(Context& ctx, RunReload run) {
  const ReloadResult result = co_await reloader_->reload(
      ctx, {.asked_by = std::move(run.asked_by), .dry_run = run.dry_run, .until_up = true});
  co_return render(result);
}

}  // namespace belfry::daemon::http
