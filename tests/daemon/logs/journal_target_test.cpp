#include "daemon/logs/journal_target.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <string>

#include "daemon/logs/line_format.hpp"

namespace belfry::daemon {
namespace {

// As journald reads an entry: each field with a length, or up to the end of its line.
std::map<std::string, std::string> fields_of(std::string_view entry) {
  std::map<std::string, std::string> fields;
  while (!entry.empty()) {
    const std::size_t line = entry.find('\n');
    const std::size_t equals = entry.substr(0, line).find('=');
    if (equals != std::string_view::npos) {
      fields[std::string(entry.substr(0, equals))] = entry.substr(equals + 1, line - equals - 1);
      entry.remove_prefix(line + 1);
      continue;
    }
    std::uint64_t size = 0;
    std::memcpy(&size, entry.data() + line + 1, sizeof size);
    fields[std::string(entry.substr(0, line))] = entry.substr(line + 9, size);
    EXPECT_EQ(entry[line + 9 + size], '\n');
    entry.remove_prefix(line + 10 + size);
  }
  return fields;
}

std::string record(std::string_view text) {
  std::string line = record_head("web", {.incarnation = 4, .stream = LogStream::standard_error});
  return line.append(text) + "\n";
}

std::map<std::string, std::string> entry_of(std::string_view text) {
  const std::string line = record(text);
  return fields_of(journal_entry(*read_record(std::string_view(line).substr(0, line.size() - 1)), "shop"));
}

TEST(JournalEntry, names_service_run_and_stream) {
  EXPECT_EQ(entry_of("a line"), (std::map<std::string, std::string>{{"MESSAGE", "a line"},
                                                                    {"PRIORITY", "6"},
                                                                    {"SYSLOG_IDENTIFIER", "web"},
                                                                    {"BELFRY_STACK", "shop"},
                                                                    {"BELFRY_SERVICE", "web"},
                                                                    {"BELFRY_INCARNATION", "4"},
                                                                    {"BELFRY_STREAM", "stderr"}}));
}

TEST(JournalEntry, takes_the_priority_that_a_line_begins_with) {
  EXPECT_EQ(entry_of("<3>broken").at("PRIORITY"), "3");
  EXPECT_EQ(entry_of("<3>broken").at("MESSAGE"), "broken");
  EXPECT_EQ(entry_of("<9>not one").at("MESSAGE"), "<9>not one");
}

TEST(JournalEntry, any_bytes_are_a_message_and_none_is_a_field) {
  const std::string bytes("x=1\rPRIORITY=0 \0\xff", 17);
  EXPECT_EQ(entry_of(bytes).at("MESSAGE"), bytes);
  EXPECT_EQ(entry_of(bytes).at("PRIORITY"), "6");
  EXPECT_EQ(entry_of("").at("MESSAGE"), "");
}

// A socket of the test's, as journald's.
struct JournalTargetTest : testing::Test {
  JournalTargetTest() {
    std::string name = "/tmp/belfry-journal-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    listen();
  }
  ~JournalTargetTest() override {
    ::close(socket);
    std::filesystem::remove_all(directory);
  }
  void listen() {
    socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    ::unlink(path().c_str());
    EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  [[nodiscard]] std::string path() const { return directory + "/socket"; }
  // The next entry, from the datagram or from the file that came with it.
  [[nodiscard]] std::string received() const {
    std::string text(1 << 20, '\0');
    iovec part{text.data(), text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t got = ::recvmsg(socket, &message, MSG_DONTWAIT);
    if (got < 0) return "nothing";
    text.resize(static_cast<std::size_t>(got));
    if (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr) {
      int file = -1;
      std::memcpy(&file, CMSG_DATA(header), sizeof file);
      EXPECT_EQ(::fcntl(file, F_GET_SEALS) & F_SEAL_WRITE, F_SEAL_WRITE);
      text.resize(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)));
      EXPECT_EQ(::pread(file, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
      ::close(file);
    }
    return text;
  }
  std::string directory;
  int socket = -1;
};

TEST_F(JournalTargetTest, sends_a_datagram_a_line) {
  JournalTarget target(path(), "shop");
  const std::string lines = record("one") + record("two");
  std::string_view rest = lines;
  while (!rest.empty()) {
    const ssize_t done = target.write(rest);
    ASSERT_GT(done, 0);
    rest.remove_prefix(static_cast<std::size_t>(done));
  }
  EXPECT_EQ(fields_of(received()).at("MESSAGE"), "one");
  EXPECT_EQ(fields_of(received()).at("MESSAGE"), "two");
  EXPECT_EQ(received(), "nothing");
}

TEST_F(JournalTargetTest, sends_a_line_that_no_datagram_holds_in_a_sealed_file) {
  JournalTarget target(path(), "shop");
  const std::string line(15 << 20, 'x');
  EXPECT_GT(target.write(record(line)), 0);
  EXPECT_TRUE(fields_of(received()).at("MESSAGE") == line);
}

TEST_F(JournalTargetTest, says_why_when_nobody_listens_and_finds_who_comes_next) {
  JournalTarget target(path(), "shop");
  EXPECT_GT(target.write(record("before")), 0);
  ::close(socket);
  EXPECT_EQ(target.write(record("lost")), -ECONNREFUSED);
  listen();
  EXPECT_GT(target.write(target.marker(1, "Connection refused")), 0);
  EXPECT_EQ(fields_of(received()).at("MESSAGE"), "[belfry: 1 line lost here: Connection refused]");
  JournalTarget nowhere(directory + "/none", "shop");
  EXPECT_EQ(nowhere.write(record("lost")), -ENOENT);
}

}  // namespace
}  // namespace belfry::daemon
