// Lines of services as a person reads them: the names below each other, each in its colour.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/table.hpp"
#include "client/log_lines.hpp"

namespace belfry::cli {

// Owner: a command. Lifecycle: no state but the names.
class LogLineFormat {
 public:
  struct Style {
    bool colour = false;
    bool timestamps = false;
  };
  explicit LogLineFormat(Style style) : style_(style) {}

  // Whose lines there will be: so wide are their names, and so many colours are used.
  void set_names(const std::vector<std::string>& names);
  // "db  | listening on 5432", with its end. What a terminal would obey is not in it, but for colours where
  // they are welcome.
  [[nodiscard]] std::string line(const client::LogLine& line) const;
  [[nodiscard]] std::string missed(const client::MissedLines& missed) const;

 private:
  [[nodiscard]] std::string head(std::string_view service) const;

  Style style_;
  std::size_t width_ = 0;
  std::map<std::string, Colour, std::less<>> colours_;
};

}  // namespace belfry::cli
