// The client and etcd itself: each call, and what goes wrong between the two.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "channels/sleep.hpp"
#include "tests/daemon/cluster/etcd/etcd_server.hpp"
#include "tests/daemon/cluster/etcd/rig.hpp"
#include "tests/tls/certificates.hpp"

namespace belfry::daemon::etcd::test {
namespace {

using testing::HasSubstr;

Txn make_if_absent(const std::string& key, const std::string& value, LeaseId lease = 0) {
  Txn txn;
  txn.when.push_back({.key = key, .what = Compare::What::create_revision, .number = 0, .text = {}});
  txn.then.emplace_back(Put{.key = key, .value = value, .lease = lease});
  txn.otherwise.emplace_back(Get{.key = key});
  return txn;
}

Txn remove(const std::string& key) {
  Txn txn;
  txn.then.emplace_back(Delete{.key = key});
  return txn;
}

// One member for all tests that leave it as it was.
EtcdServer& shared_server() {
  static EtcdServer server;
  return server;
}

struct RealEtcd : testing::Test {
  Rig rig;
  Context ctx = rig.soon();
  Client& connect() { return rig.begin(options_for({shared_server().endpoint()})); }
};

TEST_F(RealEtcd, a_key_is_made_listed_and_deleted) {
  Client& client = connect();
  const auto made = rig.wait(client.txn(ctx, make_if_absent("a/1", "one")));
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_TRUE(made->held);
  const auto listed = rig.wait(client.range(ctx, "a/"));
  ASSERT_TRUE(listed) << listed.error().text();
  ASSERT_EQ(listed->keys.size(), 1U);
  EXPECT_EQ(listed->keys[0].key, "a/1");
  EXPECT_EQ(listed->keys[0].value, "one");
  EXPECT_EQ(listed->keys[0].create_revision, made->revision);
  EXPECT_EQ(listed->keys[0].version, 1);
  const auto gone = rig.wait(client.txn(ctx, remove("a/1")));
  ASSERT_TRUE(gone) << gone.error().text();
  ASSERT_EQ(gone->done.size(), 1U);
  EXPECT_EQ(gone->done[0].deleted, 1);
  EXPECT_TRUE(rig.wait(client.range(ctx, "a/"))->keys.empty());
}

TEST_F(RealEtcd, a_transaction_whose_conditions_do_not_hold_does_the_other_branch) {
  Client& client = connect();
  ASSERT_TRUE(rig.wait(client.txn(ctx, make_if_absent("b/1", "first"))));
  const auto again = rig.wait(client.txn(ctx, make_if_absent("b/1", "second")));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_FALSE(again->held);
  ASSERT_EQ(again->done.size(), 1U);
  ASSERT_EQ(again->done[0].found.size(), 1U);
  EXPECT_EQ(again->done[0].found[0].value, "first");
}

TEST_F(RealEtcd, every_kind_of_condition_is_understood) {
  Client& client = connect();
  const auto lease = rig.wait(client.grant(ctx, 30s));
  ASSERT_TRUE(lease) << lease.error().text();
  const auto made = rig.wait(client.txn(ctx, make_if_absent("c/1", "one", lease->id)));
  ASSERT_TRUE(made) << made.error().text();
  using What = Compare::What;
  using How = Compare::How;
  Txn all;
  all.when = {
      {.key = "c/1", .what = What::version, .number = 1, .text = {}},
      {.key = "c/1", .what = What::create_revision, .number = made->revision, .text = {}},
      {.key = "c/1", .what = What::mod_revision, .how = How::less, .number = made->revision + 1, .text = {}},
      {.key = "c/1", .what = What::mod_revision, .how = How::greater, .number = 0, .text = {}},
      {.key = "c/1", .what = What::value, .text = "one"},
      {.key = "c/1", .what = What::lease, .number = lease->id, .text = {}},
      {.key = "c/1", .what = What::lease, .how = How::not_equal, .number = 0, .text = {}},
      {.key = "c/none", .what = What::version, .number = 0, .text = {}},
      {.key = "c/",
       .what = What::mod_revision,
       .how = How::less,
       .number = made->revision + 1,
       .text = {},
       .of_all = true},
      {.key = "c/", .what = What::lease, .number = lease->id, .text = {}, .of_all = true}};
  const auto held = rig.wait(client.txn(ctx, all));
  ASSERT_TRUE(held) << held.error().text();
  EXPECT_TRUE(held->held);
  for (Compare& one : all.when) {
    Txn wrong;
    wrong.when = {one};
    wrong.when[0].how = one.how == How::equal ? How::not_equal : How::equal;
    if (one.how == How::less) wrong.when[0].number = 0;
    EXPECT_FALSE(rig.wait(client.txn(ctx, wrong))->held) << one.key << static_cast<int>(one.what);
  }
}

TEST_F(RealEtcd, a_condition_on_all_below_a_prefix_holds_where_there_is_none) {
  Client& client = connect();
  Txn none;
  none.when.push_back({.key = "nowhere/",
                       .what = Compare::What::mod_revision,
                       .how = Compare::How::less,
                       .number = 1,
                       .text = {},
                       .of_all = true});
  const auto held = rig.wait(client.txn(ctx, none));
  ASSERT_TRUE(held) << held.error().text();
  EXPECT_TRUE(held->held);
}

TEST_F(RealEtcd, a_list_of_many_pages_is_whole_and_of_one_revision) {
  Client& client = connect();
  constexpr int keys = 20'000, at_once = 100;
  for (int from = 0; from < keys; from += at_once) {
    Txn txn;
    for (int i = from; i < from + at_once; ++i)
      txn.then.emplace_back(
          Put{.key = "pages/" + std::to_string(100'000 + i), .value = std::string(200, 'x'), .lease = 0});
    ASSERT_TRUE(rig.wait(client.txn(ctx, txn)));
  }
  const auto listed = rig.wait(client.range(ctx, "pages/"));
  ASSERT_TRUE(listed) << listed.error().text();
  ASSERT_EQ(listed->keys.size(), static_cast<std::size_t>(keys));
  EXPECT_TRUE(std::ranges::is_sorted(listed->keys, {}, &KeyValue::key));
  EXPECT_EQ(listed->keys.back().key, "pages/119999");
  EXPECT_EQ(listed->revision, listed->keys.back().mod_revision);
}

TEST_F(RealEtcd, a_lease_lives_while_it_is_renewed_and_takes_its_keys_with_it) {
  Client& client = connect();
  const auto lease = rig.wait(client.grant(ctx, 30s));
  ASSERT_TRUE(lease) << lease.error().text();
  EXPECT_EQ(lease->ttl, 30s);
  ASSERT_TRUE(rig.wait(client.txn(ctx, make_if_absent("d/1", "one", lease->id)))->held);
  EXPECT_EQ(rig.wait(client.range(ctx, "d/"))->keys[0].lease, lease->id);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rig.wait(client.keep_alive(ctx, lease->id)), 30s);
  EXPECT_TRUE(rig.wait(client.revoke(ctx, lease->id)));
  EXPECT_TRUE(rig.wait(client.range(ctx, "d/"))->keys.empty());
  EXPECT_EQ(rig.wait(client.keep_alive(ctx, lease->id)), 0s);
  EXPECT_TRUE(rig.wait(client.revoke(ctx, lease->id))) << "one that is gone is revoked";
  const auto late = rig.wait(client.txn(ctx, make_if_absent("d/2", "two", lease->id)));
  ASSERT_TRUE(late) << late.error().text();
  EXPECT_TRUE(late->lease_lost);
}

TEST_F(RealEtcd, a_watch_tells_what_changes_below_its_prefix) {
  Client& client = connect();
  const Revision now = rig.wait(client.range(ctx, "e/"))->revision;
  auto watch = rig.wait(client.watch(ctx, "e/", now + 1));
  ASSERT_TRUE(watch) << watch.error().text();
  const auto made = rig.wait(client.txn(ctx, make_if_absent("e/1", "one")));
  ASSERT_TRUE(rig.wait(client.txn(ctx, make_if_absent("elsewhere/1", "one"))));
  ASSERT_TRUE(rig.wait(client.txn(ctx, remove("e/1"))));
  std::vector<Event> events;
  while (events.size() < 2) {
    const auto news = rig.wait((*watch)->next(ctx));
    ASSERT_TRUE(news) << news.error().text();
    events.insert(events.end(), news->events.begin(), news->events.end());
  }
  EXPECT_EQ(events[0].type, Event::Type::put);
  EXPECT_EQ(events[0].key_value.value, "one");
  EXPECT_EQ(events[0].key_value.create_revision, made->revision);
  EXPECT_EQ(events[1].type, Event::Type::deleted);
  EXPECT_EQ(events[1].key_value.key, "e/1");
  EXPECT_GT(events[1].key_value.mod_revision, made->revision);
}

TEST_F(RealEtcd, a_watch_hears_of_a_lease_that_expires) {
  Client& client = connect();
  const auto lease = rig.wait(client.grant(ctx, 1s));
  ASSERT_TRUE(lease) << lease.error().text();
  const auto made = rig.wait(client.txn(ctx, make_if_absent("f/1", "one", lease->id)));
  auto watch = rig.wait(client.watch(ctx, "f/", made->revision + 1));
  ASSERT_TRUE(watch) << watch.error().text();
  const auto news = rig.wait((*watch)->next(ctx));
  ASSERT_TRUE(news) << news.error().text();
  ASSERT_EQ(news->events.size(), 1U);
  EXPECT_EQ(news->events[0].type, Event::Type::deleted);
}

TEST_F(RealEtcd, a_watch_from_below_a_compaction_says_so_and_is_over) {
  Client& client = connect();
  Revision last = 0;
  for (int i = 0; i < 3; ++i) {
    last = rig.wait(client.txn(ctx, make_if_absent("g/1", "one")))->revision;
    last = rig.wait(client.txn(ctx, remove("g/1")))->revision;
  }
  shared_server().control("compact " + std::to_string(last));
  auto watch = rig.wait(client.watch(ctx, "g/", 1));
  ASSERT_TRUE(watch) << watch.error().text();
  const auto news = rig.wait((*watch)->next(ctx));
  ASSERT_TRUE(news) << news.error().text();
  EXPECT_EQ(news->compacted, last);
  const auto after = rig.wait((*watch)->next(ctx));
  ASSERT_FALSE(after);
  EXPECT_THAT(after.error().text(),
              HasSubstr("cannot watch the keys below g/ in etcd: what it was to begin with"));
}

TEST_F(RealEtcd, a_watch_that_is_not_read_holds_up_nobody_and_loses_nothing) {
  Client& client = connect();
  const Revision now = rig.wait(client.range(ctx, "h/"))->revision;
  auto watch = rig.wait(client.watch(ctx, "h/", now + 1));
  ASSERT_TRUE(watch) << watch.error().text();
  constexpr int puts = 40;  // 8 MB: far more than a window
  const std::string large(200'000, 'x');
  for (int i = 0; i < puts; ++i) {
    Txn put;
    put.then.emplace_back(Put{.key = "h/1", .value = large, .lease = 0});
    ASSERT_TRUE(rig.wait(client.txn(ctx, put)));
  }
  Revision last = now;
  for (std::size_t seen = 0; seen < puts;) {
    const auto news = rig.wait((*watch)->next(ctx));
    ASSERT_TRUE(news) << news.error().text();
    for (const Event& event : news->events) {
      EXPECT_GT(event.key_value.mod_revision, last);
      last = event.key_value.mod_revision;
      ++seen;
    }
  }
}

TEST_F(RealEtcd, many_calls_are_under_way_on_one_connection) {
  Client& client = connect();
  std::vector<std::optional<Result<Range>>> answers(200);
  std::vector<TaskHandle> asked;
  for (auto& answer : answers)
    asked.push_back(spawn(rig.loop, "ask", keep(rig.loop, client.range(ctx, "i/"), answer)));
  while (!std::ranges::all_of(asked, [](const TaskHandle& task) { return task.done(); })) rig.loop.run();
  for (const auto& answer : answers) EXPECT_TRUE(answer && *answer);
  EXPECT_EQ(client.facts().connections, 1U);
}

TEST_F(RealEtcd, its_version_is_read_and_an_old_one_remarked) {
  Client& client = connect();
  ASSERT_TRUE(rig.wait(client.range(ctx, "")));
  EXPECT_THAT(client.facts().version, testing::StartsWith("3."));
  EXPECT_NE(client.facts().cluster, 0U);
  if (client.facts().version == "3.4.23")
    EXPECT_THAT(client.facts().remark, HasSubstr("3.5.33, 3.6.14 and later do not"));
}

TEST_F(RealEtcd, a_member_that_is_killed_is_followed_by_another) {
  auto servers = EtcdServer::cluster(3);
  std::vector<std::string> endpoints;
  for (const auto& server : servers) endpoints.push_back(server->endpoint());
  Client& client = rig.begin(options_for(endpoints));
  const auto made = rig.wait(client.txn(ctx, make_if_absent("a/1", "one")));
  ASSERT_TRUE(made) << made.error().text();
  auto watch = rig.wait(client.watch(ctx, "", made->revision + 1));
  ASSERT_TRUE(watch) << watch.error().text();
  const std::string first = client.facts().member;
  for (const auto& server : servers)
    if (server->address() == first) server->kill();
  const auto news = rig.wait((*watch)->next(ctx));
  ASSERT_FALSE(news);
  EXPECT_EQ(news.error().kind(), Error::Kind::closed) << news.error().text();
  // Where the leader was killed, those who are left say so until they have elected another.
  auto listed = rig.wait(client.range(ctx, "a/"));
  while (!listed && !ctx.cancelled()) listed = rig.wait(client.range(ctx, "a/"));
  ASSERT_TRUE(listed) << listed.error().text();
  EXPECT_EQ(listed->keys.size(), 1U);
  EXPECT_NE(client.facts().member, first);
  EXPECT_GE(client.facts().connections, 2U);
}

TEST_F(RealEtcd, a_member_without_a_majority_says_that_it_has_no_leader) {
  auto servers = EtcdServer::cluster(3);
  Client& client = rig.begin(options_for({servers[0]->endpoint()}));
  ASSERT_TRUE(rig.wait(client.range(ctx, "")));
  auto watch = rig.wait(client.watch(ctx, "", 1));
  ASSERT_TRUE(watch) << watch.error().text();
  servers[1]->kill();
  servers[2]->kill();
  const auto news = rig.wait((*watch)->next(ctx));
  ASSERT_FALSE(news);
  EXPECT_THAT(news.error().text(), HasSubstr("no leader"));
  const auto listed = rig.wait(client.range(ctx, ""));
  ASSERT_FALSE(listed);
  EXPECT_THAT(listed.error().text(), HasSubstr("no leader"));
}

TEST_F(RealEtcd, a_member_of_another_cluster_is_not_used_when_the_first_has_gone) {
  EtcdServer second;
  auto first = std::make_unique<EtcdServer>();
  Client& client = rig.begin(options_for({first->endpoint(), second.endpoint()}));
  ASSERT_TRUE(rig.wait(client.range(ctx, "")));
  EXPECT_EQ(client.facts().member, first->address());
  first->kill();
  const auto other = rig.wait(client.range(ctx, ""));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind(), Error::Kind::refused);
  EXPECT_THAT(other.error().text(), HasSubstr("belongs to another cluster: its id is "));
}

TEST_F(RealEtcd, a_cluster_that_is_not_the_expected_one_is_refused) {
  ClientOptions options = options_for({shared_server().endpoint()});
  options.cluster = 0x1234;
  const auto answer = rig.wait(rig.begin(std::move(options)).range(ctx, ""));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().text(), HasSubstr(", and not 1234"));
}

TEST_F(RealEtcd, an_endpoint_that_is_away_is_passed_over) {
  const std::string away = belfry::daemon::etcd::test::EtcdServer().address();
  Client& client = rig.begin(options_for({away, shared_server().endpoint()}));
  const auto answer = rig.wait(client.range(ctx, ""));
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(client.facts().member, shared_server().address());
}

TEST_F(RealEtcd, when_all_are_away_each_is_named) {
  const std::string away = EtcdServer().address();
  const auto answer = rig.wait(rig.begin(options_for({away})).range(ctx, "x/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), Error::Kind::refused);
  EXPECT_EQ(answer.error().text(),
            "cannot list the keys below x/ in etcd: no member of etcd can be used: "
            "cannot connect to " +
                away + ": Connection refused");
}

TEST_F(RealEtcd, a_member_that_is_stopped_is_noticed_by_its_silence) {
  EtcdServer server({"--grpc-keepalive-min-time=10ms"});
  ClientOptions options = options_for({server.endpoint()});
  options.patience = {.before_ping = 100ms, .for_answer = 300ms};
  Client& client = rig.begin(std::move(options));
  auto watch = rig.wait(client.watch(ctx, "", 1));
  ASSERT_TRUE(watch) << watch.error().text();
  server.signal(SIGSTOP);
  const auto news = rig.wait((*watch)->next(ctx));
  server.signal(SIGCONT);
  ASSERT_FALSE(news);
  EXPECT_THAT(news.error().text(), HasSubstr("it answers nothing any more"));
  EXPECT_TRUE(rig.wait(client.range(ctx, ""))) << "it is asked again when it is back";
}

struct WithPasswords : testing::Test {
  EtcdServer server{{"--auth-token-ttl=1"}};
  Rig rig;
  Context ctx = rig.soon();
  WithPasswords() {
    server.control("user add root:s3cret");
    server.control("user add belfry:geheim");
    server.control("role add stack");
    server.control("role grant-permission stack --prefix=true readwrite shop/");
    server.control("user grant-role belfry stack");
    server.control("user grant-role root root");
    server.control("auth enable");
  }
  Client& as(const std::string& user, const std::string& password) {
    ClientOptions options = options_for({server.endpoint()});
    options.user = user;
    options.password = password;
    return rig.begin(std::move(options));
  }
};

TEST_F(WithPasswords, the_right_one_lets_in_where_the_role_allows) {
  Client& client = as("belfry", "geheim");
  const auto made = rig.wait(client.txn(ctx, make_if_absent("shop/1", "one")));
  ASSERT_TRUE(made) << made.error().text();
  auto watch = rig.wait(client.watch(ctx, "shop/", made->revision));
  ASSERT_TRUE(watch) << watch.error().text();
  EXPECT_EQ(rig.wait((*watch)->next(ctx))->events.size(), 1U);
  const auto elsewhere = rig.wait(client.range(ctx, "other/"));
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().text(), HasSubstr("PERMISSION_DENIED"));
  const auto peeping = rig.wait(client.watch(ctx, "other/", 1));
  ASSERT_FALSE(peeping);
  EXPECT_THAT(peeping.error().text(), HasSubstr("permission denied"));
}

TEST_F(WithPasswords, the_wrong_one_is_said_in_words) {
  const auto answer = rig.wait(as("belfry", "wrong").range(ctx, "shop/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), Error::Kind::refused);
  EXPECT_THAT(answer.error().text(),
              HasSubstr("cannot log in to etcd at " + server.address() + " as belfry: INVALID_ARGUMENT"));
  EXPECT_THAT(answer.error().text(), testing::Not(HasSubstr("wrong")));
}

TEST_F(WithPasswords, without_one_nothing_is_shown) {
  const auto answer = rig.wait(rig.begin(options_for({server.endpoint()})).range(ctx, "shop/"));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().text(), HasSubstr("cannot list the keys below shop/ in etcd: INVALID_ARGUMENT"));
}

// etcd forgets all tokens when authentication is turned off and on, as it does those that are old.
TEST_F(WithPasswords, a_token_that_etcd_has_forgotten_is_renewed_once) {
  Client& client = as("belfry", "geheim");
  ASSERT_TRUE(rig.wait(client.range(ctx, "shop/")));
  server.control("--user=root:s3cret auth disable");
  server.control("auth enable");
  const auto answer = rig.wait(client.range(ctx, "shop/"));
  ASSERT_TRUE(answer) << answer.error().text();
  server.control("--user=root:s3cret auth disable");
  server.control("auth enable");
  const auto watch = rig.wait(client.watch(ctx, "shop/", 1));
  EXPECT_TRUE(watch) << watch.error().text();
  EXPECT_EQ(client.facts().connections, 1U);
}

struct WithinTls : testing::Test {
  const tls::test::Certificates& certificates = tls::test::certificates();
  EtcdServer server{
      {"--cert-file=" + certificates.path("good.pem"), "--key-file=" + certificates.path("good.key"),
       "--client-cert-auth", "--trusted-ca-file=" + certificates.path("ca.pem")},
      "https"};
  Rig rig;
  Context ctx = rig.soon();
  ClientOptions options = options_for({server.endpoint()});
  WithinTls() {
    options.tls.ca = certificates.path("ca.pem");
    options.tls.cert = certificates.path("client.pem");
    options.tls.key = certificates.path("client.key");
  }
};

TEST_F(WithinTls, a_client_with_a_certificate_that_has_a_name_is_let_in) {
  Client& client = rig.begin(options);
  const auto made = rig.wait(client.txn(ctx, make_if_absent("a/1", std::string(100'000, 'x'))));
  ASSERT_TRUE(made) << made.error().text();
  auto watch = rig.wait(client.watch(ctx, "a/", made->revision));
  ASSERT_TRUE(watch) << watch.error().text();
  const auto news = rig.wait((*watch)->next(ctx));
  ASSERT_TRUE(news) << news.error().text();
  EXPECT_EQ(news->events.at(0).key_value.value.size(), 100'000U);
  const auto lease = rig.wait(client.grant(ctx, 30s));
  ASSERT_TRUE(lease) << lease.error().text();
  EXPECT_EQ(rig.wait(client.keep_alive(ctx, lease->id)), 30s);
}

TEST_F(WithinTls, a_client_without_a_certificate_is_told_so) {
  options.tls.cert.clear();
  options.tls.key.clear();
  const auto answer = rig.wait(rig.begin(options).range(ctx, ""));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().text(), HasSubstr("certificate"));
}

TEST_F(WithinTls, a_server_that_nobody_vouches_for_is_not_believed) {
  options.tls.ca = certificates.path("alone.pem");
  const auto answer = rig.wait(rig.begin(options).range(ctx, ""));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().text(), HasSubstr("cannot speak TLS with " + server.address()));
}

TEST_F(WithinTls, clear_text_is_not_what_it_speaks) {
  const auto answer = rig.wait(rig.begin(options_for({"http://" + server.address()})).range(ctx, ""));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), Error::Kind::refused) << answer.error().text();
}

}  // namespace
}  // namespace belfry::daemon::etcd::test
