// Families and values as text for Prometheus, appended to one buffer: the text format 0.0.4, or OpenMetrics
// 1.0 (prometheus.io/docs/specs/om/open_metrics_spec), which wants counters declared without "_total".
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/metrics/family.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon {

// Escapes a label's value as both formats ask: backslash, quote and newline.
inline void append_label_value(std::string& out, std::string_view value) {
  if (value.find_first_of("\\\"\n") == std::string_view::npos) {
    out += value;
    return;
  }
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || c == '"') out += '\\';
      out += c;
    }
  }
}

// Writes one exposition, or a part of it; what comes after it is appended once it has gone.
//
// There are tens of thousands of series in a large stack. So room is made once for each, its parts are copied
// without asking again, and the label block of a service is escaped once a scrape.
class TextSink {
 public:
  TextSink(std::string& out, Exposition exposition, std::span<const std::string_view> services = {})
      : out_(out), exposition_(exposition), size_(out.size()) {
    service_labels_.reserve(services.size());
    for (const std::string_view service : services) {
      std::string& labels = service_labels_.emplace_back("{service=\"");
      append_label_value(labels, service);
      labels += '"';
    }
  }
  ~TextSink() { out_.resize(size_); }
  TextSink(const TextSink&) = delete;
  TextSink& operator=(const TextSink&) = delete;

  void family(const Family& family) {
    constexpr std::string_view type_names[] = {"gauge", "counter", "histogram"};
    current_ = family.name;
    std::string_view declared = family.name;
    if (exposition_ == Exposition::open_metrics && family.type == Family::Type::counter)
      declared.remove_suffix(std::string_view("_total").size());
    make_room(2 * declared.size() + family.help.size() + 40);
    put("# HELP ", declared, " ", family.help, "\n# TYPE ", declared, " ");
    put(type_names[static_cast<std::size_t>(family.type)], "\n");
  }
  void value(std::optional<std::size_t> service, Labels labels, double value) {
    begin_series({}, service, labels);
    end_series(value);
  }
  void histogram(std::optional<std::size_t> service, Labels labels, const HistogramView& histogram) {
    const std::size_t begin = size_;
    begin_bucket(service, labels);
    const std::size_t length = size_ - begin;
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
      end_bucket(histogram.bounds.texts[i], histogram.buckets[i]);
      repeat(begin, length);
    }
    end_bucket("+Inf", histogram.count);
    sum_and_count(service, labels, histogram.sum, histogram.count);
  }
  // The parts of a histogram whose bounds are not known beforehand.
  void bucket(std::optional<std::size_t> service, Labels labels, std::string_view bound, double count) {
    begin_bucket(service, labels);
    end_bucket(bound, count);
  }
  void sum_and_count(std::optional<std::size_t> service, Labels labels, double sum, double count) {
    begin_series("_sum", service, labels);
    end_series(sum);
    begin_series("_count", service, labels);
    end_series(count);
  }

 private:
  static constexpr std::size_t longest_number = 32;
  static constexpr std::size_t room_of_an_end = longest_number + 16;

  void make_room(std::size_t bytes) {
    if (out_.size() - size_ >= bytes) return;
    const std::size_t wanted = std::max(size_ + bytes, 2 * out_.size());
    out_.resize_and_overwrite(std::max(wanted, out_.capacity()), [](char*, std::size_t n) { return n; });
  }
  template <class... Parts>
  void put(Parts... parts) {
    (put_one(parts), ...);
  }
  void put_one(std::string_view part) {
    std::memcpy(out_.data() + size_, part.data(), part.size());
    size_ += part.size();
  }

  // All of a series' name and labels but what ends them: "}" or a bound.
  void begin_labels(std::string_view suffix, std::optional<std::size_t> service, const Labels& labels) {
    const std::string_view first = service ? std::string_view(service_labels_[*service]) : "";
    std::size_t room = current_.size() + suffix.size() + first.size() + room_of_an_end;
    for (const Label& label : labels) room += label.name.size() + 2 * label.value.size() + 4;
    make_room(room);
    put(current_, suffix, first);
    std::string_view separator = service ? "," : "{";
    for (const Label& label : labels) {
      put(separator, label.name, "=\"");
      put_escaped(label.value);
      put("\"");
      separator = ",";
    }
  }
  void begin_series(std::string_view suffix, std::optional<std::size_t> service, const Labels& labels) {
    begin_labels(suffix, service, labels);
    put(service || !labels.empty() ? "} " : " ");
  }
  void begin_bucket(std::optional<std::size_t> service, const Labels& labels) {
    begin_labels("_bucket", service, labels);
    put(service || !labels.empty() ? ",le=\"" : "{le=\"");
  }
  void end_bucket(std::string_view bound, double count) {
    make_room(bound.size() + room_of_an_end);
    put(bound, "\"} ");
    end_series(count);
  }
  // The buckets of a histogram begin with the same words, and most series of a scrape are buckets.
  void repeat(std::size_t begin, std::size_t length) {
    make_room(length);
    std::memcpy(out_.data() + size_, out_.data() + begin, length);
    size_ += length;
  }
  void put_escaped(std::string_view value) {
    if (value.find_first_of("\\\"\n") == std::string_view::npos) return put_one(value);
    std::string escaped;
    append_label_value(escaped, value);
    put_one(escaped);
  }
  // Counters and flags are whole numbers, and whole numbers are four times as fast to write.
  void end_series(double value) {
    char* const begin = out_.data() + size_;
    const bool is_whole = value >= 0 && value < 1e15 && value == std::floor(value);
    const auto end = is_whole
                         ? std::to_chars(begin, begin + longest_number, static_cast<std::uint64_t>(value))
                         : std::to_chars(begin, begin + longest_number, value);
    *end.ptr = '\n';
    size_ = static_cast<std::size_t>(end.ptr + 1 - out_.data());
  }

  std::string& out_;  // its size is the room that there is, until the end
  Exposition exposition_;
  std::size_t size_;  // how much of it has been written
  std::string_view current_;
  std::vector<std::string> service_labels_;
};

}  // namespace belfry::daemon
