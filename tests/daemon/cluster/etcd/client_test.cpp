// The client and a member that follows a script: what etcd does seldom, and a cancel in every state.
#include "daemon/cluster/etcd/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "tests/daemon/cluster/etcd/rig.hpp"
#include "tests/daemon/cluster/etcd/scripted_member.hpp"
#include "tests/probes/protocols/http2_frames.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::daemon::etcd::test {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

const std::string empty_range = "\x0A\x04\x08\x01\x18\x05"s;    // header: cluster 1, revision 5
const std::string created = empty_range + "\x18\x01"s;          // of a watch
const std::string renewed = empty_range + "\x10\x07\x18\x0A"s;  // lease 7, 10 s

struct EtcdClient : testing::Test {
  Rig rig;
  Context ctx = rig.soon(5s);
  ScriptedMember::Script script = [](std::uint32_t) { return ""s; };
  std::unique_ptr<ScriptedMember> member;

  // The first stream of each connection asks for the status.
  ScriptedMember& greets() {
    member = std::make_unique<ScriptedMember>(rig.loop, [this](std::uint32_t stream) {
      return stream == 1 ? whole_answer(1, status_of_cluster()) : script(stream);
    });
    return *member;
  }
  Client& connect() { return rig.begin(options()); }
  ClientOptions options() { return options_for({member->address()}); }
  ~EtcdClient() override {
    rig.end_client();
    Context patience(rig.loop);
    if (member) EXPECT_TRUE(rig.wait(member->stop(patience)));
  }
};

TEST_F(EtcdClient, asks_and_is_answered) {
  greets();
  script = [](std::uint32_t stream) { return whole_answer(stream, empty_range); };
  Client& client = connect();
  const auto listed = rig.wait(client.range(ctx, "a/"));
  ASSERT_TRUE(listed) << listed.error().text();
  EXPECT_EQ(listed->revision, 5);
  EXPECT_EQ(client.facts().version, "3.6.14");
  EXPECT_EQ(client.facts().remark, "");
  EXPECT_EQ(client.facts().cluster, 1U);
}

TEST_F(EtcdClient, connects_to_nobody_before_it_is_asked) {
  greets();
  connect();
  rig.loop.run_until_idle();
  EXPECT_EQ(member->connections(), 0U);
}

TEST_F(EtcdClient, an_answer_of_another_cluster_in_the_middle_ends_the_connection) {
  greets();
  script = [](std::uint32_t stream) { return whole_answer(stream, "\x0A\x02\x08\x02"s); };
  const auto listed = rig.wait(connect().range(ctx, "a/"));
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().text(), "cannot list the keys below a/ in etcd: etcd at " + member->address() +
                                       " belongs to another cluster: its id is 2, and not 1");
}

TEST_F(EtcdClient, reading_is_asked_again_when_the_connection_goes_in_the_middle) {
  greets();
  script = [this](std::uint32_t stream) {
    if (member->connections() > 1) return whole_answer(stream, empty_range);
    member->hang_up();
    return ""s;
  };
  const auto listed = rig.wait(connect().range(ctx, "a/"));
  ASSERT_TRUE(listed) << listed.error().text();
  EXPECT_EQ(member->connections(), 2U);
}

TEST_F(EtcdClient, of_a_transaction_whose_connection_goes_nobody_knows_and_it_is_not_asked_again) {
  greets();
  int asked = 0;
  script = [this, &asked](std::uint32_t) {
    ++asked;
    member->hang_up();
    return ""s;
  };
  const auto made = rig.wait(connect().txn(ctx, {}));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), Error::Kind::closed);
  EXPECT_EQ(made.error().text(), "cannot make a transaction in etcd: it closed the connection");
  EXPECT_EQ(asked, 1);
}

TEST_F(EtcdClient, of_a_transaction_that_etcd_says_nothing_certain_of_nobody_knows) {
  greets();
  std::string status;
  script = [&status](std::uint32_t stream) { return begun(stream) + ended(stream, status, "so be it"); };
  Client& client = connect();
  for (const char* uncertain : {"1", "2", "4", "10", "13", "15"}) {
    status = uncertain;
    const auto made = rig.wait(client.txn(ctx, {}));
    ASSERT_FALSE(made) << status;
    EXPECT_EQ(made.error().kind(), Error::Kind::closed) << status;
  }
  for (const char* certain : {"3", "7", "8", "9"}) {
    status = certain;
    const auto made = rig.wait(client.txn(ctx, {}));
    ASSERT_FALSE(made) << status;
    EXPECT_EQ(made.error().kind(), Error::Kind::failed) << status;
  }
}

TEST_F(EtcdClient, a_list_in_pages_begins_again_when_its_revision_is_gone) {
  greets();
  int asked = 0;
  const std::string first = "\x12\x05\x0A\x03s/1"s, second = "\x12\x05\x0A\x03s/2"s, more = "\x18\x01"s;
  script = [&](std::uint32_t stream) {
    switch (++asked) {
      case 1: return whole_answer(stream, empty_range + first + more);
      case 2: return begun(stream) + ended(stream, "11", "required revision has been compacted");
      case 3: return whole_answer(stream, empty_range + first + more);
      default: return whole_answer(stream, empty_range + second);
    }
  };
  const auto listed = rig.wait(connect().range(ctx, "s/"));
  ASSERT_TRUE(listed) << listed.error().text();
  ASSERT_EQ(listed->keys.size(), 2U);
  EXPECT_EQ(listed->keys[1].key, "s/2");
  EXPECT_EQ(listed->revision, 5);
  EXPECT_EQ(asked, 4);
}

TEST_F(EtcdClient, a_list_that_is_compacted_again_and_again_is_an_error) {
  greets();
  int asked = 0;
  script = [&](std::uint32_t stream) {
    return ++asked % 2 == 1 ? whole_answer(stream, empty_range + "\x12\x05\x0A\x03s/1\x18\x01"s)
                            : begun(stream) + ended(stream, "11", "compacted");
  };
  const auto listed = rig.wait(connect().range(ctx, "s/"));
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().text(),
            "cannot list the keys below s/ in etcd: it is compacted faster than they are read");
}

TEST_F(EtcdClient, a_transaction_that_was_not_looked_at_is_asked_again) {
  greets();
  int asked = 0;
  script = [&asked](std::uint32_t stream) {
    constexpr std::uint32_t refused_stream = 7;
    return ++asked == 1 ? reset(stream, refused_stream) : whole_answer(stream, empty_range + "\x10\x01"s);
  };
  const auto made = rig.wait(connect().txn(ctx, {}));
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_TRUE(made->held);
  EXPECT_EQ(asked, 2);
}

TEST_F(EtcdClient, a_member_that_goes_away_in_good_order_finishes_what_it_has_and_is_left) {
  greets();
  script = [](std::uint32_t stream) { return goaway(stream) + whole_answer(stream, empty_range); };
  Client& client = connect();
  EXPECT_TRUE(rig.wait(client.range(ctx, "a/")));
  EXPECT_TRUE(rig.wait(client.range(ctx, "a/")));
  EXPECT_EQ(member->connections(), 2U);
}

TEST_F(EtcdClient, who_speaks_something_else_is_named) {
  greets().greeting = "HTTP/1.1 400 Bad Request\r\n\r\n";
  const auto listed = rig.wait(connect().range(ctx, "a/"));
  ASSERT_FALSE(listed);
  EXPECT_THAT(listed.error().text(), HasSubstr("it speaks HTTP and not HTTP/2, as etcd does"));
}

TEST_F(EtcdClient, an_answer_that_is_no_message_is_an_error) {
  greets();
  script = [](std::uint32_t stream) { return whole_answer(stream, "\x08"); };
  const auto listed = rig.wait(connect().range(ctx, "a/"));
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().text(), "cannot list the keys below a/ in etcd: the answer is not well-formed");
}

TEST_F(EtcdClient, what_a_member_says_is_fit_for_a_terminal) {
  greets();
  script = [](std::uint32_t stream) { return begun(stream) + ended(stream, "7", "%1B[2Jno"); };
  const auto listed = rig.wait(connect().range(ctx, "a/"));
  ASSERT_FALSE(listed);
  EXPECT_THAT(listed.error().text(), HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(listed.error().text(), testing::Not(HasSubstr("\x1B")));
}

TEST_F(EtcdClient, a_member_that_answers_nothing_in_time_is_left_for_another) {
  greets();
  script = [this](std::uint32_t stream) {
    return member->connections() > 1 ? whole_answer(stream, empty_range) : ""s;
  };
  ClientOptions quick = options();
  quick.answer_timeout = 20ms;
  const auto listed = rig.wait(rig.begin(quick).range(ctx, "a/"));
  ASSERT_TRUE(listed) << listed.error().text();
  EXPECT_EQ(member->connections(), 2U);
}

TEST_F(EtcdClient, silence_while_a_call_is_open_ends_the_connection) {
  greets();  // it answers no PING
  script = [](std::uint32_t stream) { return begun(stream) + message(stream, created); };
  ClientOptions quick = options();
  quick.patience = {.before_ping = 10ms, .for_answer = 10ms};
  Client& client = rig.begin(quick);
  auto watch = rig.wait(client.watch(ctx, "a/", 1));
  ASSERT_TRUE(watch) << watch.error().text();
  const auto news = rig.wait((*watch)->next(ctx));
  ASSERT_FALSE(news);
  EXPECT_EQ(news.error().text(), "cannot watch the keys below a/ in etcd: it answers nothing any more");
}

TEST_F(EtcdClient, a_watch_that_is_let_go_is_ended_at_the_member) {
  greets();
  script = [](std::uint32_t stream) {
    return stream == 3 ? begun(stream) + message(stream, created) : whole_answer(stream, empty_range);
  };
  Client& client = connect();
  auto watch = rig.wait(client.watch(ctx, "a/", 1));
  ASSERT_TRUE(watch) << watch.error().text();
  watch->reset();
  EXPECT_TRUE(rig.wait(client.range(ctx, "a/")));
  EXPECT_EQ(member->resets(), 1U);
  EXPECT_EQ(member->connections(), 1U);
}

TEST_F(EtcdClient, renewals_share_a_stream_and_one_whose_answer_nobody_heard_is_given_up) {
  greets();
  int asked = 0;
  script = [&asked](std::uint32_t stream) {
    ++asked;
    if (stream == 3) return asked == 1 ? begun(3) + message(3, renewed) : ""s;
    return begun(stream) + message(stream, renewed);
  };
  Client& client = connect();
  EXPECT_EQ(rig.wait(client.keep_alive(ctx, 7)), 10s);
  Context impatient = within(ctx, 20ms);
  const auto cut = rig.wait(client.keep_alive(impatient, 7));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind(), Error::Kind::deadline_exceeded) << cut.error().text();
  EXPECT_EQ(rig.wait(client.keep_alive(ctx, 7)), 10s);
  EXPECT_EQ(member->resets(), 1U);
  EXPECT_EQ(asked, 3);
}

TEST_F(EtcdClient, a_renewal_of_another_lease_is_not_taken_for_this_one) {
  greets();
  script = [](std::uint32_t stream) { return begun(stream) + message(stream, renewed); };
  const auto left = rig.wait(connect().keep_alive(ctx, 8));
  ASSERT_FALSE(left);
  EXPECT_THAT(left.error().text(), HasSubstr("the answer is about another lease"));
}

// --- a cancel, in each state
// ----------------------------------------------------------------------------------

// Asks in every way there is, cancels when nothing moves any more, and looks at how each call ends: with the
// cause, and leaving nothing behind (the rig and the census look for that).
template <class T>
Task<> note(Task<Result<T>> task, std::string& into) {
  Result<T> result = co_await std::move(task);
  into = result ? "done" : std::string(to_string(result.error().kind()));
}

Task<> note_watch(Context& ctx, Client& client, std::string& into) {
  Result<std::unique_ptr<Watch>> watch = co_await client.watch(ctx, "a/", 1);
  if (!watch) {
    into = to_string(watch.error().kind());
    co_return;
  }
  Result<WatchNews> news = co_await (*watch)->next(ctx);
  into = news ? "done" : std::string(to_string(news.error().kind()));
}

void run_until(Rig& rig, const std::function<bool()>& is_there) {
  for (const TimePoint patience = rig.loop.now() + 10s; !is_there() && rig.loop.now() < patience;)
    rig.loop.run_until_idle();
  EXPECT_TRUE(is_there());
}

void cancel_all(Rig& rig, Client& client, const std::function<bool()>& is_there) {
  Context ctx(rig.root);
  std::array<std::string, 6> ends;
  {
    spawn(rig.tasks, "range", note(client.range(ctx, "a/"), ends[0]));
    spawn(rig.tasks, "txn", note(client.txn(ctx, {}), ends[1]));
    spawn(rig.tasks, "grant", note(client.grant(ctx, 5s), ends[2]));
    spawn(rig.tasks, "renew", note(client.keep_alive(ctx, 7), ends[3]));
    spawn(rig.tasks, "renew too", note(client.keep_alive(ctx, 7), ends[4]));
    spawn(rig.tasks, "watch", note_watch(ctx, client, ends[5]));
  }
  run_until(rig, is_there);
  rig.loop.run_until_idle();
  ctx.cancel();
  rig.loop.run_until_idle();
  for (const std::string& end : ends) EXPECT_EQ(end, "cancelled");
}

TEST_F(EtcdClient, a_cancel_ends_every_call_while_nobody_answers_the_connection) {
  member = std::make_unique<ScriptedMember>(rig.loop, script);  // not even the question for the status
  member->greeting.clear();
  cancel_all(rig, connect(), [this] { return member->connections() > 0; });
}

TEST_F(EtcdClient, a_cancel_ends_every_call_while_the_member_is_asked_who_it_is) {
  member = std::make_unique<ScriptedMember>(rig.loop, script);
  cancel_all(rig, connect(), [this] { return member->connections() > 0; });
}

TEST_F(EtcdClient, a_cancel_ends_every_call_while_the_client_waits_to_try_again) {
  greets();
  const std::string away = belfry::test::LocalSocket().text();
  ClientOptions slow = options_for({away, away});
  slow.random = [] { return 0.999; };
  Client& client = rig.begin(slow);
  cancel_all(rig, client, [&client] { return !client.facts().trouble.empty(); });
}

TEST_F(EtcdClient, a_cancel_ends_every_call_that_waits_for_its_answer) {
  greets();
  Client& client = connect();
  int asked = 0;
  script = [&asked](std::uint32_t) { return ++asked, ""s; };
  cancel_all(rig, client, [&asked] { return asked == 5; });
  run_until(rig, [this] { return member->resets() == 5; });
  script = [](std::uint32_t stream) { return whole_answer(stream, empty_range); };
  EXPECT_TRUE(rig.wait(client.range(ctx, "a/"))) << "the connection is as good as before";
  EXPECT_EQ(member->connections(), 1U);
}

TEST_F(EtcdClient, a_cancel_ends_every_call_in_the_middle_of_its_answer) {
  greets();
  int asked = 0;
  script = [&asked](std::uint32_t stream) {
    ++asked;
    return begun(stream) + belfry::test::http2_frame(0, 0, stream, "\0\0\0\0\x09\x0A"s);
  };
  cancel_all(rig, connect(), [&asked] { return asked == 5; });
}

TEST_F(EtcdClient, stopping_the_client_ends_every_call) {
  greets();
  int asked = 0;
  script = [&asked](std::uint32_t) { return ++asked, ""s; };
  Client& client = connect();
  std::array<std::string, 3> ends;
  spawn(rig.tasks, "range", note(client.range(ctx, "a/"), ends[0]));
  spawn(rig.tasks, "renew", note(client.keep_alive(ctx, 7), ends[1]));
  spawn(rig.tasks, "watch", note_watch(ctx, client, ends[2]));
  run_until(rig, [&asked] { return asked == 3; });
  Context patience(rig.loop);
  EXPECT_TRUE(rig.wait(stop_client(patience, client)));
  rig.loop.run_until_idle();
  for (const std::string& end : ends) EXPECT_EQ(end, "closed");
  const auto late = rig.wait(client.range(ctx, "a/"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().text(), "cannot list the keys below a/ in etcd: the client of etcd was stopped");
}

TEST_F(EtcdClient, a_watch_that_is_kept_after_its_connection_keeps_no_descriptor) {
  greets();
  script = [](std::uint32_t stream) { return begun(stream) + message(stream, created); };
  Client& client = connect();
  auto watch = rig.wait(client.watch(ctx, "a/", 1));
  ASSERT_TRUE(watch) << watch.error().text();
  Context patience(rig.loop);
  EXPECT_TRUE(rig.wait(stop_client(patience, client)));
  run_until(rig, [this] { return member->open_connections() == 0; });
  EXPECT_FALSE(rig.wait((*watch)->next(ctx)));
}

// The frames of all tasks go while they wait, in whatever state.
TEST(EtcdClientTeardown, a_loop_that_is_abandoned_leaves_nothing) {
  for (int steps = 0; steps < 60; ++steps) {
    Loop loop;
    Context root(loop);
    WaitGroup tasks(loop, "tasks of the test");
    probes::Resolver resolver(loop);
    tls::Clients tls;
    ScriptedMember member(loop, [](std::uint32_t stream) {
      if (stream == 1) return whole_answer(1, status_of_cluster());
      return stream == 3 ? begun(3) + message(3, created) : ""s;
    });
    Client client(root, options_for({member.address()}), resolver, tls);
    client.start();
    std::string watched, listed, renewal;
    spawn(tasks, "watch", note_watch(root, client, watched));
    spawn(tasks, "range", note(client.range(root, "a/"), listed));
    spawn(tasks, "renew", note(client.keep_alive(root, 7), renewal));
    for (int i = 0; i < steps; ++i)
      if (!loop.step()) loop.run_until_idle();
    loop.abandon();
    EXPECT_EQ(loop.tasks(), 0U);
  }
}

}  // namespace
}  // namespace belfry::daemon::etcd::test
