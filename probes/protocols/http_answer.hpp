// An answer of HTTP/1.0 or HTTP/1.1 (RFC 9112), read in whatever pieces it comes.
//
// The problem: a library's parser builds every field of every answer for whoever may ask for it. A probe asks
// for the status, sometimes for the body, and wants to know why it is none: that the other side speaks TLS,
// HTTP/2 or something else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "channels/error.hpp"

namespace belfry::probes {

// Owner: an exchange. Lifecycle: begin(), then hear() until it is_whole(), or ended(). Bounded: a head of 16
// KiB, a body of 1 MiB if it is kept; what is not kept is only counted.
// Errors say what is wrong with the answer.
class HttpAnswerReader {
 public:
  static constexpr std::size_t largest_head = 16 << 10;
  static constexpr std::uint64_t largest_body = 1 << 20;

  // `is_to_head`: it answers HEAD, and no body follows whatever it says (RFC 9110, 9.3.2).
  void begin(bool is_to_head, bool keep_body);
  Result<void> hear(std::string_view bytes);
  // The server has closed its side: the end of a body that says neither its length nor comes in chunks.
  Result<void> ended();

  [[nodiscard]] bool has_begun() const { return has_head() || !head_.empty(); }
  [[nodiscard]] bool has_head() const { return part_ != Part::head; }
  [[nodiscard]] bool is_whole() const { return part_ == Part::whole; }
  // From the head on.
  [[nodiscard]] unsigned status() const { return status_; }
  // Whole, and only if it is kept.
  [[nodiscard]] const std::string& body() const { return body_; }
  // The server will hear another request on this connection (RFC 9112, 9.3), and nothing is under way on it.
  [[nodiscard]] bool stays_open() const { return is_whole() && persistent_ && !has_more_; }

 private:
  enum class Part : std::uint8_t { head, counted, to_the_end, chunk_size, chunk, chunk_end, trailer, whole };

  Result<void> read_head(std::string_view& bytes);
  Result<void> judge_beginning() const;
  Result<void> take_head(std::string_view head);
  Result<void> take_status(std::string_view line);
  Result<void> take_field(std::string_view name, std::string_view value);
  Result<void> take_length(std::string_view value);
  void choose_body();
  Result<void> read_body(std::string_view& bytes);
  Result<void> read_counted(std::string_view& bytes);
  Result<void> read_line_of_chunks(std::string_view& bytes);
  Result<void> take_chunk_size(std::string_view line);
  Result<void> keep(std::string_view bytes);

  std::string head_;  // what has come of it, and of a line between chunks
  std::string body_;
  std::uint64_t left_ = 0;  // of the body or chunk
  std::size_t trailer_ = 0;
  unsigned status_ = 0;
  Part part_ = Part::head;
  bool is_to_head_ = false;
  bool keeps_body_ = false;
  bool persistent_ = false;
  bool has_more_ = false;  // bytes behind the answer
  bool chunked_ = false, coded_ = false, measured_ = false;
};

}  // namespace belfry::probes
