// What is made of the answer to Health/Check, once it has come whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "channels/error.hpp"

namespace belfry::probes {

struct GrpcAnswer {
  static constexpr std::size_t most_headers = std::size_t{16}
                                              << 10;  // bytes of names and values, all together

  std::string status = {};  // of HTTP
  std::string content_type = {};
  std::string grpc_status = {};   // in the trailers, or, of an answer that has no body, in the headers
  std::string grpc_message = {};  // as it came
  std::string body = {};
  std::size_t header_bytes = 0;

  // False: they are too many.
  bool add_header(std::string_view name, std::string_view value);
  // False: it is too long to be a health check's.
  bool add_body(std::string_view bytes);
};

// Nothing when it says SERVING of `service`; else why not.
[[nodiscard]] Result<void> judge(const GrpcAnswer& answer, std::string_view service);

}  // namespace belfry::probes
