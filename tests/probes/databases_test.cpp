// Libraries that are loaded when they are used, and what is said where they are not.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "probes/databases/client.hpp"
#include "probes/databases/shared_library.hpp"
#include "probes/kinds.hpp"
#include "tests/probes/rig.hpp"
#include "tests/system/fixture.hpp"

namespace belfry::probes {
namespace {

using namespace std::chrono_literals;

TEST(SharedLibrary, that_is_missing_names_the_package_and_the_way_out) {
  const auto library = SharedLibrary::load("libnothing-at-all.so.7", "libnothing7");
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().text(),
            "libnothing-at-all.so.7 is not installed: apt install libnothing7, or remove `query:`");
}

TEST(SharedLibrary, that_lacks_a_function_is_too_old) {
  auto library = SharedLibrary::load("libc.so.6", "libc6");
  ASSERT_TRUE(library);
  int (*there)(int) = nullptr;
  library->find(there, "toupper");
  EXPECT_TRUE(library->complete());
  EXPECT_EQ(there('a'), 'A');
  void (*missing)() = nullptr;
  library->find(missing, "belfry_has_no_such_function");
  ASSERT_FALSE(library->complete());
  EXPECT_EQ(library->complete().error().text(),
            "libc.so.6 is too old: it has no belfry_has_no_such_function; install a newer one, or remove "
            "`query:`");
}

struct Case {
  const char* name;
  Made (*make)(NetMeans, const config::Probe&, const ProbeContext&);
  std::string target;
};
std::vector<Case> cases(const std::string& place) {
  return {{"PostgreSQL", make_postgres, "postgres://app:geheim@" + place + "/"},
          {"MySQL", make_mysql, "mysql://app:geheim@" + place + "/"}};
}
config::Probe spec(const std::string& target, const std::string& query) {
  config::Probe probe;
  probe.target = target;
  probe.query = query;
  return probe;
}

TEST(QueryProbe, of_a_server_that_is_not_there_says_so_without_the_password) {
  Loop loop;
  Resolver resolver(loop);
  test::Kernel kernel(loop);
  test::LocalSocket bound(SOCK_STREAM, false, false);  // bound and not listening: refuses
  for (const Case& one : cases(bound.text())) {
    auto probe = one.make(kernel.net(resolver), spec(one.target, "select 1"), {});
    ASSERT_TRUE(probe);
    const std::string why = test::answer(loop, **probe);
    EXPECT_TRUE(why.starts_with("cannot ask " + std::string(one.name) + " at " + bound.text() + ": ")) << why;
    EXPECT_FALSE(why.contains("geheim")) << why;
  }
}

TEST(QueryProbe, ends_with_its_context_while_the_server_says_nothing) {
  Loop loop;
  Resolver resolver(loop);
  test::Kernel kernel(loop);
  test::LocalSocket silent;  // accepts by its backlog, and never answers
  for (const Case& one : cases(silent.text())) {
    auto probe = one.make(kernel.net(resolver), spec(one.target, "select 1"), {});
    ASSERT_TRUE(probe);
    EXPECT_EQ(test::ask_and_cancel(loop, **probe).error().kind(), Error::Kind::cancelled);
    const auto late = test::ask(loop, **probe, 20ms);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind(), Error::Kind::deadline_exceeded) << late.error().text();
  }
}

TEST(QueryProbe, of_a_stranger_fails) {
  for (const Case& one : cases("")) {
    Loop loop;
    Resolver resolver(loop);
    test::Kernel kernel(loop);
    test::CannedServer web("HTTP/1.1 400 Bad Request\r\n\r\n");
    const std::string target = cases(web.socket().text())[one.name[0] == 'M' ? 1 : 0].target;
    auto probe = one.make(kernel.net(resolver), spec(target, "select 1"), {});
    ASSERT_TRUE(probe);
    EXPECT_NE(test::answer(loop, **probe, 100ms), "") << one.name;
    auto plain = one.make(kernel.net(resolver), spec(target, ""), {});
    ASSERT_TRUE(plain);
    EXPECT_NE(test::answer(loop, **plain, 100ms), "") << one.name;
  }
}

// What the next that has connected to it has said before it went away.
std::string heard_by(const test::LocalSocket& listener) {
  const int connection = ::accept(listener.fd(), nullptr, nullptr);
  std::array<char, 4096> bytes{};
  std::string heard;
  for (ssize_t got = 1; got > 0;
       heard.append(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))))
    got = ::recv(connection, bytes.data(), bytes.size(), 0);
  ::close(connection);
  return heard;
}

TEST(QueryProbe, tells_nothing_to_a_stranger_who_has_the_port) {
  test::World world;
  test::Capture output;
  system::Launch launch = test::shell("echo up; exec sleep 1000", &output);
  launch.set_marker("t/api#1");
  const system::TreeId tree{world.spawn(launch), "t/api#1", 0};
  ASSERT_EQ(output.read_line(), "up");
  Resolver resolver(world.loop);
  test::Kernel kernel(world.loop);
  const test::LocalSocket stranger;  // of this process, which is older than the run
  for (const Case& one : cases(stranger.text())) {
    auto probe =
        one.make(kernel.net(resolver), spec(one.target, "select 1"),
                 {.service = "api", .tree = tree, .launch = nullptr, .monitor = {}, .began = Clock::now()});
    ASSERT_TRUE(probe);
    const std::string why = test::answer(world.loop, **probe, 2s);
    EXPECT_TRUE(why.contains("is held by pid " + std::to_string(::getpid()))) << why;
    EXPECT_EQ(heard_by(stranger), "") << one.name;
  }
  world.processes.watch_tree(tree, world.exits);
  world.processes.signal(tree, SIGKILL, system::Scope::tree);
  EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(tree.leader); }));
}

class LogIn final : public Probe {
 public:
  LogIn(DatabaseClient& client, std::vector<Endpoint> where) : client_(client), where_(std::move(where)) {}
  Task<CheckResult> check(Context& ctx) override { return client_.log_in(ctx, where_); }

 private:
  DatabaseClient& client_;
  std::vector<Endpoint> where_;
};

TEST(MysqlClient, goes_on_to_the_next_address_unless_the_server_has_answered) {
  const test::LocalSocket listener;  // at 127.0.0.1 and not at 127.0.0.2
  std::thread server([&listener] {
    for (int i = 0; i < 2; ++i) {
      const std::string denied("\x16\0\0\0\xff\x15\x04#28000Access denied", 26);
      const int connection = ::accept(listener.fd(), nullptr, nullptr);
      EXPECT_EQ(::send(connection, denied.data(), denied.size(), MSG_NOSIGNAL), 26);
      ::close(connection);
    }
  });
  const config::DatabaseAddress address{.hosts = {{.name = "both", .port = listener.port()}}};
  const Endpoint there(asio::ip::make_address("127.0.0.1"), listener.port());
  const Endpoint nobody(asio::ip::make_address("127.0.0.2"), listener.port());
  Loop loop;
  for (const std::vector<Endpoint>& where : {std::vector{there, nobody}, std::vector{nobody, there}}) {
    auto client = make_mysql_client(loop, {.address = address, .host = address.hosts[0]});
    ASSERT_TRUE(client);
    LogIn probe(**client, where);
    EXPECT_EQ(test::answer(loop, probe), "Access denied");
  }
  server.join();
}

TEST(DatabaseProbe, asks_the_next_server_when_one_is_not_there) {
  Loop loop;
  Resolver resolver(loop);
  test::Kernel kernel(loop);
  test::LocalSocket first(SOCK_STREAM, false, false);
  test::LocalSocket second(SOCK_STREAM, false, false);
  auto probe = make_postgres(kernel.net(resolver),
                             spec("postgres://" + first.text() + "," + second.text() + "/", ""), {});
  ASSERT_TRUE(probe);
  EXPECT_EQ(test::answer(loop, **probe), "cannot connect to " + second.text() + ": Connection refused");
}

TEST(DatabaseProbe, is_asked_often_unless_the_file_says_how_often) {
  Loop loop;
  Resolver resolver(loop);
  test::Kernel kernel(loop);
  auto often = make_postgres(kernel.net(resolver), spec("postgres://127.0.0.1/", ""), {});
  auto given = spec("postgres://127.0.0.1/", "");
  given.period = 1s;
  auto seldom = make_postgres(kernel.net(resolver), given, {});
  ASSERT_TRUE(often && seldom);
  EXPECT_EQ((*often)->next_look(0), 1ms);
  EXPECT_EQ((*seldom)->next_look(0), std::nullopt);
}

}  // namespace
}  // namespace belfry::probes
