#include "probes/protocols/http_answer.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "config/model/http_field.hpp"
#include "text/escape.hpp"

namespace belfry::probes {

namespace {

using config::is_same_http_word;

constexpr std::string_view protocol = "HTTP/1.";

std::unexpected<Error> wrong(std::string why) { return std::unexpected(Error::failed(std::move(why))); }

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// Cuts a line with its end off `text`, and returns it without.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Whether `word` is one of a list with commas.
bool names(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (is_same_http_word(trimmed(list.substr(0, comma)), word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// Where the empty line that ends a head ends; npos: it has not come.
std::size_t end_of_head(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find('\n', from); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (text.substr(at + 1).starts_with("\r\n")) return at + 3;
    if (text.substr(at + 1).starts_with('\n')) return at + 2;
  }
  return std::string_view::npos;
}

}  // namespace

void HttpAnswerReader::begin(bool is_to_head, bool keep_body) {
  constexpr std::size_t worth_keeping = 4096;
  if (body_.capacity() > worth_keeping) body_ = std::string();
  head_.clear();
  body_.clear();
  part_ = Part::head;
  is_to_head_ = is_to_head;
  keeps_body_ = keep_body;
  has_more_ = false;
}

Result<void> HttpAnswerReader::hear(std::string_view bytes) {
  while (!bytes.empty() && !is_whole()) {
    auto read = has_head() ? read_body(bytes) : read_head(bytes);
    if (!read) return read;
  }
  has_more_ = has_more_ || !bytes.empty();
  return {};
}

Result<void> HttpAnswerReader::ended() {
  if (part_ == Part::to_the_end) part_ = Part::whole;
  if (is_whole()) return {};
  return wrong(head_.empty() && !has_head() ? "it closed the connection without an answer"
                                            : "it closed the connection in the middle of its answer");
}

Result<void> HttpAnswerReader::read_head(std::string_view& bytes) {
  const std::size_t before = head_.size();
  const std::string_view taken = bytes.substr(0, largest_head - before);
  head_ += taken;
  if (auto good = judge_beginning(); !good) return good;
  const std::size_t end = end_of_head(head_, before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    bytes.remove_prefix(taken.size());
    if (head_.size() < largest_head) return {};
    return wrong("the head of its answer is longer than 16 KiB");
  }
  bytes.remove_prefix(end - before);
  head_.resize(end);
  auto good = take_head(head_);
  head_.clear();
  return good;
}

// Said as soon as it is known: who speaks something else may wait for ever for what we never say.
Result<void> HttpAnswerReader::judge_beginning() const {
  const std::string_view said = head_;
  if (protocol.starts_with(said.substr(0, protocol.size()))) return {};
  // A record of TLS: an alert or a handshake, version 3.x (RFC 8446, 5.1).
  if (said[0] == '\x15' || said[0] == '\x16') return wrong("it speaks TLS: write https:// in the URL");
  // A frame of HTTP/2: three bytes of length, then SETTINGS or GOAWAY (RFC 9113, 4.1).
  if (said[0] == '\0') {
    if (said.size() < 4) return {};
    if (said[3] == '\x04' || said[3] == '\x07')
      return wrong("it speaks HTTP/2 only, and is asked by HTTP/1.1");
  }
  constexpr std::size_t shown = 40;
  const std::string_view line = said.substr(0, std::min(said.find_first_of("\r\n"), shown));
  return wrong("the answer is not HTTP/1: it begins with " + text::json_string(line));
}

Result<void> HttpAnswerReader::take_head(std::string_view head) {
  chunked_ = coded_ = measured_ = false;
  left_ = 0;
  trailer_ = 0;
  if (auto good = take_status(take_line(head)); !good) return good;
  while (!head.empty()) {
    const std::string_view line = take_line(head);
    if (line.empty() || line.front() == ' ' || line.front() == '\t') continue;  // folded: of no field we read
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
      return wrong("a line of its head is no field: " + text::json_string(line.substr(0, 40)));
    if (auto good = take_field(line.substr(0, colon), trimmed(line.substr(colon + 1))); !good) return good;
  }
  choose_body();
  return {};
}

Result<void> HttpAnswerReader::take_status(std::string_view line) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  constexpr std::size_t at = protocol.size() + 2;  // behind "HTTP/1.1 "
  const bool good = line.size() >= at + 3 && is_digit(line[at - 2]) && line[at - 1] == ' ' &&
                    std::ranges::all_of(line.substr(at, 3), is_digit) &&
                    (line.size() == at + 3 || line[at + 3] == ' ');
  if (!good) return wrong("it has no status: " + text::json_string(line.substr(0, 40)));
  status_ = static_cast<unsigned>((line[at] - '0') * 100 + (line[at + 1] - '0') * 10 + (line[at + 2] - '0'));
  persistent_ = line[at - 2] != '0';
  return {};
}

Result<void> HttpAnswerReader::take_field(std::string_view name, std::string_view value) {
  if (is_same_http_word(name, "content-length")) return take_length(value);
  if (is_same_http_word(name, "transfer-encoding")) {
    coded_ = true;
    chunked_ = names(value.substr(std::min(value.rfind(',') + 1, value.size())), "chunked");  // the last one
  } else if (is_same_http_word(name, "connection")) {
    if (names(value, "close")) persistent_ = false;
    if (names(value, "keep-alive")) persistent_ = true;
  }
  return {};
}

Result<void> HttpAnswerReader::take_length(std::string_view value) {
  std::uint64_t length = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (failed != std::errc() || end != value.data() + value.size())
    return wrong("its Content-Length is no number: " + text::json_string(value.substr(0, 40)));
  if (measured_ && length != left_) return wrong("it has two different Content-Lengths");
  measured_ = true;
  left_ = length;
  return {};
}

// RFC 9112, 6.3.
void HttpAnswerReader::choose_body() {
  if (status_ >= 100 && status_ < 200 && status_ != 101) {
    part_ = Part::head;  // the answer itself is still to come (RFC 9110, 15.2)
  } else if (is_to_head_ || status_ == 101 || status_ == 204 || status_ == 304) {
    part_ = Part::whole;
    if (status_ == 101) persistent_ = false;
  } else if (coded_) {
    part_ = chunked_ ? Part::chunk_size : Part::to_the_end;
    if (measured_) persistent_ = false;  // who says both may mean either
  } else if (measured_) {
    part_ = left_ > 0 ? Part::counted : Part::whole;
  } else {
    part_ = Part::to_the_end;
  }
}

Result<void> HttpAnswerReader::read_body(std::string_view& bytes) {
  switch (part_) {
    case Part::to_the_end: {
      const std::string_view all = std::exchange(bytes, {});
      return keep(all);
    }
    case Part::counted:
    case Part::chunk: return read_counted(bytes);
    default: return read_line_of_chunks(bytes);
  }
}

Result<void> HttpAnswerReader::read_counted(std::string_view& bytes) {
  if (keeps_body_ && left_ > largest_body) return wrong("its body is larger than 1 MiB");
  const std::string_view some = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
  bytes.remove_prefix(some.size());
  left_ -= some.size();
  if (left_ == 0) part_ = part_ == Part::chunk ? Part::chunk_end : Part::whole;
  return keep(some);
}

// RFC 9112, 7.1: the size of a chunk, the empty line behind it, the fields behind the last one.
Result<void> HttpAnswerReader::read_line_of_chunks(std::string_view& bytes) {
  constexpr std::size_t longest = 1024;
  const std::size_t end = bytes.find('\n');
  const std::string_view piece = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
  bytes.remove_prefix(piece.size());
  if (head_.size() + piece.size() > longest) return wrong("a line between its chunks is too long");
  head_ += piece;
  if (!piece.ends_with('\n')) return {};
  std::string_view rest = head_;
  const std::string_view line = take_line(rest);
  Result<void> good;
  if (part_ == Part::chunk_size) {
    good = take_chunk_size(line);
  } else if (part_ == Part::chunk_end) {
    if (!line.empty()) good = wrong("a chunk of its body is longer than it says");
    part_ = Part::chunk_size;
  } else {
    trailer_ += line.size() + 1;
    if (trailer_ > largest_head) good = wrong("what follows its body is longer than 16 KiB");
    if (line.empty()) part_ = Part::whole;
  }
  head_.clear();
  return good;
}

Result<void> HttpAnswerReader::take_chunk_size(std::string_view line) {
  const std::string_view size = trimmed(line.substr(0, line.find(';')));
  const auto [end, failed] = std::from_chars(size.data(), size.data() + size.size(), left_, 16);
  if (failed != std::errc() || end != size.data() + size.size())
    return wrong("the size of a chunk is no number: " + text::json_string(size.substr(0, 40)));
  part_ = left_ > 0 ? Part::chunk : Part::trailer;
  return {};
}

Result<void> HttpAnswerReader::keep(std::string_view bytes) {
  if (!keeps_body_) return {};
  if (body_.size() + bytes.size() > largest_body) return wrong("its body is larger than 1 MiB");
  body_ += bytes;
  return {};
}

}  // namespace belfry::probes
