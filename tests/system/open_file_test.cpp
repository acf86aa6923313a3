#include "system/open_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace belfry::system {
namespace {

namespace fs = std::filesystem;

class OpenFileTest : public testing::Test {
 protected:
  OpenFileTest() {
    std::string path = fs::temp_directory_path() / "belfry-files.XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    place_ = path;
  }
  ~OpenFileTest() override { fs::remove_all(place_); }
  [[nodiscard]] std::string at(const std::string& name) const { return place_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(at(name)) << text; }

  std::string place_;
};

TEST_F(OpenFileTest, a_fifo_without_a_writer_is_opened_at_once_and_blocks_whoever_reads_it) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  const auto file = open_to_read(at("fifo"));
  ASSERT_TRUE(file);
  EXPECT_EQ(::fcntl(file->get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(open_to_append(at("no/such/place")).error(), ENOENT);
}

TEST_F(OpenFileTest, what_is_appended_stands_behind_what_is_there) {
  write("log", "one\n");
  const auto file = open_to_append(at("log"));
  ASSERT_TRUE(file);
  EXPECT_EQ(::write(file->get(), "two\n", 4), 4);
  EXPECT_EQ(beginning_of(at("log"), 100), "one\ntwo\n");
  EXPECT_EQ(beginning_of(at("log"), 5), "one\nt");
  EXPECT_EQ(beginning_of(at("nothing"), 5), "");
}

TEST_F(OpenFileTest, a_regular_file_is_read_whole_or_not_at_all) {
  write("hosts", "127.0.0.1 localhost\n");
  std::string text = "what was there before";
  EXPECT_EQ(read_regular_file(at("hosts"), 100, text), FileStamp::of(at("hosts").c_str()));
  EXPECT_EQ(text, "127.0.0.1 localhost\n");
  EXPECT_FALSE(read_regular_file(at("hosts"), 5, text)) << "it is longer than that";
  EXPECT_FALSE(read_regular_file("/dev/zero", 100, text));
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_FALSE(read_regular_file(at("fifo"), 100, text));
}

TEST_F(OpenFileTest, a_note_is_believed_only_when_nobody_else_can_have_written_it) {
  auto note = OwnFile::create(at("note"));
  ASSERT_TRUE(note);
  note->append("one\n");
  note->append("two\n");
  EXPECT_EQ(OwnFile::read(at("note")), "one\ntwo\n");
  note->replace("three\n");
  EXPECT_EQ(OwnFile::read(at("note")), "three\n");
  ASSERT_EQ(::chmod(at("note").c_str(), 0666), 0);
  EXPECT_EQ(OwnFile::read(at("note")), "") << "everybody may write to it";
  ASSERT_EQ(::chmod(at("note").c_str(), 0600), 0);
  ASSERT_EQ(::link(at("note").c_str(), at("another").c_str()), 0);
  EXPECT_EQ(OwnFile::read(at("note")), "") << "it has a second name";
  ASSERT_EQ(::symlink("note", at("pointer").c_str()), 0);
  EXPECT_EQ(OwnFile::read(at("pointer")), "");
}

TEST_F(OpenFileTest, a_note_is_never_written_through_a_name_that_leads_elsewhere) {
  write("precious", "mine\n");
  ASSERT_EQ(::symlink("precious", at("note").c_str()), 0);
  auto note = OwnFile::create(at("note"));
  ASSERT_TRUE(note);
  note->append("theirs\n");
  EXPECT_EQ(beginning_of(at("precious"), 100), "mine\n");
  EXPECT_EQ(OwnFile::read(at("note")), "theirs\n");
  OwnFile::remove(at("note"));
  EXPECT_FALSE(fs::exists(at("note")));
}

}  // namespace
}  // namespace belfry::system
