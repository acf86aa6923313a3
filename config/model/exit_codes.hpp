// What belfry exits with: sysexits(3), and what timeout(1) and shells do.
#pragma once

namespace belfry::exit_code {

inline constexpr int ok = 0;
inline constexpr int usage = 64;
inline constexpr int bad_config = 65;
inline constexpr int no_input = 66;
inline constexpr int unavailable = 69;
inline constexpr int internal = 70;
inline constexpr int os_error = 71;
inline constexpr int not_permitted = 77;
inline constexpr int timed_out = 124;
inline constexpr int not_executable = 126;
inline constexpr int not_found = 127;
inline constexpr int by_signal = 128;  // and the number of the signal

}  // namespace belfry::exit_code
