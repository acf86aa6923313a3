#include "report/trace.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string_view>

#include "report/incarnations.hpp"
#include "text/escape.hpp"

namespace belfry::report {

namespace {

enum class Status : std::uint8_t { unset, ok, error };  // as opentelemetry.proto.trace.v1.Status counts

// FNV-1a. An id of zeros would be none.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  std::uint64_t value = 0xCBF29CE484222325U ^ seed;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return value == 0 ? 1 : value;
}

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

class Trace {
 public:
  explicit Trace(const Run& run) : run_(run), all_(incarnations_of(run)), of_service_(run.services.size()) {
    end_ = run.up.value_or(Duration{0});
    for (std::size_t i = 0; i < run.services.size(); ++i) numbers_[run.services[i].name] = i;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      of_service_[all_[i].service].push_back(i);
      if (is_of_start(all_[i])) end_ = std::max(end_, end_of(all_[i]));
    }
  }

  std::string write() {
    out_ = R"({"resourceSpans":[{"resource":{"attributes":[)";
    attribute("service.name", run_.stack);
    out_ += R"(]},"scopeSpans":[{"scope":{"name":"belfry","version":)";
    text::append_json_string(out_, run_.version);
    out_ += R"(},"spans":[)";
    whole();
    for (std::size_t i = 0; i < all_.size(); ++i) incarnation(i);
    return out_ + "]}]}]}\n";
  }

 private:
  [[nodiscard]] bool is_of_start(const Incarnation& one) const { return !run_.up || one.begin() <= *run_.up; }
  [[nodiscard]] Duration end_of(const Incarnation& one) const {
    return std::max(one.begin(), one.ready ? *one.ready : one.ended.value_or(run_.until));
  }
  // Of what its span is about: the whole, or an incarnation.
  [[nodiscard]] std::string key_of(std::size_t i) const {
    return run_.services[all_[i].service].name + "#" + std::to_string(i);
  }
  [[nodiscard]] std::string span_id(const std::string& key) const { return hex(hash_of(key, run_.id)); }
  [[nodiscard]] std::string trace_id(std::size_t i) const {
    return is_of_start(all_[i]) ? trace_of_start()
                                : hex(hash_of(key_of(i) + "trace", run_.id)) + hex(run_.id);
  }
  [[nodiscard]] std::string trace_of_start() const {
    if (!run_.parent_trace.empty()) return run_.parent_trace;
    return hex(hash_of(run_.stack, run_.id)) + hex(run_.id);
  }

  void separate() {
    if (!out_.ends_with('[')) out_ += ',';
  }
  void key(std::string_view name) {
    separate();
    out_ += R"({"key":)";
    text::append_json_string(out_, name);
    out_ += R"(,"value":{)";
  }
  void attribute(std::string_view name, std::string_view value) {
    key(name);
    out_ += R"("stringValue":)";
    text::append_json_string(out_, value);
    out_ += "}}";
  }
  // 64-bit numbers are strings in proto3's JSON.
  void attribute(std::string_view name, std::int64_t value) {
    key(name);
    out_ += R"("intValue":")" + std::to_string(value) + "\"}}";
  }
  [[nodiscard]] std::string nanoseconds(Duration at) const {
    return "\"" + std::to_string(run_.begun_ns + at.count()) + "\"";
  }

  struct Span {
    std::string trace, id, parent;  // no parent: empty
    std::string name;
    Duration begin{0}, end{0};
  };
  // Up to its attributes.
  void open(const Span& span) {
    separate();
    out_ += R"({"traceId":")" + span.trace + R"(","spanId":")" + span.id + "\"";
    if (!span.parent.empty()) out_ += R"(,"parentSpanId":")" + span.parent + "\"";
    out_ += R"(,"name":)";
    text::append_json_string(out_, span.name);
    out_ += R"(,"kind":1,"startTimeUnixNano":)" + nanoseconds(span.begin) + R"(,"endTimeUnixNano":)" +
            nanoseconds(std::max(span.begin, span.end)) + R"(,"attributes":[)";
  }
  void close(Status status, std::string_view message) {
    out_ += R"(,"status":{)";
    if (status != Status::unset) out_ += "\"code\":" + std::to_string(static_cast<int>(status));
    if (status == Status::error && !message.empty())
      text::append_json_string(out_ += ",\"message\":", message);
    out_ += "}}";
  }

  void whole() {
    open({.trace = trace_of_start(),
          .id = span_id(""),
          .parent = run_.parent_span,
          .name = "start of " + run_.stack,
          .begin = Duration{0},
          .end = end_});
    attribute("belfry.services", static_cast<std::int64_t>(run_.services.size()));
    out_ += R"(],"events":[)";
    if (run_.up) out_ += R"({"timeUnixNano":)" + nanoseconds(*run_.up) + R"(,"name":"up"})";
    out_ += ']';
    const bool has_failed = !run_.up && run_.outcome == Outcome::bad;
    close(run_.up ? Status::ok : has_failed ? Status::error : Status::unset, run_.headline);
  }

  void incarnation(std::size_t i) {
    const Incarnation& one = all_[i];
    const Service& service = run_.services[one.service];
    const std::string key = key_of(i);
    open({.trace = trace_id(i),
          .id = span_id(key),
          .parent = is_of_start(one) ? span_id("") : "",
          .name = service.name,
          .begin = one.begin(),
          .end = end_of(one)});
    attribute("belfry.service", service.name);
    attribute("belfry.type", service.type);
    if (one.number != 0) attribute("belfry.incarnation", one.number);
    attribute("belfry.result", one.ready            ? "ready"
                               : one.result.empty() ? "unfinished"
                                                    : std::string_view(one.result));
    out_ += "],\"links\":[";
    links(one);
    out_ += ']';
    const bool has_failed = one.ended && !one.has_succeeded();
    close(one.has_succeeded() ? Status::ok : has_failed ? Status::error : Status::unset, one.cause);
    const std::array<std::optional<Duration>, 4> moments = {one.waiting, one.starting, one.started,
                                                            one.ready ? one.ready : one.ended};
    constexpr std::array<std::string_view, 3> phases = {"waiting for dependencies", "starting",
                                                        "until ready"};
    for (std::size_t n = 0; n < phases.size(); ++n) phase(i, phases[n], moments, n);
  }

  // From its moment to the next one that was reached.
  void phase(std::size_t i, std::string_view name, const std::array<std::optional<Duration>, 4>& moments,
             std::size_t n) {
    if (!moments[n]) return;
    if (n == 0 && run_.services[all_[i].service].edges.empty()) return;
    Duration end = end_of(all_[i]);
    for (std::size_t next = n + 1; next < moments.size(); ++next) {
      if (!moments[next]) continue;
      end = *moments[next];
      break;
    }
    const std::string key = key_of(i);
    open({.trace = trace_id(i),
          .id = span_id(key + std::string(name)),
          .parent = span_id(key),
          .name = std::string(name),
          .begin = *moments[n],
          .end = end});
    out_ += ']';
    close(Status::unset, {});
  }

  // To the last incarnation of each that it has waited for, of those that were before it began.
  void links(const Incarnation& one) {
    if (!one.starting) return;
    for (const Edge& edge : run_.services[one.service].edges) {
      const auto on = numbers_.find(edge.on);
      if (on == numbers_.end()) continue;
      const std::vector<std::size_t>& candidates = of_service_[on->second];
      const auto behind = std::ranges::find_if(
          candidates, [&](std::size_t i) { return all_[i].starting.value_or(run_.until) > *one.starting; });
      if (behind == candidates.begin()) continue;
      const std::size_t target = *std::prev(behind);
      separate();
      out_ += R"({"traceId":")" + trace_id(target) + R"(","spanId":")" + span_id(key_of(target)) +
              R"(","attributes":[)";
      attribute("belfry.condition", edge.condition);
      out_ += "]}";
    }
  }

  const Run& run_;
  std::vector<Incarnation> all_;
  std::vector<std::vector<std::size_t>> of_service_;  // of each service, in their order
  std::map<std::string_view, std::size_t> numbers_;
  Duration end_{0};  // of the start
  std::string out_;
};

}  // namespace

std::string otlp_json(const Run& run) { return Trace(run).write(); }

}  // namespace belfry::report
