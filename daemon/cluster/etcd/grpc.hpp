// What gRPC adds to HTTP/2: a prefix before each message, and how a call has ended
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace belfry::daemon::etcd {

enum class GrpcCode : std::uint8_t {
  ok = 0,
  cancelled,
  unknown,
  invalid_argument,
  deadline_exceeded,
  not_found,
  already_exists,
  permission_denied,
  resource_exhausted,
  failed_precondition,
  aborted,
  out_of_range,
  unimplemented,
  internal,
  unavailable,
  data_loss,
  unauthenticated,
};

struct GrpcStatus {
  GrpcCode code = GrpcCode::ok;
  std::string message;  // of the server, as it said it: for people, through text() only
  // "UNAVAILABLE: 'etcdserver: no leader'"
  [[nodiscard]] std::string text() const;
};

// A message behind its prefix, not compressed.
[[nodiscard]] std::string framed(std::string_view message);

// Header fields and trailers of a call, as far as they say how it ends.
struct GrpcHeaders {
  static constexpr std::size_t most_bytes = std::size_t{16} << 10;

  std::string http_status;
  std::string content_type;
  std::string grpc_status;
  std::string grpc_message;
  std::size_t bytes = 0;

  // False: they are too many.
  bool add(std::string_view name, std::string_view value);
  // What a call has come to whose stream has ended as HTTP/2 has it.
  [[nodiscard]] GrpcStatus status() const;
};

// Messages out of bytes that come in pieces.
// Owner: a call. Bounded: a message has `largest` bytes at most; whole ones wait until they are taken.
class Reassembly {
 public:
  explicit Reassembly(std::size_t largest) : largest_(largest) {}

  // Empty: it is well-formed so far; else what is wrong.
  std::string add(std::string_view bytes);
  std::optional<std::string> take();
  [[nodiscard]] bool has_messages() const { return !messages_.empty(); }

 private:
  std::size_t largest_;
  std::string partial_;
  std::deque<std::string> messages_;
};

}  // namespace belfry::daemon::etcd
