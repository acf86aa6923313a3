// The request target (RFC 9112 §3.2) taken apart: path, query, and their percent-encoding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace belfry::daemon::http {

struct RequestTarget {
  std::string_view path;   // starts with '/', still percent-encoded
  std::string_view query;  // without the '?'
};

// Accepts the origin form and the absolute form ("http://host/path?query"); nothing for anything else.
[[nodiscard]] std::optional<RequestTarget> split_target(std::string_view target);

// Nothing when an escape is malformed or encodes NUL.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

// A parameter of the query, decoded.
struct Parameter {
  std::string name;
  std::string value;
};

// Walks over "a=1&b=2" from the left; `rest` is what has not been read yet.
// Returns false at the end; `malformed` is set (and the walk ends) when an escape cannot be decoded.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query) : rest_(query) {}
  [[nodiscard]] bool next(Parameter& parameter);
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  std::string_view rest_;
  bool malformed_ = false;
};

}  // namespace belfry::daemon::http
