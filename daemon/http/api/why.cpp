#include "daemon/http/api/why.hpp"
#include "daemon/http/api/answer_form.hpp"
#include "daemon/http/api/unknown_name.hpp"

#include <optional>

#include "daemon/http/wire/json_writer.hpp"
#include "daemon/why/explain.hpp"
#include "daemon/why/text.hpp"

namespace belfry::daemon::http {
namespace {

void write_chain(JsonWriter& json, const Explanation& why) {
  json.key("chain").begin_array();
  for (const ChainLine& line : why.chain) {
    json.begin_object();
    json.key("service").string(line.service);
    json.key("depth").number(static_cast<std::int64_t>(line.depth));
    json.key("state").string(name_of(line.state));
    json.key("for_ns").number(line.for_long.count());
    json.key("is_culprit").boolean(line.is_culprit);
    json.key("text").string(line.text);
    json.end_object();
  }
  json.end_array();
  json.key("left_out").number(static_cast<std::int64_t>(why.left_out));
}

void write_evidence(JsonWriter& json, const Explanation& why) {
  json.key("evidence").begin_array();
  for (const EvidenceLine& line : why.evidence) {
    json.begin_object();
    json.key("what").string(line.label);
    json.key("text").string(line.text);
    json.end_object();
  }
  json.end_array();
}

void write_next(JsonWriter& json, const Explanation& why) {
  json.key("next").begin_array();
  for (const NextLine& line : why.next) {
    json.begin_object();
    json.key("text").string(line.text);
    json.key("in_ns");
    line.in ? json.number(line.in->count()) : json.null();
    json.end_object();
  }
  json.end_array();
}

void write_lines(JsonWriter& json, std::string_view name, const std::vector<std::string>& lines) {
  json.key(name).begin_array();
  for (const std::string& line : lines) json.string(line);
  json.end_array();
}

void write(JsonWriter& json, const Explanation& why) {
  json.begin_object();
  json.key("stack").string(why.stack);
  json.key("service").string_or_null(why.service);
  json.key("ready").boolean(why.ready);
  json.key("headline").string(why.headline);
  json.key("culprit").string_or_null(why.culprit);
  write_chain(json, why);
  write_evidence(json, why);
  write_lines(json, "log", why.log);
  write_next(json, why);
  write_lines(json, "help", why.help);
  json.end_object();
}

}  // namespace

Response show_why(const StackView& stack, std::string_view name, const Request& request,
                  std::string_view query) {
  const auto index = name.empty() ? std::nullopt : stack.find(name);
  if (!name.empty() && !index) return no_such_service(stack, name);
  const auto as_text = wants_text(request, query);
  if (!as_text) return problem(400, "cannot understand the query: `format` is text or json");
  const Explanation why = explain(stack.why_facts(index));
  if (*as_text) return text(200, text_of(why));
  Response response = json(200, {});
  JsonWriter writer(response.body);
  write(writer, why);
  response.body += '\n';
  return response;
}

}  // namespace belfry::daemon::http
