#include "system/shared_append.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

namespace belfry::system {
namespace {

using namespace std::chrono_literals;

struct SharedAppend : testing::Test {
  SharedAppend() {
    std::string name = testing::TempDir() + "appendXXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    path = directory + "/history";
  }
  // A thread that was left behind may still write there.
  ~SharedAppend() override {
    for (std::error_code error; std::filesystem::exists(directory);)
      std::filesystem::remove_all(directory, error);
  }

  std::string text() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string directory, path;
  static constexpr off_t most = 64 * 1024;
};

TEST_F(SharedAppend, lines_follow_each_other_in_a_file_that_is_its_users_alone) {
  EXPECT_EQ(append_to_shared(path, "one\n", most).errnum, 0);
  EXPECT_EQ(append_to_shared(path, "two\n", most).errnum, 0);
  EXPECT_EQ(text(), "one\ntwo\n");
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(SharedAppend, a_line_without_end_is_ended_first_and_told) {
  std::ofstream(path) << "one\nhal";
  const AppendOutcome outcome = append_to_shared(path, "two\n", most);
  EXPECT_EQ(outcome.errnum, 0);
  EXPECT_TRUE(outcome.mended);
  EXPECT_EQ(text(), "one\nhal\ntwo\n");
}

TEST_F(SharedAppend, a_file_that_is_full_keeps_its_newest_lines) {
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(append_to_shared(path, "line " + std::to_string(i) + "\n", 1000).errnum, 0);
  const std::string kept = text();
  EXPECT_LE(kept.size(), 1000U);
  EXPECT_GE(kept.size(), 400U);
  EXPECT_TRUE(kept.ends_with("line 998\nline 999\n"));
  EXPECT_TRUE(kept.starts_with("line "));
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

// RLIMIT_FSIZE plays the disk that is full: write(2) takes what fits, then nothing.
TEST_F(SharedAppend, a_line_that_does_not_fit_leaves_nothing_of_itself) {
  ASSERT_EQ(append_to_shared(path, "one\n", most).errnum, 0);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 10, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const int error = append_to_shared(path, "a line that is longer than what is left\n", most).errnum;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  static_cast<void>(std::signal(SIGXFSZ, handler));
  EXPECT_EQ(error, EFBIG);
  EXPECT_EQ(text(), "one\n");
}

TEST_F(SharedAppend, what_is_no_regular_file_is_left_alone) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(append_to_shared(path, "one\n", most).errnum, EINVAL);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::symlink("/etc/passwd", path.c_str()), 0);
  EXPECT_EQ(append_to_shared(path, "one\n", most).errnum, ELOOP);
}

TEST_F(SharedAppend, where_there_is_no_directory_it_says_so) {
  EXPECT_EQ(append_to_shared(directory + "/none/history", "one\n", most).errnum, ENOENT);
}

TEST_F(SharedAppend, processes_that_write_at_once_lose_nothing_and_tear_nothing) {
  constexpr int writers = 4, lines = 200;
  std::vector<pid_t> children;
  for (int w = 0; w < writers; ++w) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int i = 0; i < lines; ++i) {
        const std::string line = std::string(100, static_cast<char>('a' + w)) + "\n";
        if (append_to_shared(path, line, off_t{1} << 20).errnum != 0) ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  std::ifstream in(path);
  int count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    EXPECT_EQ(line.size(), 100U);
    EXPECT_EQ(line.find_first_not_of(line[0]), std::string::npos);
  }
  EXPECT_EQ(count, writers * lines);
}

TEST_F(SharedAppend, processes_that_replace_the_file_at_once_leave_whole_lines) {
  std::vector<pid_t> children;
  for (int w = 0; w < 4; ++w) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int i = 0; i < 100; ++i)
        static_cast<void>(append_to_shared(path, std::string(99, static_cast<char>('a' + w)) + "\n", 1000));
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const std::string kept = text();
  EXPECT_GE(kept.size(), 500U);
  EXPECT_LE(kept.size(), 1000U);
  EXPECT_EQ(kept.size() % 100, 0U);
}

TEST_F(SharedAppend, in_a_thread_of_its_own_the_lines_keep_their_order) {
  std::mutex mutex;
  std::vector<int> errors;
  SharedAppender appender(path, most, [&](const AppendOutcome& outcome) {
    const std::scoped_lock lock(mutex);
    errors.push_back(outcome.errnum);
  });
  EXPECT_TRUE(appender.append("one\n"));
  EXPECT_TRUE(appender.append("two\n"));
  EXPECT_TRUE(appender.append("three\n"));
  EXPECT_TRUE(appender.finish(10s));
  EXPECT_EQ(text(), "one\ntwo\nthree\n");
  const std::scoped_lock lock(mutex);
  EXPECT_EQ(errors, (std::vector<int>{0, 0, 0}));
}

TEST_F(SharedAppend, whoever_finds_the_file_locked_is_not_waited_for) {
  const int other = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  {
    SharedAppender appender(path, most, [](const AppendOutcome&) {});
    EXPECT_TRUE(appender.append("one\n"));
    EXPECT_FALSE(appender.finish(1ms));
  }
  ::close(other);  // the thread that was left behind goes on with what it owns
}

}  // namespace
}  // namespace belfry::system
