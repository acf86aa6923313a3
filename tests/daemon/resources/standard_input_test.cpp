#include "daemon/resources/standard_input.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace belfry::daemon {
namespace {

class StandardInputTest : public testing::Test {
 protected:
  StandardInputTest() {
    std::string directory = "/tmp/belfry-stdin-test.XXXXXX";
    EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    directory_ = directory;
  }
  ~StandardInputTest() override { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string path() const { return directory_ + "/in"; }

  std::string directory_;
  StandardInput input_;
  system::Launch launch_;
};

TEST_F(StandardInputTest, nothing_and_inherit_open_nothing) {
  EXPECT_TRUE(input_.apply("", launch_));
  EXPECT_EQ(launch_.standard_input, -1);
  EXPECT_TRUE(input_.apply("inherit", launch_));
  EXPECT_EQ(launch_.standard_input, STDIN_FILENO);
}

TEST_F(StandardInputTest, a_file_is_read_from_its_beginning_in_each_run) {
  std::ofstream(path()) << "words";
  for (int run = 0; run < 2; ++run) {
    ASSERT_TRUE(input_.apply(path(), launch_));
    std::array<char, 16> text{};
    EXPECT_EQ(::read(launch_.standard_input, text.data(), text.size()), 5);
    input_.passed();
  }
}

TEST_F(StandardInputTest, a_fifo_without_a_writer_is_opened_at_once_and_blocks_its_reader) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  ASSERT_TRUE(input_.apply(path(), launch_));
  EXPECT_EQ(::fcntl(launch_.standard_input, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(StandardInputTest, a_missing_file_is_named_and_final) {
  const auto laid = input_.apply(path(), launch_);
  ASSERT_FALSE(laid);
  EXPECT_EQ(laid.error().kind(), Error::Kind::failed);
  EXPECT_EQ(laid.error().text(), "cannot open " + path() +
                                     " as its standard input: No such file or directory (make it, or correct "
                                     "`stdin`)");
}

}  // namespace
}  // namespace belfry::daemon
