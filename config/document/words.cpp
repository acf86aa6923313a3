#include "config/document/words.hpp"

#include <algorithm>

namespace belfry::config {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Splitter {
 public:
  explicit Splitter(std::string_view line) : line_(line) {}

  Words run() {
    while (at_ < line_.size() && !out_.unclosed) step();
    finish_word();
    return std::move(out_);
  }

 private:
  void step() {
    const char c = line_[at_];
    if (blank(c)) {
      finish_word();
      ++at_;
    } else if (c == '\'' || c == '"') {
      quoted(c);
    } else if (c == '\\') {
      escaped();
    } else {
      note_shell_syntax();
      take(c);
      ++at_;
    }
  }

  void take(char c) {
    word_ += c;
    open_ = true;
  }

  void finish_word() {
    if (open_) out_.words.push_back(std::move(word_));
    word_.clear();
    open_ = false;
  }

  void escaped() {
    if (at_ + 1 == line_.size()) {
      out_.unclosed = at_;
      return;
    }
    if (line_[at_ + 1] != '\n') take(line_[at_ + 1]);
    at_ += 2;
  }

  void quoted(char quote) {
    const std::size_t start = at_++;
    open_ = true;
    while (at_ < line_.size() && line_[at_] != quote) {
      const bool escape = quote == '"' && line_[at_] == '\\' && at_ + 1 < line_.size() &&
                          std::string_view("\"\\$`\n").contains(line_[at_ + 1]);
      if (escape) ++at_;
      if (!escape || line_[at_] != '\n') word_ += line_[at_];
      ++at_;
    }
    if (at_ >= line_.size()) out_.unclosed = start;
    ++at_;
  }

  void note_shell_syntax() {
    if (out_.shell_syntax) return;
    const char c = line_[at_];
    const bool word_start = !open_;
    const bool expansion = c == '$' && at_ + 1 < line_.size() && !blank(line_[at_ + 1]);
    const bool assignment = c == '=' && out_.words.empty() && open_ && word_.find('/') == std::string::npos;
    if (!std::string_view("|&;<>()*`").contains(c) && !expansion && !assignment && !(c == '~' && word_start))
      return;
    out_.shell_syntax = at_;
    out_.shell_token = c;
    if (assignment) {
      out_.shell_syntax = at_ - std::min(at_, word_.size());
      const std::size_t end = std::min(line_.find_first_of(" \t\n", at_), line_.size());
      out_.shell_token = line_.substr(*out_.shell_syntax, end - *out_.shell_syntax);
    }
    if (at_ + 1 < line_.size() && line_[at_ + 1] == c && std::string_view("|&<>").contains(c))
      out_.shell_token += c;
    if (c == '$')
      for (std::size_t i = at_ + 1; i < line_.size() && !blank(line_[i]); ++i) out_.shell_token += line_[i];
  }

  std::string_view line_;
  std::size_t at_ = 0;
  std::string word_;
  bool open_ = false;  // a word has begun, possibly an empty quoted one
  Words out_;
};

}  // namespace

Words split_words(std::string_view line) { return Splitter(line).run(); }

std::string join_words(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                            "0123456789_@%+=:,./-") == std::string::npos;
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) c == '\'' ? line += "'\\''" : line += c;
    line += '\'';
  }
  return line;
}

}  // namespace belfry::config
