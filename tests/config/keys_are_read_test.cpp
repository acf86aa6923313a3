// A file promises nothing that nobody reads: every member of the model has a reader outside of config/, or
// its key says that it does not work yet (Key::since).
//
// The sources are searched for `.member`, `->member` and `::member`. That finds too many readers rather than
// too few (another class may have a member of that name), so only files that speak of the model are searched.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/decode/tables.hpp"

namespace belfry::config {
namespace {

const std::filesystem::path source_directory = BELFRY_SOURCE_DIR;

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string without_comments(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string out;
  for (std::string line; std::getline(in, line);) (out += line.substr(0, line.find("//"))) += '\n';
  return out;
}

std::string last_word(std::string_view text) {
  while (!text.empty() && !in_word(text.back())) text.remove_suffix(1);
  std::size_t begin = text.size();
  while (begin > 0 && in_word(text[begin - 1])) --begin;
  return std::string(text.substr(begin));
}

// The names that one declaration declares; none if it is a function, or a place in the file, which is for
// messages of config/ itself.
std::vector<std::string> names_of(std::string declaration) {
  declaration.resize(std::min(declaration.find_first_of("={"), declaration.size()));
  if (const auto open = declaration.find('<'); open != std::string::npos)
    declaration.erase(open, declaration.rfind('>') + 1 - open);
  if (declaration.contains('(') || declaration.contains("Place ")) return {};
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= declaration.size();) {
    const std::size_t end = std::min(declaration.find(',', at), declaration.size());
    if (std::string name = last_word(declaration.substr(at, end - at)); !name.empty())
      names.push_back(std::move(name));
    at = end + 1;
  }
  return names;
}

struct Member {
  std::string type, name;
};

std::vector<Member> members_of_the_model() {
  const std::string text = without_comments(source_directory / "config/model/model.hpp");
  std::vector<Member> members;
  for (std::size_t at = text.find("\nstruct "); at != std::string::npos;
       at = text.find("\nstruct ", at + 1)) {
    const std::size_t open = text.find('{', at);
    const std::string type = last_word(std::string_view(text).substr(at, open - at));
    std::string body = text.substr(open + 1, text.find("\n};", open) - open - 1);
    if (type == "Place") continue;
    for (std::size_t e = body.find("enum class"); e != std::string::npos; e = body.find("enum class"))
      body.erase(e, body.find('}', e) + 1 - e);
    for (std::size_t from = 0; from < body.size();) {
      const std::size_t end = std::min(body.find(';', from), body.size());
      for (std::string& name : names_of(body.substr(from, end - from)))
        members.push_back({type, std::move(name)});
      from = end + 1;
    }
  }
  return members;
}

// What stands behind `.`, `->` and `::` in the sources that read the model.
std::set<std::string, std::less<>> words_that_are_read() {
  std::set<std::string, std::less<>> words;
  for (const char* folder : {"daemon", "probes", "tls", "cli", "client"})
    for (const auto& file : std::filesystem::recursive_directory_iterator(source_directory / folder)) {
      if (file.path().extension() != ".cpp" && file.path().extension() != ".hpp") continue;
      const std::string text = without_comments(file.path());
      if (!text.contains("config::") && !text.contains("spec")) continue;
      for (std::size_t at = text.find_first_of(".>:"); at != std::string::npos;
           at = text.find_first_of(".>:", at + 1)) {
        std::size_t end = at + 1;
        while (end < text.size() && in_word(text[end])) ++end;
        words.insert(text.substr(at + 1, end - at - 1));
      }
    }
  return words;
}

bool is_not_yet(std::string_view member) {
  return std::ranges::any_of(tables(), [&](const Table& table) {
    return std::ranges::any_of(table.keys, [&](const Key* key) {
      return !key->works() && (member == key->name || member.ends_with("_" + std::string(key->name)));
    });
  });
}

// Keys that are for whoever reads the file, and say so.
constexpr std::array<std::string_view, 2> notes{"labels", "description"};

TEST(Keys, are_read_by_somebody_or_say_that_they_do_not_work_yet) {
  const auto members = members_of_the_model();
  ASSERT_GT(members.size(), 100U);  // else the model is written in a way that this does not understand
  const auto read = words_that_are_read();
  for (const auto& [type, name] : members)
    EXPECT_TRUE(read.contains(name) || is_not_yet(name) || std::ranges::find(notes, name) != notes.end())
        << type << "::" << name << " is decoded and read by nobody: read it, or mark its key with not_yet()";
}

}  // namespace
}  // namespace belfry::config
