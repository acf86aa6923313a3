// Files of `KEY=VALUE` lines, as compose reads them.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "config/keys/decoder.hpp"

namespace belfry::config {

// Reads source number `source`, whose syntax is that of config/document/dotenv.hpp. Variables outside single
// quotes are replaced by those of belfry, else by those in `out`, which stand further up. Mistakes carry
// their place and nothing of the text.
void read_env_text(Decoder& decoder, std::uint32_t source, Pairs& out);

// The `.env` beside the belfry file: where `${…}` looks after belfry's own environment, as in compose.
// Its values reach no service by themselves. It is read when a variable is first asked for that the
// environment does not have, so that somebody else's `.env` troubles no file without variables.
// Owner: load(), on its stack.
// Lifecycle: one load; reads at most once.
// Cancellation: none; the file is bounded to 1 MiB and cannot be a pipe.
class DotEnv {
 public:
  explicit DotEnv(Decoder& decoder) : decoder_(decoder) {}
  std::optional<std::string> find(std::string_view name);

 private:
  void read();
  Decoder& decoder_;
  bool read_ = false;
  std::unordered_map<std::string, std::string> values_;
};

}  // namespace belfry::config
