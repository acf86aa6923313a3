#include "probes/protocols/json_answer.hpp"

#include <boost/json.hpp>

#include "text/escape.hpp"
#include "text/utf8.hpp"

namespace belfry::probes {

namespace {

namespace json = boost::json;

// As a file writes it: a text without quotes, all else as JSON does.
std::string written(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

// The beginning of what may be as long as the answer, cut between characters.
std::string shown(const json::value& value) {
  constexpr std::size_t longest = 80;
  std::string line = text::visible_json(json::serialize(value));
  if (line.size() <= longest) return line;
  std::size_t end = longest;
  while (end > 0 && text::is_continuation(line[end])) --end;
  return line.substr(0, end) + "…";
}

}  // namespace

std::string judge_json(std::string_view body, const config::JsonExpectation& expected) {
  boost::system::error_code failed;
  const json::value answer = json::parse(body, failed);
  if (failed) return "the answer is not JSON: " + failed.message();
  const json::value* const found = answer.find_pointer(expected.pointer, failed);
  const std::string place = expected.pointer.empty() ? "the answer" : expected.pointer;
  if (found == nullptr) return "the answer has no " + place;
  if (!expected.equals || written(*found) == *expected.equals) return {};
  return place + " is " + shown(*found) + ", not " + *expected.equals;
}

}  // namespace belfry::probes
