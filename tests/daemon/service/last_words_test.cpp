// What is made of what programs say last. The lines are those of the programs named, as they were read.
#include "daemon/service/last_words.hpp"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "daemon/service/ports_in_text.hpp"

namespace belfry::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Case {
  const char* who;
  const char* tail;
  Complaint complaint;
  const char* thing;
};

TEST(LastWords, of_loaders_env_and_shells_name_what_is_missing) {
  const Case cases[] = {
      {"glibc",
       "./app: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such "
       "file or "
       "directory\n",
       Complaint::library_missing, "libpq.so.5"},
      {"musl", "Error loading shared library libssl.so.3: No such file or directory (needed by ./app)\n",
       Complaint::library_missing, "libssl.so.3"},
      {"glibc, another word size",
       "./app: error while loading shared libraries: libz.so.1: wrong ELF class: ELFCLASS32\n",
       Complaint::library_foreign, "libz.so.1"},
      {"glibc, too old",
       "./app: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by ./app)\n",
       Complaint::library_too_old, "GLIBC_2.38"},
      {"glibc, a symbol", "./app: symbol lookup error: ./app: undefined symbol: pq_connect, version PQ_2\n",
       Complaint::symbol_missing, "pq_connect"},
      {"musl, a symbol", "Error relocating ./app: pq_connect: symbol not found\n", Complaint::symbol_missing,
       "pq_connect"},
      {"GNU env", "/usr/bin/env: \u2018node\u2019: No such file or directory\n",
       Complaint::interpreter_missing, "node"},
      {"GNU env, C locale", "/usr/bin/env: 'node': No such file or directory\n",
       Complaint::interpreter_missing, "node"},
      {"GNU env, CRLF",
       "/usr/bin/env: \u2018python3\\r\u2019: No such file or directory\n/usr/bin/env: use -[v]S to pass "
       "options in "
       "shebang lines\n",
       Complaint::carriage_return, "python3"},
      {"busybox env, CRLF", "env: can't execute 'python3\r': No such file or directory\n",
       Complaint::carriage_return, "python3"},
      {"env, two words", "/usr/bin/env: \u2018python3 -u\u2019: No such file or directory\n",
       Complaint::interpreter_words, "python3 -u"},
      {"GNU env, forbidden", "/usr/bin/env: \u2018node\u2019: Permission denied\n",
       Complaint::command_forbidden, "node"},
      {"dash", "sh: 1: dat: not found\n", Complaint::command_missing, "dat"},
      {"dash in a file", "./run.sh: 12: dat: not found\n", Complaint::command_missing, "dat"},
      {"bash", "bash: line 1: dat: command not found\n", Complaint::command_missing, "dat"},
      {"bash -c", "bash: dat: command not found\n", Complaint::command_missing, "dat"},
      {"zsh", "zsh:1: command not found: dat\n", Complaint::command_missing, "dat"},
      {"bash, no interpreter", "bash: line 1: ./z.sh: cannot execute: required file not found\n",
       Complaint::command_missing, "./z.sh"},
      {"bash, CRLF in a command", "./run.sh: line 3: $'start\\r': command not found\n",
       Complaint::carriage_return, "start"},
      {"dash, CRLF in a command", "./run.sh: 3: start\r: not found\n", Complaint::carriage_return, "start"},
      {"dash, CRLF behind set -e", "./run.sh: 2: set: Illegal option -\r\n", Complaint::carriage_return, ""},
      {"bash, CRLF behind set -e", "./run.sh: line 2: set: -\r: invalid option\n", Complaint::carriage_return,
       ""},
      {"an older bash, CRLF", "bash: ./run.sh: /bin/sh^M: bad interpreter: No such file or directory\n",
       Complaint::carriage_return, "/bin/sh"},
      {"an older bash", "bash: ./run.sh: /opt/zsh: bad interpreter: No such file or directory\n",
       Complaint::interpreter_missing, "/opt/zsh"},
      {"dash, forbidden", "sh: 1: ./app: Permission denied\n", Complaint::command_forbidden, "./app"},
      {"dash, foreign", "sh: 1: ./app: Exec format error\n", Complaint::command_foreign, "./app"},
      {"bash, foreign", "bash: line 1: ./app: cannot execute binary file: Exec format error\n",
       Complaint::command_foreign, "./app"},
  };
  for (const Case& one : cases) {
    const LastWords words = read_last_words(one.tail);
    EXPECT_EQ(words.complaint, one.complaint) << one.who;
    EXPECT_EQ(words.thing, one.thing) << one.who;
    EXPECT_FALSE(text_of(words).empty()) << one.who;
  }
}

struct PortCase {
  const char* who;
  const char* tail;
  std::uint16_t port;  // 0: it does not say
};

TEST(LastWords, of_servers_whose_port_is_taken_say_so_and_mostly_which) {
  const PortCase cases[] = {
      {"node",
       "Error: listen EADDRINUSE: address already in use :::3000\n    at Server.setupListenHandle [as "
       "_listen2] "
       "(node:net:1331:16)\n  code: 'EADDRINUSE',\n  errno: -98,\n  syscall: 'listen',\n  address: '::',\n  "
       "port: "
       "3000\n}\n",
       3000},
      {"Python", "    self.socket.bind(self.server_address)\nOSError: [Errno 98] Address already in use\n",
       0},
      {"uvicorn",
       "ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already "
       "in use\n",
       8000},
      {"gunicorn", "[2026-11-30 12:34:56 +0000] [7] [ERROR] Connection in use: ('0.0.0.0', 8000)\n", 8000},
      {"nginx", "2026/11/30 12:34:56 [emerg] 7#7: bind() to 0.0.0.0:80 failed (98: Address already in use)\n",
       80},
      {"Apache", "(98)Address already in use: AH00072: make_sock: could not bind to address [::]:80\n", 80},
      {"Go", "2026/11/30 12:34:56 listen tcp :8080: bind: address already in use\nexit status 1\n", 8080},
      {"Go, an address", "panic: listen tcp 127.0.0.1:8080: bind: address already in use\n", 8080},
      {"Java",
       "java.net.BindException: Address already in use\n\tat java.base/sun.nio.ch.Net.bind0(Native "
       "Method)\n\tat App.main(App.java:12)\n",
       0},
      {"Spring", "Description:\n\nWeb server failed to start. Port 8080 was already in use.\n\nAction:\n",
       8080},
      {"PostgreSQL",
       "2026-11-30 12:34:56.789 UTC [7] LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in "
       "use\n"
       "2026-11-30 12:34:56.789 UTC [7] HINT:  Is another postmaster already running on port 5432? If not, "
       "wait a "
       "few seconds and retry.\n",
       5432},
      {"Redis",
       "7:M 30 Nov 2026 12:34:56.789 # Warning: Could not create server TCP listening socket *:6379: bind: "
       "Address already in use\n",
       6379},
      {"MariaDB",
       "2026-11-30 12:34:56 0 [ERROR] Can't start server: Bind on TCP/IP port. Got error: 98: Address "
       "already in "
       "use\n2026-11-30 12:34:56 0 [ERROR] Do you already have another server running on port: 3306 ?\n",
       3306},
      {"HAProxy",
       "[ALERT]    (7) : Starting frontend web: cannot bind socket (Address already in use) [0.0.0.0:80]\n",
       80},
      {"memcached", "failed to listen on TCP port 11211: Address already in use\n", 11211},
      {"Puma", "Address already in use - bind(2) for \"127.0.0.1\" port 3000 (Errno::EADDRINUSE)\n", 3000},
      {"PHP",
       "[Mon Nov 30 12:34:56 2026] Failed to listen on localhost:8000 (reason: Address already in use)\n",
       8000},
      {"Rust", "Error: Os { code: 98, kind: AddrInUse, message: \"Address already in use\" }\n", 0},
      {"ASP.NET", "Failed to bind to address http://127.0.0.1:5000: address already in use.\n", 5000},
      {"MongoDB",
       "{\"t\":{\"$date\":\"2026-11-30T12:34:56.789+00:00\"},\"s\":\"E\",\"msg\":\"Failed to set up "
       "listener\",\"attr\":{\"error\":{\"code\":9001,\"errmsg\":\"Address already in use\"}}}\n",
       0},
      {"in colours", "\x1b[31mError\x1b[0m: listen \x1b[1mEADDRINUSE\x1b[22m :::3000\n", 3000},
  };
  for (const PortCase& one : cases) {
    const LastWords words = read_last_words(one.tail);
    EXPECT_EQ(words.complaint, Complaint::port_taken) << one.who;
    EXPECT_EQ(words.ports.empty() ? 0 : words.ports.front(), one.port) << one.who;
  }
}

TEST(LastWords, of_servers_that_may_not_bind_are_told_from_other_refusals) {
  const PortCase cases[] = {
      {"nginx", "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)\n", 80},
      {"Go", "listen tcp :443: bind: permission denied\n", 443},
      {"node", "Error: listen EACCES: permission denied 0.0.0.0:80\n", 80},
      {"Python", "    self.socket.bind(self.server_address)\nPermissionError: [Errno 13] Permission denied\n",
       0},
  };
  for (const PortCase& one : cases) {
    const LastWords words = read_last_words(one.tail);
    EXPECT_EQ(words.complaint, Complaint::port_forbidden) << one.who;
    EXPECT_EQ(words.ports.empty() ? 0 : words.ports.front(), one.port) << one.who;
  }
  const char* others[] = {"PermissionError: [Errno 13] Permission denied: '/var/lib/app'\n",
                          "postgres: could not access directory \"/var/lib/pg\": Permission denied\n"};
  for (const char* other : others) EXPECT_EQ(read_last_words(other).complaint, Complaint::none) << other;
}

TEST(LastWords, of_who_met_a_limit_count_at_the_very_end_only) {
  EXPECT_EQ(read_last_words("sh: 0: Cannot fork\n").complaint, Complaint::process_limit);
  EXPECT_EQ(read_last_words("RuntimeError: can't start new thread\n").complaint, Complaint::process_limit);
  EXPECT_EQ(read_last_words("bash: fork: Resource temporarily unavailable\n").complaint,
            Complaint::process_limit);
  EXPECT_EQ(read_last_words("accept4(): Too many open files\n").complaint, Complaint::descriptor_limit);
  EXPECT_EQ(read_last_words("terminate called after throwing an instance of 'std::bad_alloc'\n  what():  x\n")
                .complaint,
            Complaint::memory_short);
  EXPECT_EQ(read_last_words("write: No space left on device\n").complaint, Complaint::disk_full);
  EXPECT_EQ(read_last_words("write: No space left on device\nretrying\nwritten\ndone\ngood bye\n").complaint,
            Complaint::none);
}

TEST(LastWords, say_nothing_where_nobody_complains) {
  EXPECT_EQ(read_last_words("").complaint, Complaint::none);
  EXPECT_EQ(read_last_words("\n \r\n\n").complaint, Complaint::none);
  EXPECT_EQ(read_last_words("ready\nGET /not found\nbye\n").complaint, Complaint::none);
  EXPECT_EQ(read_last_words("password=hunter2: wrong\n").complaint, Complaint::none);
  EXPECT_EQ(text_of(LastWords{}), "");
}

TEST(LastWords, the_latest_complaint_counts) {
  EXPECT_EQ(read_last_words("bind: Address already in use\nsh: 3: retry: not found\n").complaint,
            Complaint::command_missing);
}

TEST(LastWords, what_is_repeated_of_them_is_short_and_cannot_move_a_cursor) {
  const LastWords words = read_last_words("sh: 1: a\x07" + std::string(5000, 'x') + ": not found\n");
  EXPECT_EQ(words.complaint, Complaint::command_missing);
  EXPECT_LE(words.thing.size(), 110U);
  EXPECT_EQ(words.thing.find('\x07'), std::string::npos);
}

TEST(PortsInText, are_those_of_addresses) {
  EXPECT_THAT(ports_in("0.0.0.0:80 [::]:443 :::3000 *:6379 [::1]:22"), ElementsAre(80, 443, 3000, 6379, 22));
  EXPECT_THAT(ports_in("PORT 5432, port: 3306, \"port\":8080, port=9"), ElementsAre(5432, 3306, 8080, 9));
  EXPECT_THAT(ports_in("http://localhost:8000/ ('::1', 7, 0, 0)"), ElementsAre(8000, 7));
}

TEST(PortsInText, are_no_times_lines_codes_or_numbers_that_are_none) {
  EXPECT_THAT(ports_in("2026-11-30T12:34:56Z 12:34:56.789 2026/11/30 12:34"), IsEmpty());
  EXPECT_THAT(ports_in("server.go:12 (node:net:1331:16) app.py:3 [::1] (98: in use) [Errno 98]"), IsEmpty());
  EXPECT_THAT(ports_in(":0 :65536 :99999999999 :80x transport 5"), IsEmpty());
}

}  // namespace
}  // namespace belfry::daemon
