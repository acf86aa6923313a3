// Reading files whole, within bounds of size and time.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

namespace belfry::config {

struct FileFault {
  int code = 0;  // errno; EFBIG beyond the bound, ETIMEDOUT for a silent pipe, EINVAL for what is no file
  std::string message;
};

// What may be read: a pipe (`-c <(generate)`, `… | belfry import compose -`) makes sense where a
// person names the file, and nowhere else.
enum class Accept : std::uint8_t { files, files_and_pipes };

// The contents of the file at `path`, at most `most` bytes. Never blocks for long and touches nothing
// else: a directory, socket or device is refused without being opened (opening some devices has
// effects), but /dev/null is an empty file; a pipe that is accepted may take 10 s in all.
[[nodiscard]] std::expected<std::string, FileFault> read_file(const std::string& path, std::size_t most,
                                                              Accept accept = Accept::files);
// As long as it lives, `about_to_read` is called with the path of each file that read_file() of this thread
// is asked for, before it looks at it. One at a time.
class ReadWatch {
 public:
  using AboutToRead = std::function<void(const std::string& path)>;
  explicit ReadWatch(const AboutToRead& about_to_read);
  ~ReadWatch();
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;
};
[[nodiscard]] bool readable_by_others(const std::string& path);

}  // namespace belfry::config
