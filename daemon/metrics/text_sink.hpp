// Families and values as Prometheus' text format 0.0.4, appended to one buffer.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/metrics/family.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon {

// Escapes a label's value as the text format asks: backslash, quote and newline.
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

// Writes the text format. The label block of a service is escaped once a scrape, not once a series.
class TextSink {
 public:
  TextSink(std::string& out, std::span<const std::string_view> services) : out_(out) {
    service_labels_.reserve(services.size());
    for (const std::string_view service : services) {
      std::string& labels = service_labels_.emplace_back("service=\"");
      append_label_value(labels, service);
      labels += '"';
    }
  }

  void family(const Family& family) {
    constexpr std::string_view type_names[] = {"gauge", "counter", "histogram"};
    current_ = family.name;
    ((((out_ += "# HELP ") += family.name) += ' ') += family.help) += "\n# TYPE ";
    ((out_ += family.name) += ' ') += type_names[static_cast<std::size_t>(family.type)];
    out_ += '\n';
  }
  void value(std::optional<std::size_t> service, Labels labels, double value) {
    begin_series({}, service, labels);
    end_series(value);
  }
  void histogram(std::size_t service, const DurationHistogram& histogram) {
    for (std::size_t i = 0; i < std::size(DurationHistogram::bounds); ++i) {
      begin_series("_bucket", service, {{"le", bound_texts()[i]}});
      end_series(histogram.buckets[i]);
    }
    begin_series("_bucket", service, {{"le", "+Inf"}});
    end_series(histogram.count);
    begin_series("_sum", service, {});
    end_series(histogram.sum);
    begin_series("_count", service, {});
    end_series(histogram.count);
  }

 private:
  static const std::vector<std::string>& bound_texts() {
    static const std::vector<std::string> texts = [] {
      std::vector<std::string> made;
      for (const double bound : DurationHistogram::bounds) append_double(made.emplace_back(), bound);
      return made;
    }();
    return texts;
  }

  static void append_double(std::string& out, double value) {
    char digits[32];
    // Counters and flags are whole numbers, and whole numbers are four times as fast to write.
    const bool whole = value >= 0 && value < 1e15 && value == std::floor(value);
    const auto end =
        whole ? std::to_chars(std::begin(digits), std::end(digits), static_cast<std::uint64_t>(value))
              : std::to_chars(std::begin(digits), std::end(digits), value);
    out.append(digits, end.ptr);
  }

  void begin_series(std::string_view suffix, std::optional<std::size_t> service, Labels labels) {
    (out_ += current_) += suffix;
    char opening = '{';
    if (service) {
      (out_ += opening) += service_labels_[*service];
      opening = ',';
    }
    for (const Label& label : labels) {
      ((out_ += opening) += label.name) += "=\"";
      append_label_value(out_, label.value);
      out_ += '"';
      opening = ',';
    }
    if (opening == ',') out_ += '}';
    out_ += ' ';
  }
  void end_series(double value) {
    append_double(out_, value);
    out_ += '\n';
  }

  std::string& out_;
  std::string_view current_;
  std::vector<std::string> service_labels_;
};

}  // namespace belfry::daemon
