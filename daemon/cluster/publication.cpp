#include "daemon/cluster/publication.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "config/model/output_reference.hpp"
#include "text/escape.hpp"

namespace belfry::daemon::cluster {

namespace {

namespace json = boost::json;

constexpr std::size_t longest_words = 2048;
constexpr std::int64_t latest_ms = 7258118400000;  // the year 2200: what is later is no time of anybody's

Error none_of_belfrys(std::string why) { return Error(Error::Kind::invalid, std::move(why)); }

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::int64_t number_at(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  boost::system::error_code failed;
  const auto number = found == nullptr ? 0 : found->to_number<std::int64_t>(failed);
  return failed ? 0 : number;
}

}  // namespace

std::string written(const Publication& publication) {
  std::string out = "{\"boot_id\":" + text::json_string(publication.boot_id) +
                    ",\"incarnation\":" + std::to_string(publication.incarnation) +
                    ",\"since_ms\":" + std::to_string(publication.since_ms);
  if (!publication.words.empty())
    out += ",\"why\":" + text::json_string(std::string_view(publication.words).substr(0, longest_words));
  if (!publication.outputs.empty()) {
    out += ",\"outputs\":{";
    for (const auto& [key, value] : publication.outputs) {
      if (out.back() != '{') out += ',';
      text::append_json_string(out, key);
      out += ':';
      text::append_json_string(out, value);
    }
    out += '}';
  }
  return out + "}";
}

Result<Publication> read_publication(std::string_view text) {
  if (text.size() > longest_publication) return std::unexpected(none_of_belfrys("it is longer than 64 KiB"));
  boost::system::error_code failed;
  json::parse_options options;
  options.max_depth = 4;
  const json::value whole = json::parse(text, failed, {}, options);
  if (failed || !whole.is_object()) return std::unexpected(none_of_belfrys("it is no JSON object"));
  const json::object& object = whole.get_object();
  Publication out{.boot_id = text_at(object, "boot_id"),
                  .incarnation = static_cast<std::uint64_t>(number_at(object, "incarnation")),
                  .since_ms = std::clamp<std::int64_t>(number_at(object, "since_ms"), 0, latest_ms),
                  .outputs = {},
                  .words = text_at(object, "why").substr(0, longest_words)};
  if (out.boot_id.empty()) return std::unexpected(none_of_belfrys("it says of no boot_id"));
  const json::value* outputs = object.if_contains("outputs");
  if (outputs == nullptr) return out;
  if (!outputs->is_object()) return std::unexpected(none_of_belfrys("its outputs are no object"));
  for (const auto& [key, value] : outputs->get_object()) {
    const bool is_good = config::is_output_key(key) && value.is_string() &&
                         value.get_string().size() <= config::longest_output_value &&
                         out.outputs.size() < config::most_outputs;
    if (!is_good) return std::unexpected(none_of_belfrys("its outputs are none: '" + std::string(key) + "'"));
    out.outputs.emplace_back(key, value.get_string());
  }
  return out;
}

}  // namespace belfry::daemon::cluster
