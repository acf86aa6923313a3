// What popular images run, for compose files that leave it to the image.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::config {

struct KnownImage {
  std::string_view name;
  std::string_view program;
  std::string_view arguments;  // when the file gives none; separated by blanks
  std::uint16_t port = 0;      // where it listens by default; 0: not known
};

// What is known of `image`, whatever its registry and version: `docker.io/library/postgres:16`.
[[nodiscard]] const KnownImage* known_image(std::string_view image);

// What runs in the container if the file says `command` and no entrypoint: with the image's program in
// front where the image's entrypoint would put it.
[[nodiscard]] std::vector<std::string> command_in_image(const KnownImage& image,
                                                        std::vector<std::string> command);

}  // namespace belfry::config
