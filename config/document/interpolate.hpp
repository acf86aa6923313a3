// Variables in texts, with the syntax of compose files.
//
//   $NAME ${NAME}                   the value; unset: empty, with a warning
//   ${NAME:-x} ${NAME-x}            x when unset or empty / when unset
//   ${NAME:?x} ${NAME?x}            an error with the message x when unset or empty / when unset
//   ${NAME:+x} ${NAME+x}            x when set and not empty / when set, else empty
//   $$                              one $
//   ${SERVICE.KEY}                  an output of a service: no variable has a dot in its name
// x may contain variables again. A `$` before anything else stands for itself, as in a shell.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::config {

using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

// What becomes of `${SERVICE.KEY}`. Both empty: there are no outputs here, and it is a fault.
struct OutputLookup {
  std::function<bool(std::string_view service)> is_service;
  // What stands in the place of the reference, which is `length` bytes at `offset`.
  std::function<std::string(std::string_view service, std::string_view key, std::size_t offset,
                            std::size_t length)>
      refer;
};

struct VariableFault {
  enum class Kind : std::uint8_t { unset, needed, malformed, too_long };
  std::size_t offset = 0;  // in the text before interpolation
  std::size_t length = 0;
  bool error = true;  // false: a warning
  std::string message;
  std::string help;
  Kind kind = Kind::malformed;
};

// `text` with its variables replaced; what is wrong is appended to `faults`.
[[nodiscard]] std::string interpolate(std::string_view text, const Lookup& lookup,
                                      std::vector<VariableFault>& faults, const OutputLookup& outputs = {});

// Whether `name` may be the name of a variable: a letter or `_`, then letters, digits and `_`.
[[nodiscard]] bool is_variable_name(std::string_view name);

}  // namespace belfry::config
