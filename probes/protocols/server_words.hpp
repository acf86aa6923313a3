// What a server says, as far as it may stand in a message; and who speaks if it is not whom one came for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "channels/error.hpp"

namespace belfry::probes {

// The first line of it in quotes, fit for a terminal, with its end cut off where it is long. A server may
// repeat what it was told: `secret`, unless it is empty, is replaced by ***, so all of the line must be
// there.
[[nodiscard]] std::string quoted(std::string_view words, std::string_view secret = {});

// "it speaks HTTP and not Redis' protocol", from the first bytes of an answer that is not of `expected`. They
// may end anywhere, in the middle of a secret that is repeated, too: `may_quote` is for those who told none.
[[nodiscard]] Error not_speaking(std::string_view expected, std::string_view beginning,
                                 bool may_quote = true);

// One line after the other out of bytes that come in pieces.
// Owner: a dialogue. Lifecycle: add() what came, then next() until it is empty. Bounded: by the caller, who
//   looks how much waits.
class Lines {
 public:
  void clear() { unread_.clear(); }
  void add(std::string_view bytes) { unread_ += bytes; }
  // Without its end, which is CR LF, or LF alone.
  std::optional<std::string> next();
  // The beginning of a line whose end has not come.
  [[nodiscard]] std::string_view rest() const { return unread_; }

 private:
  std::string unread_;
};

}  // namespace belfry::probes
