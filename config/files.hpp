// Reading files whole, with a bound.
#pragma once

#include <expected>
#include <string>

namespace belfry::config {

struct FileFault {
  int code = 0;  // errno; EFBIG beyond the bound
  std::string message;
};

// The contents of the regular file, pipe or device at `path`, at most `most` bytes.
[[nodiscard]] std::expected<std::string, FileFault> read_file(std::string const& path, std::size_t most);
[[nodiscard]] bool readable_by_others(std::string const& path);

}  // namespace belfry::config
