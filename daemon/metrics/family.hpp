// What a metric is called, what is said of it, and in which format it is written.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace belfry::daemon {

struct Family {
  enum class Type : std::uint8_t { gauge, counter, histogram };
  std::string_view name;
  Type type;
  std::string_view help;
};

struct Label {
  std::string_view name, value;
};

// Those of one series; refers to what it is made of.
class Labels {
 public:
  Labels() = default;
  Labels(std::initializer_list<Label> labels) : labels_(labels.begin(), labels.size()) {}
  Labels(std::span<const Label> labels) : labels_(labels) {}
  [[nodiscard]] auto begin() const { return labels_.begin(); }
  [[nodiscard]] auto end() const { return labels_.end(); }
  [[nodiscard]] bool empty() const { return labels_.empty(); }

 private:
  std::span<const Label> labels_;
};

enum class Exposition : std::uint8_t {
  text,          // Prometheus' text format 0.0.4
  open_metrics,  // OpenMetrics 1.0
};

}  // namespace belfry::daemon
