#include "probes/protocols/grpc_message.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace belfry::probes {

namespace {

constexpr std::size_t prefix = 5;  // compressed or not, and the length in four bytes

void append_varint(std::string& to, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7U) to += static_cast<char>((number & 0x7FU) | 0x80U);
  to += static_cast<char>(number);
}

// Cuts off what it reads. Empty, and false: the message is not well-formed.
std::optional<std::uint64_t> take_varint(std::string_view& message) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !message.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(message.front());
    message.remove_prefix(1);
    if (shift == 63 && byte > 1) return std::nullopt;
    number |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

bool skip(std::string_view& message, std::uint64_t bytes) {
  if (message.size() < bytes) return false;
  message.remove_prefix(static_cast<std::size_t>(bytes));
  return true;
}

// By its wire type. Groups (3 and 4) have been gone since before gRPC.
bool skip_field(std::string_view& message, std::uint64_t wire_type) {
  switch (wire_type) {
    case 0: return take_varint(message).has_value();
    case 1: return skip(message, 8);
    case 2: {
      const auto length = take_varint(message);
      return length && skip(message, *length);
    }
    case 5: return skip(message, 4);
    default: return false;
  }
}

// A field that is not there has the value 0; of one that is there twice, the last counts.
std::optional<std::uint64_t> read_response(std::string_view message) {
  std::uint64_t status = 0;
  while (!message.empty()) {
    const auto key = take_varint(message);
    if (!key || *key >> 3U == 0 || *key >> 32U != 0) return std::nullopt;
    if (*key == (1U << 3U | 0U)) {
      const auto value = take_varint(message);
      if (!value) return std::nullopt;
      status = *value;
    } else if (*key >> 3U == 1 || !skip_field(message, *key & 7U)) {
      return std::nullopt;
    }
  }
  return status;
}

}  // namespace

std::string health_request(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message += '\x0A';  // field 1, a length and so many bytes
    append_varint(message, service.size());
    message += service;
  }
  std::string body(1, '\0');
  for (unsigned shift = 32; shift > 0; shift -= 8)
    body += static_cast<char>(message.size() >> (shift - 8U) & 0xFFU);
  return body + message;
}

Result<std::uint64_t> health_status(std::string_view body) {
  if (body.size() < prefix) return std::unexpected(Error::failed("the answer has no message"));
  if (body.front() != '\0')
    return std::unexpected(Error::failed("the answer is compressed, which nobody asked for"));
  std::uint64_t length = 0;
  for (const char byte : body.substr(1, prefix - 1)) length = length << 8U | static_cast<unsigned char>(byte);
  if (length != body.size() - prefix)
    return std::unexpected(Error::failed("the answer is not one message: its length is " +
                                         std::to_string(length) + ", and " +
                                         std::to_string(body.size() - prefix) + " bytes have come"));
  const auto status = read_response(body.substr(prefix));
  if (!status)
    return std::unexpected(Error::failed("the answer is not a HealthCheckResponse of grpc.health.v1"));
  return *status;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const std::string_view digits = text.substr(std::min(i + 1, text.size()), 2);
    if (text[i] == '%' && digits.size() == 2 &&
        std::from_chars(digits.data(), digits.data() + 2, value, 16).ptr == digits.data() + 2) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace belfry::probes
