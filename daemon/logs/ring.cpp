#include "daemon/logs/ring.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

namespace belfry::daemon {

namespace {

constexpr std::size_t chunk_size = std::size_t{64} << 10;

// Where the text goes on behind so many of its lines.
std::size_t behind_lines(std::string_view text, std::uint64_t lines) {
  std::size_t at = 0;
  for (; lines > 0; --lines) at = std::min(text.find('\n', at), text.size() - 1) + 1;
  return at;
}

}  // namespace

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
  if (text.empty()) return;
  Head head{.origin = origin,
            .sequence = order_.next,
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
  bytes_in_all_ += sizeof head + text.size();
  next_ += head.lines;
  order_.next += head.lines;
}

// At the end of the last chunk, which is a new one when the last is full; the room of the oldest serves
// again.
void LogRing::make_room(std::size_t more) {
  std::string room;
  while (bytes_ + more > capacity && !chunks_.empty()) {
    forget_oldest();
    room = std::move(chunks_.front().pieces);
    chunks_.erase(chunks_.begin());
  }
  if (!chunks_.empty() && chunks_.back().pieces.size() + more <= chunk_size) return;
  if (room.capacity() > 2 * chunk_size) room = std::string();
  room.clear();
  chunks_.push_back({.first = next_, .pieces = std::move(room)});
}

void LogRing::forget_oldest() {
  const Chunk& oldest = chunks_.front();
  bytes_ -= oldest.pieces.size();
  for (std::size_t at = 0; at < oldest.pieces.size();) {
    const Head head = oldest.head_at(at);
    last_gone_ = head.sequence + head.lines - 1;
    at += sizeof head + head.size;
  }
}

LogRing::Head LogRing::Chunk::head_at(std::size_t place) const {
  Head head;
  std::memcpy(&head, pieces.data() + place, sizeof head);
  return head;
}

bool LogRing::read(RingCursor& at, RingLine& line) const {
  const Chunk* const chunk = find(at);
  if (chunk == nullptr) return false;
  const Head head = chunk->head_at(at.piece);
  const std::string_view text = std::string_view(chunk->pieces).substr(at.piece + sizeof head, head.size);
  const std::string_view rest = text.substr(at.passed);
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::size_t passed = at.passed + std::min(end + 1, rest.size());
  line = {.number = at.next,
          .sequence = head.sequence + (at.next - at.first_of_piece),
          .origin = head.origin,
          .text = rest.substr(0, end),
          .continued = head.continued && at.passed == 0,
          .goes_on = head.goes_on && passed == text.size()};
  ++at.next;
  at.passed = static_cast<std::uint32_t>(passed);
  if (passed < text.size()) return true;
  at.piece += static_cast<std::uint32_t>(sizeof head + head.size);
  at.first_of_piece = at.next;
  at.passed = 0;
  return true;
}

// The chunk in which the next line lies; null: it has not been written yet.
const LogRing::Chunk* LogRing::find(RingCursor& at) const {
  at.next = std::max(at.next, first());
  if (at.next >= next_) return nullptr;
  const auto behind = std::ranges::upper_bound(chunks_, at.next, {}, &Chunk::first);
  const Chunk& chunk = *std::prev(behind);
  if (at.chunk == chunk.first) return &chunk;
  at.chunk = chunk.first;
  at.first_of_piece = chunk.first;
  at.piece = at.passed = 0;
  Head head = chunk.head_at(0);
  while (at.first_of_piece + head.lines <= at.next) {
    at.first_of_piece += head.lines;
    at.piece += static_cast<std::uint32_t>(sizeof head + head.size);
    head = chunk.head_at(at.piece);
  }
  const std::string_view text = std::string_view(chunk.pieces).substr(at.piece + sizeof head, head.size);
  at.passed = static_cast<std::uint32_t>(behind_lines(text, at.next - at.first_of_piece));
  return &chunk;
}

RingCursor LogRing::behind(std::uint64_t sequence) const {
  const auto begins_later = [&](const Chunk& chunk) { return chunk.head_at(0).sequence > sequence; };
  auto chunk = std::ranges::find_if(chunks_, begins_later);
  if (chunk == chunks_.begin()) return {.next = first()};
  std::uint64_t number = (--chunk)->first;
  for (std::size_t at = 0; at < chunk->pieces.size();) {
    const Head head = chunk->head_at(at);
    if (head.sequence + head.lines > sequence + 1)
      return {.next = number + (sequence >= head.sequence ? sequence + 1 - head.sequence : 0)};
    number += head.lines;
    at += sizeof head + head.size;
  }
  return {.next = number};
}

}  // namespace belfry::daemon
