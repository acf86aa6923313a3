#include "daemon/logs/ring.hpp"

#include <type_traits>
#include <utility>

namespace belfry::daemon {

namespace {
constexpr std::size_t chunk_size = std::size_t{64} << 10;
}

// What is read at once may be larger than a chunk only where it is a single line.
void LogRing::add(const LogText& text, const LineOrigin& origin) {
  if (text.bytes.size() <= chunk_size) return append(text, origin);
  std::string_view rest = text.bytes;
  bool continued = text.continued;
  while (!rest.empty()) {
    std::size_t size = rest.size();
    if (size > chunk_size) size = rest.rfind('\n', chunk_size - 1) + 1;
    if (size == 0) size = std::min(rest.find('\n'), rest.size() - 1) + 1;
    append({.bytes = rest.substr(0, size),
            .continued = std::exchange(continued, false),
            .goes_on = text.goes_on && size == rest.size()},
           origin);
    rest.remove_prefix(size);
  }
}

void LogRing::append(const LogText& part, const LineOrigin& origin) {
  static_assert(std::is_trivially_copyable_v<Head>);
  std::string_view text = part.bytes;
  Head head{.origin = origin,
            .lines = static_cast<std::uint32_t>(ends_in(part)),
            .continued = part.continued,
            .goes_on = part.goes_on};
  head.lines += text.ends_with('\n') ? 0 : 1;
  if (text.size() > longest_kept) {
    text = text.substr(0, longest_kept);
    head.goes_on = true;
  }
  head.size = static_cast<std::uint32_t>(text.size());
  make_room(sizeof head + text.size());
  Chunk& chunk = chunks_.back();
  char raw[sizeof head];
  std::memcpy(raw, &head, sizeof head);
  chunk.pieces.append(raw, sizeof head).append(text);
  bytes_ += sizeof head + text.size();
  next_ += head.lines;
}

// At the end of the last chunk, which is a new one when the last is full; the room of the oldest serves
// again.
void LogRing::make_room(std::size_t more) {
  std::string room;
  while (bytes_ + more > capacity && !chunks_.empty()) {
    bytes_ -= chunks_.front().pieces.size();
    room = std::move(chunks_.front().pieces);
    chunks_.erase(chunks_.begin());
  }
  if (!chunks_.empty() && chunks_.back().pieces.size() + more <= chunk_size) return;
  if (room.capacity() > 2 * chunk_size) room = std::string();
  room.clear();
  chunks_.push_back({.first = next_, .pieces = std::move(room)});
}

}  // namespace belfry::daemon
