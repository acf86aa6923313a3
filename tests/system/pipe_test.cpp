#include "system/pipe.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "system/file_facts.hpp"

namespace belfry::system {
namespace {

void put(const OwnedFd& end, std::string_view text) {
  EXPECT_EQ(::write(end.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string taken(const OwnedFd& end) {
  std::array<char, 64> text{};
  const ssize_t got = read_some(end.get(), text);
  return got < 0 ? "-" + std::to_string(-got) : std::string(text.data(), static_cast<std::size_t>(got));
}

bool blocks(const OwnedFd& end) { return (::fcntl(end.get(), F_GETFL) & O_NONBLOCK) == 0; }

TEST(Pipe, only_the_end_that_is_read_does_not_block) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  EXPECT_FALSE(blocks(pipe->read_end));
  EXPECT_TRUE(blocks(pipe->write_end));
  EXPECT_EQ(taken(pipe->read_end), "-" + std::to_string(EAGAIN));
  put(pipe->write_end, "one");
  EXPECT_EQ(taken(pipe->read_end), "one");
  pipe->write_end.close();
  EXPECT_EQ(taken(pipe->read_end), "");
}

TEST(Pipe, another_write_end_is_as_good_as_the_first_one) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  auto another = another_write_end(pipe->read_end.get());
  ASSERT_TRUE(another);
  pipe->write_end.close();
  EXPECT_TRUE(blocks(*another));
  put(*another, "two");
  EXPECT_EQ(taken(pipe->read_end), "two");
  EXPECT_EQ(inode_of(pipe->read_end.get()), inode_of(another->get()));
}

TEST(Terminal, lines_come_out_as_they_were_written_and_the_end_is_told) {
  auto terminal = make_terminal();
  ASSERT_TRUE(terminal);
  auto line = open_terminal_line(terminal->get());
  ASSERT_TRUE(line);
  EXPECT_TRUE(::isatty(line->get()));
  put(*line, "hello\n");
  EXPECT_EQ(taken(*terminal), "hello\n");
  line->close();
  EXPECT_EQ(taken(*terminal), "-" + std::to_string(EIO));
}

}  // namespace
}  // namespace belfry::system
