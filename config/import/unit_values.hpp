// The small languages in the values of unit files, and what belfry calls the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::config {

// `1`, `yes`, `y`, `true`, `t`, `on` and their opposites.
[[nodiscard]] std::optional<bool> unit_boolean(std::string_view text);

// `5`, `1min 30s`, `500ms`, `infinity`: empty where it never ends.
struct TimeSpan {
  std::string duration;  // as belfry reads it; "0s" for none
  double seconds = 0;    // infinity where it never ends
};
[[nodiscard]] std::optional<TimeSpan> unit_time(std::string_view text);

// Decimal digits only, and not beyond `most`.
[[nodiscard]] std::optional<std::int64_t> unit_number(std::string_view text, std::int64_t least,
                                                      std::int64_t most);
// `512M` as bytes; nothing for a share of the machine.
[[nodiscard]] std::optional<std::uint64_t> unit_size(std::string_view text);
// `536870912` as `512MiB`, so far as it is whole.
[[nodiscard]] std::string size_text(std::uint64_t bytes);
// `150%` as `1.5`.
[[nodiscard]] std::optional<std::string> unit_share(std::string_view text);
// `022` as "022" in quotes: octal digits up to 0777.
[[nodiscard]] std::optional<std::string> unit_mode(std::string_view text);
// An exit code by number or by its name in systemd.exec(5): `TEMPFAIL` is 75.
[[nodiscard]] std::optional<int> unit_exit_code(std::string_view text);
// `SIGTERM` for `TERM`, `SIGTERM` and `15`.
[[nodiscard]] std::optional<std::string> unit_signal(std::string_view text);

// `127.0.0.1:80`, `[::1]:80`, `localhost:80`, `*:80`: what a socket can be bound to without asking for a
// name.
[[nodiscard]] bool is_own_address(std::string_view text);

// Words separated by blanks; quotes and escapes as systemd.syntax(7) has them. `unclosed` is set for a quote
// that nothing ends.
[[nodiscard]] std::vector<std::string> unit_words(std::string_view text, bool& unclosed);
[[nodiscard]] std::vector<std::string> unit_words(std::string_view text);

}  // namespace belfry::config
