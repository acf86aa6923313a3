#include "cli/frozen_page.hpp"

#include <algorithm>
#include <utility>

#include "cli/locate.hpp"
#include "cli/stream_follower.hpp"
#include "client/events.hpp"
#include "client/json.hpp"
#include "dashboard/page.hpp"
#include "system/gzip.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

// Of each service its page: of many the first ones, so that the file stays one that can be sent.
constexpr std::size_t most_services = 500;
constexpr std::size_t most_lines = 200, least_lines = 10, most_lines_in_all = 8000;

// A JSON object of answers by the path that was asked.
class Answers {
 public:
  explicit Answers(client::Client& client) : client_(client) {}

  // What the page asks as `path`, asked as `target`. The body.
  Expected<std::string> take(const std::string& path, const std::string& target) {
    auto reply = client_.request("GET", target);
    if (!reply) return std::unexpected(reply.error());
    if (reply->status != 200) return std::unexpected(refused(reply->status, detail_of(*reply)));
    out_ += out_.empty() ? "" : ",";
    text::append_json_string(out_, path);
    (out_ += ':') += reply->body;
    return std::move(reply->body);
  }
  Expected<std::string> take(const std::string& path) { return take(path, path); }

  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  client::Client& client_;
  std::string out_;
};

Expected<void> take_events(Answers& answers) {
  std::string path = "/v1/events";
  for (std::int64_t since = 0;;) {
    const auto body = answers.take(path);
    if (!body) return std::unexpected(body.error());
    const auto page = client::read_event_page(*body);
    if (!page || !page->more || page->since <= since || page->events.empty()) return {};
    since = page->since;
    path = "/v1/events?since=" + std::to_string(since);
  }
}

Expected<void> take_all(Answers& answers) {
  const auto services = answers.take("/v1/services");
  if (!services) return std::unexpected(services.error());
  for (const char* path : {"/v1/timeline", "/v1/why"}) {
    if (const auto taken = answers.take(path); !taken) return std::unexpected(taken.error());
  }
  if (auto taken = take_events(answers); !taken) return taken;
  const client::StackStatus status = client::read_status(*services).value_or(client::StackStatus());
  for (std::size_t i = 0; i < std::min(status.services.size(), most_services); ++i) {
    const std::string name = client::encoded(status.services[i].name);
    for (const char* about : {"/v1/services/", "/v1/why/"}) {
      if (const auto taken = answers.take(about + name); !taken) return std::unexpected(taken.error());
    }
  }
  // Last, because a connection ends with lines of logs.
  const std::size_t each =
      std::clamp(most_lines_in_all / (status.services.size() + 1), least_lines, most_lines);
  if (const auto lines = answers.take("/v1/logs", "/v1/logs?n=" + std::to_string(each)); !lines)
    return std::unexpected(lines.error());
  return {};
}

// Within <script> only a "<" could end it. In JSON it stands in strings alone, where it may be written so.
std::string without_angles(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  }
  return safe;
}

}  // namespace

Expected<std::string> frozen_page(client::Client& client) {
  Answers answers(client);
  if (auto taken = take_all(answers); !taken) return std::unexpected(taken.error());
  std::string page = system::gunzip(dashboard::packed_page);
  constexpr std::string_view place = "<!--frozen-->";
  const auto at = page.find(place);
  if (at == std::string::npos)
    return std::unexpected(
        Failure{exit_code::internal, "cannot freeze the dashboard: it has no place for that", ""});
  const std::string data = R"({"answers":{)" + answers.text() + "}}";
  page.replace(at, place.size(),
               R"(<script type="application/json" id="frozen">)" + without_angles(data) + "</script>");
  return page;
}

}  // namespace belfry::cli
