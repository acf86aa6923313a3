#include "daemon/http/api/cluster.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "channels/context.hpp"
#include "daemon/http/api/answer_form.hpp"
#include "daemon/http/api/api.hpp"
#include "daemon/http/wire/json_writer.hpp"
#include "text/escape.hpp"

namespace belfry::daemon::http {

namespace {

constexpr Duration patience_with_etcd = std::chrono::seconds(3);

WallTime at_ms(std::int64_t since_ms) { return WallTime(std::chrono::milliseconds(since_ms)); }

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

std::string whole_seconds(Duration span) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(span).count()) + "s";
}

void write_published(JsonWriter& json, const PublishedView& one) {
  std::string since;
  append_rfc3339(since, at_ms(one.since_ms));
  json.begin_object();
  json.key("service").string(one.service);
  json.key("host").string(one.host);
  json.key("generation");
  one.generation == 0 ? json.null() : json.number(one.generation);
  json.key("incarnation").number(static_cast<std::int64_t>(one.incarnation));
  json.key("since").string(since);
  json.key("boot_id").string(one.boot_id);
  json.key("outputs").begin_object();
  for (const auto& [key, value] : one.outputs) json.key(key).string(value);
  json.end_object();
  json.key("trouble").string_or_null(one.trouble);
  json.end_object();
}

void write_all(JsonWriter& json, std::string_view name, const std::vector<PublishedView>& all) {
  json.key(name).begin_array();
  for (const PublishedView& one : all) write_published(json, one);
  json.end_array();
}

void append_cell(std::string& line, std::string_view text, std::size_t width) {
  line += text;
  if (text.size() < width) line.append(width - text.size(), ' ');
  line += "  ";
}

using Row = std::array<std::string, 5>;

Row row_of(const PublishedView& one, WallTime now) {
  std::string outputs;
  for (const auto& [key, value] : one.outputs) {
    if (!outputs.empty()) outputs += ' ';
    outputs.append(key).append("=").append(value);
  }
  if (!one.trouble.empty()) outputs = one.trouble;
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(now - at_ms(one.since_ms));
  return {text::visible(one.service), text::visible(one.host),
          std::to_string(std::max<std::int64_t>(since.count(), 0)) + "s",
          one.generation == 0 ? "-" : std::to_string(one.generation), text::visible(outputs)};
}

// One table for all: this host's own are among the others' once they are there.
void append_table(std::string& out, const ClusterView& view, WallTime now) {
  std::vector<Row> rows{{"SERVICE", "HOST", "SINCE", "GENERATION", "OUTPUTS"}};
  for (const PublishedView& one : view.others) rows.push_back(row_of(one, now));
  for (const PublishedView& one : view.own) {
    const bool is_known = std::ranges::any_of(view.others, [&one](const PublishedView& other) {
      return other.service == one.service && other.host == one.host && other.boot_id == one.boot_id;
    });
    if (!is_known || !one.trouble.empty()) rows.push_back(row_of(one, now));
  }
  std::array<std::size_t, 5> widths{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i + 1 < row.size(); ++i) append_cell(line, row[i], widths[i]);
    line += row.back();
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  if (rows.size() == 1) out += "nobody publishes anything\n";
}

}  // namespace

Response show_cluster(const ClusterView& view) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("name").string(view.name);
  json.key("host").string(view.host);
  json.key("boot_id").string(view.boot_id);
  json.key("etcd").begin_object();
  json.key("member").string_or_null(view.member);
  json.key("version").string_or_null(view.version);
  json.key("cluster_id").string_or_null(view.id);
  json.key("revision").number(view.revision);
  json.key("trouble").string_or_null(view.trouble);
  json.end_object();
  json.key("remarks").begin_array();
  for (const std::string& remark : view.remarks) json.string(remark);
  json.end_array();
  json.key("watching").boolean(view.watching);
  json.key("known_for_ms").number(static_cast<std::int64_t>(seconds(view.known_for) * 1000));
  json.key("lease");
  if (view.lease == 0) {
    json.null();
  } else {
    json.begin_object();
    json.key("age_ms").number(static_cast<std::int64_t>(seconds(view.lease_age) * 1000));
    json.key("left_ms").number(static_cast<std::int64_t>(seconds(view.lease_left) * 1000));
    json.end_object();
  }
  json.key("watch_lag_ms").number(static_cast<std::int64_t>(seconds(view.watch_lag) * 1000));
  json.key("restarts").begin_array();
  for (const LeaveView& one : view.restarts) {
    json.begin_object();
    json.key("service").string(one.service);
    json.key("waits_for").string_or_null(one.waits_for);
    json.end_object();
  }
  json.end_array();
  write_all(json, "own", view.own);
  write_all(json, "published", view.others);
  json.end_object();
  body += '\n';
  return http::json(200, std::move(body));
}

Response show_cluster_as_text(const ClusterView& view, WallClock& clock) {
  std::string out =
      "cluster " + text::visible(view.name) + ", this host is " + text::visible(view.host) + "; ";
  if (!view.trouble.empty())
    out += "etcd cannot be asked: " + text::visible(view.trouble) + "\n";
  else if (view.member.empty())
    out += "etcd has not been asked yet\n";
  else
    out += "etcd " + text::visible(view.version) + " at " + text::visible(view.member) + ", revision " +
           std::to_string(view.revision) + "\n";
  if (view.lease != 0)
    out += "the lease was renewed " + whole_seconds(view.lease_age) + " ago, and lasts " +
           whole_seconds(std::max(view.lease_left, Duration(0))) + " more\n";
  for (const LeaveView& one : view.restarts)
    out += text::visible(one.service) +
           (one.waits_for.empty() ? " restarts here, and others wait with theirs\n"
                                  : " does not restart yet: " + text::visible(one.waits_for) + "\n");
  for (const std::string& remark : view.remarks) out += "note: " + text::visible(remark) + "\n";
  out += "\n";
  append_table(out, view, clock.now());
  return http::text(200, std::move(out));
}

Understood Api::understand_cluster(const Request& request, std::string_view query, const Asker& asker) const {
  if (cluster_ == nullptr)
    return problem(404,
                   "cannot show a cluster: the file has none, this host is alone (cluster: {etcd: [...]})");
  const auto as_text = wants_text(request, query);
  if (!as_text) return problem(400, "cannot understand the query: `format` is text or json");
  return ShowCluster{.as_text = *as_text, .in_public = !asker.sees_everything()};
}

Task<Response> Api::perform(Context& ctx, ShowCluster show) {
  Context soon = within(ctx, patience_with_etcd);
  const Result<void> read = co_await cluster_->refresh(soon);
  ClusterView view = cluster_->cluster();
  if (!read && view.trouble.empty()) view.trouble = read.error().text();
  if (show.in_public) {
    view.remarks.clear();
    view.boot_id.clear();
    if (!view.trouble.empty()) view.trouble = "etcd does not answer";
    for (LeaveView& one : view.restarts)
      if (!one.waits_for.empty()) one.waits_for = "other hosts";
    for (auto* all : {&view.own, &view.others})
      for (PublishedView& one : *all) {
        one.outputs.clear();
        one.boot_id.clear();
        one.trouble.clear();
      }
  }
  co_return show.as_text ? show_cluster_as_text(view, clock_) : show_cluster(view);
}

}  // namespace belfry::daemon::http
