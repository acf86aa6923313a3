// Frames of HTTP/2 as a server of gRPC sends them, written by hand: header fields are literals without
// compression (RFC 9113, 4.1; RFC 7541, 6.2.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace belfry::test {

inline std::string big_endian(std::size_t value, unsigned bytes) {
  std::string out;
  for (unsigned shift = bytes * 8; shift > 0; shift -= 8)
    out += static_cast<char>(value >> (shift - 8U) & 0xFFU);
  return out;
}

inline std::string http2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                               std::string_view payload) {
  return big_endian(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         big_endian(stream, 4) + std::string(payload);
}

constexpr std::uint8_t end_stream = 1;
constexpr std::uint8_t end_headers = 4;

using HeaderFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline std::string literals(HeaderFields fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    block += static_cast<char>(name.size());
    block += name;
    block += static_cast<char>(value.size());  // below 127 here
    block += value;
  }
  return block;
}

inline std::string settings() { return http2_frame(4, 0, 0, ""); }
inline std::string ping() { return http2_frame(6, 0, 0, "12345678"); }
inline std::string headers(HeaderFields fields, std::uint8_t flags = 0) {
  return http2_frame(1, end_headers | flags, 1, literals(fields));
}
inline std::string data_frame(std::string_view bytes, std::uint8_t flags = 0) {
  return http2_frame(0, flags, 1, bytes);
}
inline std::string good_headers() {
  return headers({{":status", "200"}, {"content-type", "application/grpc"}});
}
inline std::string trailers(std::string_view status, std::string_view message = "") {
  if (message.empty()) return headers({{"grpc-status", status}}, end_stream);
  return headers({{"grpc-status", status}, {"grpc-message", message}}, end_stream);
}
inline std::string trailers_only(std::string_view status, std::string_view message) {
  return headers({{":status", "200"},
                  {"content-type", "application/grpc"},
                  {"grpc-status", status},
                  {"grpc-message", message}},
                 end_stream);
}
// Behind its prefix.
inline std::string grpc_message(std::string_view message, bool compressed = false) {
  return std::string(1, compressed ? '\1' : '\0') + big_endian(message.size(), 4) + std::string(message);
}
inline std::string health_answer(std::string_view message) {
  return settings() + good_headers() + data_frame(grpc_message(message)) + trailers("0");
}

}  // namespace belfry::test
