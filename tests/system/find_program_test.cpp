#include "system/find_program.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace belfry::system {
namespace {

namespace fs = std::filesystem;

class FindProgram : public testing::Test {
 protected:
  FindProgram() {
    std::string name = "/tmp/belfry-find-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~FindProgram() override { fs::remove_all(root_); }

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    const std::string path = root_ + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  [[nodiscard]] std::string at(const std::string& name) const { return root_ + "/" + name; }

  std::string root_;
};

TEST_F(FindProgram, takes_the_first_of_path_that_may_be_executed) {
  write("a/tool", "x", 0644);
  write("b/tool", "x");
  write("c/tool", "x");
  fs::create_directories(at("d/tool"));
  EXPECT_EQ(find_program("tool", at("none") + ":" + at("d") + ":" + at("a") + ":" + at("b") + ":" + at("c")),
            at("b/tool"));
  EXPECT_EQ(find_program("tool", at("a")).error().errnum, EACCES);
  EXPECT_EQ(find_program("tool", at("a")).error().reason, at("a/tool") + " is not executable");
}
TEST_F(FindProgram, says_where_it_looked) {
  const auto found = find_program("no-such-tool", "/nowhere:/here");
  EXPECT_EQ(found.error().errnum, ENOENT);
  EXPECT_EQ(found.error().reason, "it is not in PATH (/nowhere:/here)");
  EXPECT_FALSE(find_program("", "/bin"));
}
TEST_F(FindProgram, takes_a_name_with_a_slash_for_a_path) {
  EXPECT_EQ(find_program(write("run", "x"), "/nowhere"), at("run"));
  EXPECT_EQ(find_program(at("gone"), "/bin").error().errnum, ENOENT);
  EXPECT_EQ(find_program(root_, "/bin").error().reason, root_ + " is a directory");
  EXPECT_EQ(find_program(write("text", "x", 0644), "/bin").error().errnum, EACCES);
  EXPECT_EQ(find_program(write("file", "x") + "/below", "/bin").error().errnum, ENOTDIR);
}
TEST_F(FindProgram, an_empty_entry_of_path_is_the_current_directory) {
  const fs::path before = fs::current_path();
  write("tool", "x");
  fs::current_path(root_);
  EXPECT_EQ(find_program("tool", "/nowhere:"), "./tool");
  EXPECT_EQ(find_program("tool", ""), "./tool");
  fs::current_path(before);
}
TEST_F(FindProgram, a_script_needs_its_interpreter) {
  EXPECT_TRUE(find_program(write("good", "#! /bin/sh -e\nx\n"), ""));
  const auto missing = find_program(write("bad", "#!/no/such/shell -e\nx\n"), "");
  EXPECT_EQ(missing.error().errnum, ENOENT);
  EXPECT_EQ(missing.error().reason,
            at("bad") + " asks for the interpreter /no/such/shell: /no/such/shell does not exist");
}
TEST_F(FindProgram, a_script_with_windows_line_ends_says_so) {
  EXPECT_EQ(find_program(write("crlf", "#!/bin/sh\r\necho\r\n"), "").error().reason,
            at("crlf") + " asks for the interpreter /bin/sh and has Windows line ends");
}

}  // namespace
}  // namespace belfry::system
