#include "probes/protocols/grpc_answer.hpp"

#include <array>
#include <charconv>

#include "probes/protocols/grpc_message.hpp"
#include "probes/protocols/server_words.hpp"

namespace belfry::probes {

namespace {

using namespace std::string_view_literals;

constexpr std::array status_names{
    "OK"sv,        "CANCELLED"sv,      "UNKNOWN"sv,           "INVALID_ARGUMENT"sv,   "DEADLINE_EXCEEDED"sv,
    "NOT_FOUND"sv, "ALREADY_EXISTS"sv, "PERMISSION_DENIED"sv, "RESOURCE_EXHAUSTED"sv, "FAILED_PRECONDITION"sv,
    "ABORTED"sv,   "OUT_OF_RANGE"sv,   "UNIMPLEMENTED"sv,     "INTERNAL"sv,           "UNAVAILABLE"sv,
    "DATA_LOSS"sv, "UNAUTHENTICATED"sv};
constexpr std::size_t not_found = 5;
constexpr std::size_t unimplemented = 12;

// Of grpc.health.v1.HealthCheckResponse.ServingStatus.
constexpr std::array serving_names{"UNKNOWN"sv, "SERVING"sv, "NOT_SERVING"sv, "SERVICE_UNKNOWN"sv};
constexpr std::size_t serving = 1;

std::string whom(std::string_view service) {
  return service.empty() ? "the server" : "the service " + std::string(service);
}

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Error refusal(const GrpcAnswer& answer, std::string_view service) {
  const auto code = number(answer.grpc_status);
  if (!code || *code >= status_names.size())
    return Error::failed("the answer has the unknown status " + quoted(answer.grpc_status));
  if (*code == unimplemented) return Error::failed("the server has no health service (grpc.health.v1)");
  if (*code == not_found && !service.empty())
    return Error::failed("the server's health service knows no service " + std::string(service));
  std::string why = "the answer was " + std::string(status_names.at(*code));
  if (!answer.grpc_message.empty()) why += ": " + quoted(percent_decoded(answer.grpc_message));
  return Error::failed(std::move(why));
}

Error other_status(std::uint64_t status, std::string_view service) {
  if (status >= serving_names.size())
    return Error::failed(whom(service) + " has the unknown status " + std::to_string(status));
  return Error::failed(whom(service) + " is " + std::string(serving_names.at(status)));
}

}  // namespace

bool GrpcAnswer::add_header(std::string_view name, std::string_view value) {
  header_bytes += name.size() + value.size();
  if (header_bytes > most_headers) return false;
  if (name == ":status") status = value;
  if (name == "content-type") content_type = value;
  if (name == "grpc-status") grpc_status = value;
  if (name == "grpc-message") grpc_message = value;
  return true;
}

bool GrpcAnswer::add_body(std::string_view bytes) {
  if (bytes.size() > largest_grpc_message - body.size()) return false;
  body += bytes;
  return true;
}

Result<void> judge(const GrpcAnswer& answer, std::string_view service) {
  if (answer.status != "200")
    return std::unexpected(Error::failed("the answer was " + quoted(answer.status)));
  if (!answer.content_type.starts_with("application/grpc"))
    return std::unexpected(
        Error::failed("it speaks HTTP/2 and not gRPC: the content type is " + quoted(answer.content_type)));
  if (answer.grpc_status.empty()) return std::unexpected(Error::failed("the answer has no `grpc-status`"));
  if (answer.grpc_status != "0") return std::unexpected(refusal(answer, service));
  const auto status = health_status(answer.body);
  if (!status) return std::unexpected(status.error());
  if (*status != serving) return std::unexpected(other_status(*status, service));
  return {};
}

}  // namespace belfry::probes
