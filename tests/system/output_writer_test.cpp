#include "system/output_writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "system/signals.hpp"

namespace belfry::system {
namespace {

using namespace std::chrono_literals;
constexpr Duration patience = 30s;  // no test waits for it when all is well

struct PipeTest : testing::Test {
  PipeTest() {
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  ~PipeTest() override {
    for (const int end : ends) ::close(end);
  }
  // What is in the pipe by now.
  [[nodiscard]] std::string taken() const {
    std::string all;
    std::array<char, 1 << 16> buffer{};
    for (ssize_t n = 0; (n = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
      all.append(buffer.data(), static_cast<std::size_t>(n));
    return all;
  }
  // Everything until `writer` has no more, reading whatever comes.
  std::string all_of(OutputWriter& writer) const {
    std::string all;
    while (!writer.finish(1ms)) all += taken();
    return all + taken();
  }
  std::array<int, 2> ends{};
};

std::string many_lines(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

TEST_F(PipeTest, what_is_put_in_comes_out_in_order) {
  OutputWriter writer(ends[1], "x | ");
  writer.put(std::string("one\n"));
  writer.put(std::string("two\n"));
  EXPECT_TRUE(writer.finish(patience));
  EXPECT_EQ(taken(), "one\ntwo\n");
  EXPECT_EQ(writer.written(), 8U);
  EXPECT_FALSE(writer.tell_when_written());
}

TEST_F(PipeTest, nobody_who_puts_waits_for_a_reader_and_nothing_is_lost_until_he_comes) {
  OutputWriter writer(ends[1], "x | ");
  const std::string text = many_lines(1 << 20);
  writer.put(std::string(text));
  EXPECT_FALSE(writer.finish(1ms));
  EXPECT_GT(writer.unwritten_lines(), 0U);
  EXPECT_EQ(all_of(writer), text);
  EXPECT_EQ(writer.unwritten_lines(), 0U);
}

TEST_F(PipeTest, a_full_mailbox_has_no_room_and_says_when_there_is_some) {
  std::binary_semaphore moved(0);
  OutputWriter writer(ends[1], "x | ", [&] { moved.release(); });
  writer.put(many_lines(1 << 20));  // into the thread's hands, where it gets stuck
  while (writer.written() == 0) {
  }
  writer.put(many_lines(OutputWriter::capacity));
  ASSERT_EQ(writer.room(), 0U);
  std::string all;
  while (!moved.try_acquire()) all += taken();
  EXPECT_EQ(writer.room(), OutputWriter::capacity);
  (void)all_of(writer);
}

TEST_F(PipeTest, who_asks_for_it_is_told_when_little_is_left) {
  std::binary_semaphore moved(0);
  OutputWriter writer(ends[1], "x | ", [&] { moved.release(); });
  writer.put(many_lines(1 << 20));
  ASSERT_TRUE(writer.tell_when_written(200'000));
  std::array<char, 4096> some{};
  while (!moved.try_acquire()) (void)!::read(ends[0], some.data(), some.size());
  EXPECT_GT(writer.unwritten(), 200'000U - (1U << 17)) << "a pipe of 64 KiB, and what was read meanwhile";
  EXPECT_LE(writer.unwritten(), 200'000U);
  (void)all_of(writer);
}

TEST_F(PipeTest, what_nobody_ever_reads_holds_up_no_end) {
  OutputWriter writer(ends[1], "x | ");
  writer.put(many_lines(1 << 20));
  EXPECT_FALSE(writer.finish(1ms));
}  // and the destructor returns

TEST_F(PipeTest, the_shared_description_stays_as_it_was) {
  const int flags = ::fcntl(ends[1], F_GETFL);
  OutputWriter writer(ends[1], "x | ");
  writer.put(many_lines(1 << 20));
  EXPECT_FALSE(writer.finish(1ms));
  EXPECT_EQ(::fcntl(ends[1], F_GETFL), flags);
  (void)all_of(writer);
}

TEST_F(PipeTest, a_description_that_somebody_made_non_blocking_loses_nothing) {
  ::fcntl(ends[1], F_SETFL, ::fcntl(ends[1], F_GETFL) | O_NONBLOCK);
  OutputWriter writer(ends[1], "x | ");
  const std::string text = many_lines(1 << 20);
  writer.put(std::string(text));
  EXPECT_EQ(all_of(writer), text);
}

TEST_F(PipeTest, a_larger_pipe_takes_what_nobody_has_read_yet) {
  OutputWriter writer(ends[1], "x | ");
  const std::string text = many_lines(200'000);
  writer.put(std::string(text));
  EXPECT_FALSE(writer.finish(1ms));
  EXPECT_GT(writer.enlarge_pipe(1 << 19), 0U);
  EXPECT_TRUE(writer.finish(patience));
  EXPECT_EQ(taken(), text);
}

TEST_F(PipeTest, pieces_end_with_lines_so_that_two_writers_do_not_mix) {
  OutputWriter one(ends[1], "x | "), other(ends[1], "x | ");
  const std::string a(999, 'a'), b(999, 'b');
  for (int i = 0; i < 500; ++i) {
    one.put(a + "\n");
    other.put(b + "\n");
  }
  std::string all;
  while (!one.finish(1ms) || !other.finish(1ms)) all += taken();
  all += taken();
  ASSERT_EQ(all.size(), 1'000'000U);
  for (std::size_t at = 0; at < all.size(); at += 1000) {
    const std::string line = all.substr(at, 999);
    ASSERT_TRUE(line == a || line == b) << at;
  }
}

TEST_F(PipeTest, a_reader_who_has_gone_is_a_failure_and_each_loss_is_told) {
  const SignalBlock block;
  std::counting_semaphore<> told(0);
  OutputWriter writer(ends[1], "x | ", [&] { told.release(); });
  ::close(ends[0]);
  writer.put(std::string("one\n"));
  EXPECT_TRUE(told.try_acquire_for(patience));
  EXPECT_EQ(writer.lost_in_all(), 1U);
  writer.put(std::string("two\n"));
  EXPECT_TRUE(told.try_acquire_for(patience));
  EXPECT_EQ(writer.failure(), EPIPE);
  EXPECT_EQ(writer.lost_in_all(), 2U);
  ends[0] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

// Keeps what it is given.
struct KeepingTarget final : OutputTarget {
  explicit KeepingTarget(std::vector<std::string>& into) : pieces(into) {}
  ssize_t write(std::string_view lines) override {
    pieces.emplace_back(lines);
    return static_cast<ssize_t>(lines.size());
  }
  std::string marker(std::uint64_t, std::string_view) override { return "lost\n"; }
  std::vector<std::string>& pieces;
};

TEST(OutputWriterToATarget, gives_it_whole_lines_however_long_they_are) {
  std::vector<std::string> pieces;
  const std::string text = "a\n" + std::string(300'000, 'x') + "\n" + many_lines(400'000);
  {
    OutputWriter writer(std::make_unique<KeepingTarget>(pieces), {});
    writer.put(std::string(text));
    EXPECT_TRUE(writer.finish(patience));
  }
  std::string all;
  for (const std::string& piece : pieces) {
    EXPECT_TRUE(piece.ends_with('\n'));
    all += piece;
  }
  EXPECT_TRUE(all == text);
  EXPECT_GT(pieces.size(), 3U);
}

TEST_F(PipeTest, signals_are_for_other_threads) {
  OutputWriter writer(ends[1], "x | ");
  writer.put(many_lines(1 << 20));
  while (writer.written() == 0) {
  }
  const SignalBlock block;
  ::kill(::getpid(), SIGTERM);  // it would end the program if that thread took it
  sigset_t pending;
  ::sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGTERM), 1);
  int taken_signal = 0;
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::sigwait(&term, &taken_signal);
  (void)all_of(writer);
}

// A file that may not grow beyond a limit stands for a full disk.
class LimitedFile : public testing::Test {
 protected:
  static constexpr rlim_t limit = 1000;
  LimitedFile() {
    fd_ = ::mkstemp(path_.data());
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{.rlim_cur = limit, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~LimitedFile() override {
    give_room();
    ::signal(SIGXFSZ, SIG_DFL);
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  void give_room() const { ::setrlimit(RLIMIT_FSIZE, &before_); }
  [[nodiscard]] std::string content() const {
    std::string text(std::filesystem::file_size(path_), '\0');
    EXPECT_EQ(::pread(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }
  std::string path_ = "/tmp/belfry-writer-XXXXXX";
  int fd_ = -1;
  rlimit before_{};
};

TEST_F(LimitedFile, what_a_full_disk_lost_is_counted_where_it_is_missing) {
  OutputWriter writer(fd_, "belfry | ");
  writer.put(std::string(800, 'a') + "\n" + std::string(800, 'b') + "\nlast\n");
  EXPECT_TRUE(writer.finish(patience));
  EXPECT_EQ(writer.failure(), EFBIG);
  writer.put(std::string("still full\n"));
  EXPECT_TRUE(writer.finish(patience));
  give_room();
  writer.put(std::string("room again\n"));
  EXPECT_TRUE(writer.finish(patience));
  EXPECT_EQ(content(), std::string(800, 'a') + "\n" + std::string(199, 'b') +
                           "\nbelfry | [belfry: 3 lines lost here: File too large]\nroom again\n");
  EXPECT_EQ(writer.failure(), 0);
}

TEST(OutputWriterOnATerminal, a_terminal_that_nobody_reads_holds_nobody_up) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(master, 0);
  ::grantpt(master);
  ::unlockpt(master);
  const int terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  {
    OutputWriter writer(terminal, "x | ");
    writer.put(many_lines(1 << 20));
    EXPECT_FALSE(writer.finish(1ms));
    EXPECT_EQ(writer.enlarge_pipe(1 << 20), 0U);
  }
  ::close(master);  // what was stuck ends now
  ::close(terminal);
}

TEST(LostLines, the_marker_counts_in_words_that_people_use) {
  EXPECT_EQ(lost_lines_marker("db | ", 1, "why"), "db | [belfry: 1 line lost here: why]\n");
  EXPECT_EQ(lost_lines_marker("", 12, "why"), "[belfry: 12 lines lost here: why]\n");
}

}  // namespace
}  // namespace belfry::system
