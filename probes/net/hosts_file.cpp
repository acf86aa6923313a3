#include "probes/net/hosts_file.hpp"

#include <algorithm>
#include <tuple>

#include "system/open_file.hpp"

namespace belfry::probes {

namespace {

constexpr std::string_view blanks = " \t\r\f\v";
constexpr off_t largest_file = 64 << 20;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// FNV-1a, of the name in lower case.
std::uint32_t hash_of(std::string_view name) {
  std::uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(lower(c))) * 16777619U;
  return hash;
}

bool is_same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Takes the first word off `rest`; empty at the end.
std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(blanks));
  rest.remove_prefix(word.size());
  return word;
}

// Without its end and its comment.
std::string_view line_at(std::string_view text, std::size_t begin) {
  const std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  return line.substr(0, line.find('#'));
}

}  // namespace

std::vector<asio::ip::address> HostsFile::find(std::string_view name) {
  read_if_changed();
  std::vector<asio::ip::address> found;
  for (const NamePlace& entry : std::ranges::equal_range(names_, hash_of(name), {}, &NamePlace::hash)) {
    std::string_view names = line_at(text_, entry.line);
    error_code no_address;
    const auto address = asio::ip::make_address(next_word(names), no_address);
    if (no_address || std::ranges::find(found, address) != found.end()) continue;
    for (std::string_view word = next_word(names); !word.empty(); word = next_word(names)) {
      if (!is_same_name(word, name)) continue;
      found.push_back(address);
      break;
    }
  }
  return found;
}

void HostsFile::read_if_changed() {
  const auto now = system::FileStamp::of(path_.c_str());
  if (was_read_ && now == stamp_) return;
  was_read_ = true;
  const auto read = system::read_regular_file(path_, largest_file, text_);
  if (!read) text_.clear();
  stamp_ = read.value_or(now);
  index();
}

void HostsFile::index() {
  names_.clear();
  for (std::size_t begin = 0; begin < text_.size();) {
    std::string_view rest = line_at(text_, begin);
    (void)next_word(rest);  // the address
    for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest))
      names_.push_back({hash_of(word), static_cast<std::uint32_t>(begin)});
    begin = text_.find('\n', begin);
    if (begin == std::string::npos) break;
    ++begin;
  }
  std::ranges::sort(names_, {}, [](const NamePlace& entry) { return std::tuple(entry.hash, entry.line); });
  names_.shrink_to_fit();
}

}  // namespace belfry::probes
