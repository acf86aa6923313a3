// Files of `[sections]` with lines of `key=value`: unit files of systemd and configurations of supervisord.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document/diagnostic.hpp"

namespace belfry::config {

struct Setting {
  std::string key, value;
  Span at;  // the key
};
struct Section {
  std::string name;
  Span at;
  std::vector<Setting> settings;
};

// How lines go on and what a comment is.
enum class SectionStyle : std::uint8_t {
  unit,       // a backslash at its end joins a line with the next; comments are lines of their own
  configured  // indented lines go on; ` ;` and ` #` begin a comment, keys are in lower case, `:` is `=`
};

// Adds `text` to the sources without its byte order mark. Nothing if it is not text; that is an error then.
[[nodiscard]] std::optional<std::uint32_t> add_text(Diagnostics& diagnostics, std::string file_name,
                                                    std::string_view text);

// The sections of the source `file` as they are written; those of one name are not merged. What is not of the
// form is a warning and passed over. A file has 100 000 settings at most: more are an error.
[[nodiscard]] std::vector<Section> read_sections(Diagnostics& diagnostics, std::uint32_t file,
                                                 SectionStyle style);

// Without blanks at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace belfry::config
