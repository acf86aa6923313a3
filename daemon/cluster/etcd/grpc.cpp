#include "daemon/cluster/etcd/grpc.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "probes/protocols/grpc_message.hpp"
#include "probes/protocols/server_words.hpp"

namespace belfry::daemon::etcd {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t prefix = 5;  // compressed or not, and the length in four bytes

constexpr std::array code_names{
    "OK"sv,        "CANCELLED"sv,      "UNKNOWN"sv,           "INVALID_ARGUMENT"sv,   "DEADLINE_EXCEEDED"sv,
    "NOT_FOUND"sv, "ALREADY_EXISTS"sv, "PERMISSION_DENIED"sv, "RESOURCE_EXHAUSTED"sv, "FAILED_PRECONDITION"sv,
    "ABORTED"sv,   "OUT_OF_RANGE"sv,   "UNIMPLEMENTED"sv,     "INTERNAL"sv,           "UNAVAILABLE"sv,
    "DATA_LOSS"sv, "UNAUTHENTICATED"sv};

std::size_t length_of(std::string_view framed) {
  std::size_t length = 0;
  for (const char byte : framed.substr(1, prefix - 1))
    length = length << 8U | static_cast<unsigned char>(byte);
  return length;
}

}  // namespace

std::string GrpcStatus::text() const {
  const auto index = static_cast<std::size_t>(code);
  std::string said(code_names.at(std::min(index, code_names.size() - 1)));
  if (!message.empty()) said += ": " + probes::quoted(message);
  return said;
}

std::string framed(std::string_view message) {
  std::string bytes(1, '\0');
  for (unsigned shift = 32; shift > 0; shift -= 8)
    bytes += static_cast<char>(message.size() >> (shift - 8U) & 0xFFU);
  return bytes += message;
}

bool GrpcHeaders::add(std::string_view name, std::string_view value) {
  bytes += name.size() + value.size();
  if (bytes > most_bytes) return false;
  if (name == ":status") http_status = value;
  if (name == "content-type") content_type = value;
  if (name == "grpc-status") grpc_status = value;
  if (name == "grpc-message") grpc_message = probes::percent_decoded(value);
  return true;
}

GrpcStatus GrpcHeaders::status() const {
  // What stands between (a proxy, a server of web pages) answers with a status of HTTP.
  if (http_status != "200")
    return {.code = GrpcCode::unavailable, .message = "the answer of HTTP was " + http_status};
  if (!content_type.starts_with("application/grpc"))
    return {.code = GrpcCode::unknown, .message = "no gRPC: the content type is " + content_type};
  std::uint32_t code = 0;
  const char* const end = grpc_status.data() + grpc_status.size();
  const auto [stopped, failed] = std::from_chars(grpc_status.data(), end, code);
  if (failed != std::errc() || stopped != end || code >= code_names.size())
    return {.code = GrpcCode::unknown, .message = "no gRPC: the status is " + grpc_status};
  return {.code = static_cast<GrpcCode>(code), .message = grpc_message};
}

std::string Reassembly::add(std::string_view bytes) {
  while (!bytes.empty()) {
    if (partial_.size() < prefix) {
      const std::size_t now = std::min(prefix - partial_.size(), bytes.size());
      partial_ += bytes.substr(0, now);
      bytes.remove_prefix(now);
      if (partial_.size() < prefix) return {};
      if (partial_.front() != '\0') return "it is compressed, which nobody asked for";
      if (length_of(partial_) > largest_)
        return "it has " + std::to_string(length_of(partial_)) + " bytes, and " + std::to_string(largest_) +
               " are the most that is read";
    }
    const std::size_t now = std::min(prefix + length_of(partial_) - partial_.size(), bytes.size());
    partial_ += bytes.substr(0, now);
    bytes.remove_prefix(now);
    if (partial_.size() < prefix + length_of(partial_)) return {};
    messages_.push_back(partial_.substr(prefix));
    partial_.clear();
  }
  return {};
}

std::optional<std::string> Reassembly::take() {
  if (messages_.empty()) return std::nullopt;
  std::string message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

}  // namespace belfry::daemon::etcd
