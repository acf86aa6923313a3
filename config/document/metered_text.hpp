// A text that ends early when its reader takes in too much of it without understanding any.
//
// yaml-cpp holds back everything from an opening bracket to its end, because a `:` behind it would make all
// of it a key: 230 bytes for each bracket, comma or colon, before any limit on depth or values is asked.
#pragma once

#include <algorithm>
#include <cstddef>
#include <streambuf>
#include <string_view>

namespace belfry::config {

// For one reading of `text`, which outlives it.
class MeteredText final : public std::streambuf {
 public:
  MeteredText(std::string_view text, std::size_t most_ahead) : text_(text), most_ahead_(most_ahead) {}

  void understood() { ahead_ = 0; }
  // The text was cut off.
  [[nodiscard]] bool is_exhausted() const { return exhausted_; }

 private:
  std::streamsize xsgetn(char* into, std::streamsize count) override {
    const std::string_view part = take(static_cast<std::size_t>(count));
    std::ranges::copy(part, into);
    return static_cast<std::streamsize>(part.size());
  }
  int_type underflow() override {
    return at_ == text_.size() || exhausted_ ? traits_type::eof() : traits_type::to_int_type(text_[at_]);
  }
  int_type uflow() override {
    const std::string_view part = take(1);
    return part.empty() ? traits_type::eof() : traits_type::to_int_type(part.front());
  }
  // A reader that looked for a byte order mark gives back what it found.
  int_type pbackfail(int_type) override {
    return at_ == 0 ? traits_type::eof() : traits_type::to_int_type(text_[--at_]);
  }

  std::string_view take(std::size_t count) {
    constexpr std::string_view marks = "[]{},:";
    const std::string_view part = text_.substr(at_, exhausted_ ? 0 : count);
    ahead_ +=
        static_cast<std::size_t>(std::ranges::count_if(part, [&](char c) { return marks.contains(c); }));
    exhausted_ = exhausted_ || ahead_ > most_ahead_;
    at_ += part.size();
    return part;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t most_ahead_;
  std::size_t ahead_ = 0;  // marks of structure since the reader last understood something
  bool exhausted_ = false;
};

}  // namespace belfry::config
