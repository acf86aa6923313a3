// CRC-32C (Castagnoli; RFC 3720, appendix B.4): tells a line that was written whole from any other.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace belfry::daemon {

namespace detail {

constexpr std::array<std::uint32_t, 256> crc32c_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1U) != 0 ? (value >> 1U) ^ 0x82F63B78U : value >> 1U;
    table[i] = value;
  }
  return table;
}

}  // namespace detail

[[nodiscard]] constexpr std::uint32_t crc32c(std::string_view bytes) {
  constexpr std::array<std::uint32_t, 256> table = detail::crc32c_table();
  std::uint32_t value = ~0U;
  for (const char c : bytes) value = table[(value ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (value >> 8U);
  return ~value;
}
static_assert(crc32c("123456789") == 0xE3069283U);

}  // namespace belfry::daemon
