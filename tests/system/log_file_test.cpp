#include "system/log_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <semaphore>
#include <sstream>
#include <string>

#include "system/output_writer.hpp"

namespace belfry::system {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string marker(std::uint64_t lines, std::string_view why) {
  return "lost " + std::to_string(lines) + ": " + std::string(why) + "\n";
}

struct LogFileTest : testing::Test {
  LogFileTest() {
    std::string name = "/tmp/belfry-log-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    path = directory + "/app.log";
  }
  ~LogFileTest() override { fs::remove_all(directory); }

  [[nodiscard]] std::unique_ptr<LogFile> open(LogFile::Rotation rotation = {}) const {
    return std::make_unique<LogFile>(path, rotation, marker);
  }
  // As the writer calls it.
  static void write(OutputTarget& file, std::string_view lines) {
    while (!lines.empty()) {
      const ssize_t n = file.write(lines);
      if (n == -EINTR) continue;
      ASSERT_GT(n, 0);
      lines.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  [[nodiscard]] std::string text_of(const std::string& suffix = "") const {
    std::ostringstream text;
    text << std::ifstream(path + suffix).rdbuf();
    return text.str();
  }
  [[nodiscard]] bool exists(const std::string& suffix) const { return fs::exists(path + suffix); }
  [[nodiscard]] std::string unpacked(const std::string& suffix) const {
    const std::string command = "gzip -dc " + path + suffix;
    FILE* const pipe = ::popen(command.c_str(), "r");
    std::string text(1 << 20, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), pipe));
    EXPECT_EQ(::pclose(pipe), 0);
    return text;
  }

  // Until `holds` is true; looked at when a name in the directory has come, changed or gone.
  void until(const std::function<bool()>& holds) const {
    const OwnedFd changes(::inotify_init1(IN_CLOEXEC));
    ASSERT_GE(::inotify_add_watch(changes.get(), directory.c_str(), IN_CREATE | IN_DELETE | IN_MOVE), 0);
    std::array<char, 4096> events{};
    while (!holds()) ASSERT_GT(::read(changes.get(), events.data(), events.size()), 0);
  }

  std::string directory, path;
};

TEST_F(LogFileTest, goes_on_behind_what_is_there_and_is_not_everybodys) {
  ::umask(0);
  std::ofstream(path) << "before\n";
  fs::remove(path);
  write(*open(), "one\n");
  write(*open(), "two\n");
  EXPECT_EQ(text_of(), "one\ntwo\n");
  EXPECT_EQ(fs::status(path).permissions(), static_cast<fs::perms>(0640));
  ::umask(022);
}

TEST_F(LogFileTest, rotates_before_it_grows_too_large_and_never_within_a_line) {
  const auto file = open({.max_size = 10, .rules = {.max_files = 3}});
  write(*file, "1111\n2222\n3333\n4444\n5555\n");
  EXPECT_EQ(text_of(), "5555\n");
  EXPECT_EQ(text_of(".1"), "3333\n4444\n");
  EXPECT_EQ(text_of(".2"), "1111\n2222\n");
  write(*file, "6666\n7777\n");
  EXPECT_EQ(text_of(), "7777\n");
  EXPECT_EQ(text_of(".1"), "5555\n6666\n");
  EXPECT_EQ(text_of(".2"), "3333\n4444\n");
  EXPECT_FALSE(exists(".3")) << "the current one counts";
}

TEST_F(LogFileTest, a_line_longer_than_a_file_gets_one_of_its_own) {
  const auto file = open({.max_size = 10, .rules = {.max_files = 3}});
  write(*file, "1\n" + std::string(30, 'x') + "\n2\n");
  EXPECT_EQ(text_of(".2"), "1\n");
  EXPECT_EQ(text_of(".1"), std::string(30, 'x') + "\n");
  EXPECT_EQ(text_of(), "2\n");
}

TEST_F(LogFileTest, one_file_alone_begins_anew) {
  const auto file = open({.max_size = 10, .rules = {.max_files = 1}});
  write(*file, "1111\n2222\n3333\n");
  EXPECT_EQ(text_of(), "3333\n");
  EXPECT_FALSE(exists(".1"));
}

TEST_F(LogFileTest, the_size_of_an_earlier_run_counts) {
  std::ofstream(path) << "12345678\n";
  write(*open({.max_size = 10, .rules = {.max_files = 2}}), "new\n");
  EXPECT_EQ(text_of(".1"), "12345678\n");
  EXPECT_EQ(text_of(), "new\n");
}

TEST_F(LogFileTest, is_opened_again_on_demand) {
  const auto file = open();
  write(*file, "one\n");
  fs::rename(path, path + ".old");
  write(*file, "two\n");
  file->ask_to_reopen();
  write(*file, "three\n");
  EXPECT_EQ(text_of(".old"), "one\ntwo\n");
  EXPECT_EQ(text_of(), "three\n");
  fs::rename(path, path + ".old");
  file->ask_to_reopen();
  file->attend();
  EXPECT_TRUE(exists("")) << "at once, without a line";
}

TEST_F(LogFileTest, keeps_fewer_when_the_file_says_so_by_now) {
  for (const char* suffix : {".1", ".2", ".3.gz", ".4"}) std::ofstream(path + suffix) << "old\n";
  open({.max_size = 10, .rules = {.max_files = 2}})->attend();
  EXPECT_TRUE(exists(".1"));
  EXPECT_FALSE(exists(".2") || exists(".3.gz") || exists(".4"));
}

TEST_F(LogFileTest, removes_what_is_too_old_and_knows_when_the_next_will_be) {
  for (const char* suffix : {".1", ".2.gz"}) std::ofstream(path + suffix) << "old\n";
  const auto now = std::chrono::system_clock::now();
  const auto made = [&](const char* suffix, std::chrono::seconds ago) {
    const timespec at{std::chrono::system_clock::to_time_t(now - ago), 0};
    const timespec times[2] = {at, at};
    ASSERT_EQ(::utimensat(AT_FDCWD, (path + suffix).c_str(), times, 0), 0);
  };
  made(".1", 30min);
  made(".2.gz", 2h);
  const auto file = open({.max_size = 1000, .rules = {.max_files = 5, .max_age = 1h}});
  file->attend();
  EXPECT_TRUE(exists(".1"));
  EXPECT_FALSE(exists(".2.gz"));
  ASSERT_TRUE(file->attend_at());
  EXPECT_NEAR(
      static_cast<double>(std::chrono::duration_cast<std::chrono::seconds>(*file->attend_at() - now).count()),
      1800, 2);
}

TEST_F(LogFileTest, rotated_files_are_compressed_and_as_old_as_their_lines) {
  std::string all;
  {
    const auto file = open({.max_size = 100'000, .rules = {.max_files = 3, .compress = true}});
    for (int i = 0; i < 15'000; ++i) all += "line " + std::to_string(i) + "\n";
    write(*file, all);
  }  // which waits for the thread, or has it leave off
  const auto again = open({.max_size = 100'000, .rules = {.max_files = 3, .compress = true}});
  again->attend();  // what was left off is taken up
  until([&] { return exists(".1.gz") && !exists(".1"); });
  const std::string newest = unpacked(".1.gz");
  EXPECT_LE(newest.size(), 100'000U);
  EXPECT_TRUE(all.ends_with(newest + text_of()));
}

TEST_F(LogFileTest, a_rotation_while_one_is_compressed_leaves_nothing_behind) {
  {
    const auto file = open({.max_size = 2000, .rules = {.max_files = 4, .compress = true}});
    for (int i = 0; i < 5000; ++i) write(*file, "a line that is written in a hurry\n");
  }
  EXPECT_FALSE(exists(".gz.part"));
  EXPECT_FALSE(exists(".4") || exists(".4.gz") || exists(".0"));
}

TEST_F(LogFileTest, a_link_that_somebody_else_has_laid_out_is_not_followed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make another user's link";
  const std::string secret = directory + "/secret";
  std::ofstream(secret) << "";
  ASSERT_EQ(::symlink(secret.c_str(), path.c_str()), 0);
  ASSERT_EQ(::lchown(path.c_str(), 12345, 12345), 0);
  EXPECT_EQ(open()->write("x\n"), -ELOOP);
  ASSERT_EQ(::lchown(path.c_str(), 0, 0), 0);
  EXPECT_EQ(open()->write("x\n"), 2) << "one's own is";
}

TEST_F(LogFileTest, what_is_no_file_is_written_to_and_not_rotated) {
  path = "/dev/null";
  const auto file = open({.max_size = 2, .rules = {.max_files = 2}});
  write(*file, "one\ntwo\nthree\n");
  EXPECT_EQ(file->trouble(), "");
}

TEST_F(LogFileTest, grows_on_where_it_cannot_be_rotated_and_says_so_once) {
  const auto file = open({.max_size = 10, .rules = {.max_files = 2}});
  write(*file, "1111\n");
  fs::remove(path);  // somebody has taken it away, so it has no name to rename
  write(*file, "2222\n3333\n");
  EXPECT_EQ(file->trouble(), "cannot rotate " + path + ": No such file or directory (it grows on)");
  EXPECT_EQ(file->trouble(), "");
}

// The same behind a writer: what a disk without room looks like (RLIMIT_FSIZE: EFBIG instead of ENOSPC).
TEST_F(LogFileTest, a_full_disk_loses_lines_into_a_counter_and_a_marker_tells_when_there_is_room) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  std::binary_semaphore moved(0);
  OutputWriter writer(open(), [&] { moved.release(); });
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "nineteen characters\n";
  writer.put(lines);
  EXPECT_TRUE(writer.finish(30s));
  moved.acquire();
  EXPECT_EQ(writer.failure(), EFBIG);
  EXPECT_EQ(writer.lost_in_all(), 50U);
  ::setrlimit(RLIMIT_FSIZE, &before);
  writer.put(std::string("there is room\n"));
  EXPECT_TRUE(writer.finish(30s));
  EXPECT_TRUE(text_of().ends_with("nineteen characters\nlost 50: File too large\nthere is room\n"))
      << text_of();
  EXPECT_EQ(writer.failure(), 0);
}

TEST_F(LogFileTest, a_writer_attends_to_its_file_when_it_is_due) {
  for (const char* suffix : {".1"}) std::ofstream(path + suffix) << "old\n";
  OutputWriter writer(open({.max_size = 1000, .rules = {.max_files = 3, .max_age = 100ms}}), {});
  writer.attend();
  until([&] { return !exists(".1"); });
  EXPECT_TRUE(exists(""));
}

TEST_F(LogFileTest, a_writer_tells_of_trouble_in_words) {
  path = directory + "/none/app.log";
  std::binary_semaphore moved(0);
  OutputWriter writer(open(), [&] { moved.release(); });
  writer.reopen();
  moved.acquire();
  EXPECT_EQ(writer.take_trouble(), "cannot open the log file " + path + ": No such file or directory");
}

}  // namespace
}  // namespace belfry::system
