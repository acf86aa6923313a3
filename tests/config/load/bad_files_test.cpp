// Every file in tests/config/bad has one mistake; what belfry says about it is beside it.
//
// BELFRY_UPDATE_GOLDEN=1 rewrites the expectations; read the difference before you commit it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/load/load.hpp"
#include "tests/config/fake_host.hpp"

namespace belfry::config {
namespace {

namespace fs = std::filesystem;
const fs::path directory = fs::path(BELFRY_SOURCE_DIR) / "tests/config/bad";

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> bad_files() {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

// A machine on which every name is a program and every user is known, but no path leads to a program.
class Machine final : public testing_support::FakeHost {
 public:
  bool is_file(const std::string& path) override { return path.starts_with("/usr/bin/"); }
  std::string why_no_such_user(Who) override { return {}; }
  std::string why_no_directory(const std::string&, Who) override { return {}; }
  std::string why_not_readable(const std::string&) override { return {}; }
  std::string why_not_appendable(const std::string&) override { return {}; }
  std::string why_no_socket(const std::string&) override { return {}; }
};

// What `belfry check` prints, without the directory of this checkout.
std::string said_of(const fs::path& file) {
  LoadOptions options;
  options.environment = [](std::string_view name) -> std::optional<std::string> {
    return name == "HOME" ? std::optional<std::string>("/root") : std::nullopt;
  };
  Machine machine;
  options.host = &machine;
  const Loaded loaded = load(file.string(), options);
  std::ostringstream out;
  print(loaded.diagnostics, out);
  std::string text = out.str();
  const std::string prefix = directory.string();
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at))
    text.replace(at, prefix.size() + (text.substr(at + prefix.size(), 1) == "/" ? 1U : 0U),
                 text.substr(at + prefix.size(), 1) == "/" ? "" : "DIR");
  return text;
}

class BadFile : public testing::TestWithParam<fs::path> {};

TEST_P(BadFile, is_explained_as_expected) {
  fs::path expected = GetParam();
  expected.replace_extension(".expected");
  const std::string said = said_of(GetParam());
  if (std::getenv("BELFRY_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(expected, std::ios::binary) << said;
    return;
  }
  EXPECT_EQ(contents(expected), said);
}

TEST_P(BadFile, says_where_and_what_to_do) {
  Machine machine;
  LoadOptions options;
  options.host = &machine;
  const Loaded loaded = load(GetParam().string(), options);
  ASSERT_FALSE(loaded.diagnostics.empty());
  for (const Diagnostic& one : loaded.diagnostics) {
    EXPECT_FALSE(one.help.empty()) << one.message;
    EXPECT_FALSE(one.rule.empty()) << one.message;
  }
}

INSTANTIATE_TEST_SUITE_P(, BadFile, testing::ValuesIn(bad_files()), [](const auto& info) {
  std::string name = info.param.stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(BadFiles, are_at_least_150) { EXPECT_GE(bad_files().size(), 150U); }

}  // namespace
}  // namespace belfry::config
