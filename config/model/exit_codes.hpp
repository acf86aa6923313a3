// What the command line leaves with: sysexits(3), and what timeout(1) and shells do.
#pragma once

namespace belfry::cli::exit_code {

inline constexpr int ok = 0;
inline constexpr int usage = 64;
inline constexpr int bad_config = 65;
inline constexpr int no_input = 66;
inline constexpr int unavailable = 69;
inline constexpr int internal = 70;
inline constexpr int os_error = 71;
inline constexpr int not_permitted = 77;
inline constexpr int timed_out = 124;

}  // namespace belfry::cli::exit_code
