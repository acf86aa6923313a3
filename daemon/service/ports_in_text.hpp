// Port numbers in what a program says of an address. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace belfry::daemon {

// Those of the addresses in a line, in their order, each once: "0.0.0.0:80", ":::3000", "[::]:443", "*:6379",
// "('127.0.0.1', 8000)", "port 5432", "port: 3306". Times of day, line numbers and error codes are none.
[[nodiscard]] std::vector<std::uint16_t> ports_in(std::string_view line);

}  // namespace belfry::daemon
