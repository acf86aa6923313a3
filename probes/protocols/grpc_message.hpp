// The messages of grpc.health.v1 on the wire, written and read by hand: each has one field
// (https://github.com/grpc/grpc/blob/master/doc/health-checking.md,
// https://protobuf.dev/programming-guides/encoding).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "channels/error.hpp"

namespace belfry::probes {

constexpr std::size_t largest_grpc_message = 4096;

// A HealthCheckRequest for `service` (empty: the server as a whole) behind the prefix of gRPC: a byte that
// says whether it is compressed, and its length.
[[nodiscard]] std::string health_request(std::string_view service);

// The status in the body of an answer: prefix, HealthCheckResponse, and nothing else. What is not
// well-formed, compressed or of several messages is an error; fields that later versions may add are passed
// over.
[[nodiscard]] Result<std::uint64_t> health_status(std::string_view body);

// `%41` → `A`, as the message of a gRPC status is written; what encodes nothing stays as it is
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
[[nodiscard]] std::string percent_decoded(std::string_view text);

}  // namespace belfry::probes
