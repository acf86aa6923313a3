// From names to addresses, against name servers on the same loop.
#include "probes/net/resolver.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/probes/net/fake_name_server.hpp"
#include "tests/probes/net/name_rig.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using namespace std::chrono_literals;
using test::cname;
using test::DnsRequest;
using test::FakeNameServer;
using test::LocalSocket;
using test::RecordType;
using test::reply;
using test::resolved;
using test::TemporaryFile;
using test::v4;
using test::v6;
using testing::ElementsAre;
using testing::EndsWith;
using testing::StartsWith;
using Answers = std::vector<std::string>;

Answers nobody(const DnsRequest&) { return {}; }
Answers failing(const DnsRequest& request) { return {reply(request, test::server_failure)}; }
Answers unknown(const DnsRequest& request) { return {reply(request, test::no_such_name)}; }

// One address of each family for every name.
Answers both(const DnsRequest& request) {
  return {
      reply(request, test::no_error,
            {request.type == RecordType::a ? v4(request.name, "10.0.0.1") : v6(request.name, "fd00::1")})};
}

// 10.0.0.1 and no IPv6 address.
Answers only_v4(const DnsRequest& request) {
  if (request.type == RecordType::aaaa) return {reply(request, test::no_error)};
  return both(request);
}

// A resolver that knows nothing but what the test gives it.
struct Rig {
  explicit Rig(FakeNameServer::Answer answer = both, Duration first_round = 600ms)
      : server(loop, std::move(answer)) {
    ask(server.address(), first_round);
  }
  void ask(const std::string& servers, Duration first_round = 600ms) {
    resolver.emplace(loop, ResolverOptions{.hosts_file = hosts.path(),
                                           .dns = {.resolv_conf = configuration.path(),
                                                   .servers = servers,
                                                   .first_round = first_round}});
  }
  std::string look_up(const std::string& host, Duration patience = 20s) {
    return resolved(loop, *resolver, host, patience);
  }

  Loop loop;
  TemporaryFile hosts{"10.0.0.7 listed\n"};
  TemporaryFile configuration{"options ndots:1\nsearch .\n"};
  FakeNameServer server;
  std::optional<Resolver> resolver;
};

// --- without a name server

TEST(Resolver, a_literal_is_itself_and_nobody_is_asked) {
  Rig rig(nobody);
  EXPECT_EQ(rig.look_up("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(rig.look_up("::1"), "::1");
  EXPECT_EQ(rig.look_up("fe80::1%lo"), "fe80::1%lo");
  EXPECT_EQ(rig.look_up("127.1"), "127.0.0.1");
  EXPECT_EQ(rig.resolver->channel(), nullptr);
}

TEST(Resolver, the_hosts_file_is_asked_before_any_name_server) {
  Rig rig(nobody);
  rig.hosts.write("10.0.0.1 db\n10.0.0.2 db\nfd00::1 db\n");
  EXPECT_EQ(rig.look_up("db"), "fd00::1 10.0.0.1 10.0.0.2");
  EXPECT_EQ(rig.look_up("DB."), "fd00::1 10.0.0.1 10.0.0.2");
  EXPECT_EQ(rig.resolver->channel(), nullptr);
}

TEST(Resolver, localhost_is_known_whatever_the_hosts_file_says_of_others) {
  Rig rig(nobody);
  for (const char* name : {"localhost", "LocalHost.", "db.localhost"})
    EXPECT_EQ(rig.look_up(name), "::1 127.0.0.1");
  EXPECT_EQ(rig.resolver->channel(), nullptr);
  rig.hosts.write("127.0.0.2 localhost\n");
  EXPECT_EQ(rig.look_up("localhost"), "127.0.0.2");
}

// --- what a name server says

TEST(Resolver, a_name_has_the_addresses_of_both_families_by_turns) {
  Rig rig([](const DnsRequest& request) -> Answers {
    if (request.type == RecordType::a)
      return {reply(request, 0,
                    {v4("db.test", "10.0.0.1"), v4("db.test", "10.0.0.2"), v4("db.test", "10.0.0.3")})};
    return {reply(request, 0, {v6("db.test", "fd00::1")})};
  });
  EXPECT_EQ(rig.look_up("db.test"), "fd00::1 10.0.0.1 10.0.0.2 10.0.0.3");
  EXPECT_EQ(rig.resolver->channel()->open_sockets(), 0U);
  EXPECT_TRUE(rig.loop.timers().empty());
}

TEST(Resolver, says_that_there_is_no_such_name) {
  Rig rig(unknown);
  EXPECT_EQ(rig.look_up("db.test"), "cannot resolve db.test: no such name");
}

TEST(Resolver, says_that_a_name_has_no_address) {
  Rig rig([](const DnsRequest& request) -> Answers { return {reply(request, test::no_error)}; });
  EXPECT_EQ(rig.look_up("db.test"), "cannot resolve db.test: the name has no address");
}

TEST(Resolver, says_what_is_no_name) {
  Rig rig;
  EXPECT_EQ(rig.look_up("db..test"), "cannot resolve db..test: this is not a name");
  EXPECT_THAT(rig.look_up(std::string(300, 'a')), EndsWith(": this is not a name"));
}

TEST(Resolver, says_which_server_failed) {
  Rig rig(failing);
  EXPECT_EQ(
      rig.look_up("db.test"),
      "cannot resolve db.test: no name server gave an answer (SERVFAIL from 127.0.0.1; asked 127.0.0.1)");
}

TEST(Resolver, says_that_no_server_is_there) {
  Rig rig;
  LocalSocket gone(SOCK_DGRAM);
  gone.close();
  rig.ask(gone.text(), 1h);
  EXPECT_EQ(rig.look_up("db.test"),
            "cannot resolve db.test: no name server gave an answer (Connection refused; asked 127.0.0.1)");
}

TEST(Resolver, says_which_server_was_silent_and_for_how_long) {
  Rig rig(nobody, 20ms);
  const std::string said = rig.look_up("db.test");
  EXPECT_THAT(said, StartsWith("cannot resolve db.test: no name server answered within 0."));
  EXPECT_THAT(said, EndsWith(" s (asked 127.0.0.1)"));
}

TEST(Resolver, an_address_is_used_though_the_other_family_is_never_answered) {
  Rig rig([](const DnsRequest& request) { return request.type == RecordType::a ? both(request) : Answers{}; },
          20ms);
  EXPECT_EQ(rig.look_up("db.test"), "10.0.0.1");
}

TEST(Resolver, nothing_is_remembered_beyond_the_answer) {
  Rig rig(only_v4);
  EXPECT_EQ(rig.look_up("db.test"), "10.0.0.1");
  rig.server.answer_with([](const DnsRequest& request) -> Answers {
    if (request.type == RecordType::aaaa) return {reply(request, test::no_error)};
    return {reply(request, test::no_error, {v4(request.name, "10.0.0.2", 0)})};
  });
  EXPECT_EQ(rig.look_up("db.test"), "10.0.0.2");
}

TEST(Resolver, an_alias_is_followed_and_a_circle_of_aliases_ends) {
  Rig rig([](const DnsRequest& request) -> Answers {
    if (request.type == RecordType::aaaa) return {reply(request, test::no_error)};
    if (request.name == "db.test")
      return {reply(request, 0, {cname("db.test", "real.test"), v4("real.test", "10.0.0.5")})};
    return {reply(request, 0, {cname("a.test", "b.test"), cname("b.test", "a.test")})};
  });
  EXPECT_EQ(rig.look_up("db.test"), "10.0.0.5");
  EXPECT_THAT(rig.look_up("a.test"), StartsWith("cannot resolve a.test: "));
}

TEST(Resolver, a_search_list_that_is_only_the_root_is_none) {
  Rig rig(only_v4);
  rig.configuration.write("options ndots:1\nsearch .\n");
  EXPECT_EQ(rig.look_up("db"), "10.0.0.1");
  EXPECT_EQ(rig.server.asked().front(), "db A");
}

TEST(Resolver, search_domains_are_tried_in_their_order) {
  Rig rig([](const DnsRequest& request) {
    return request.name == "db.second.test" ? only_v4(request) : unknown(request);
  });
  rig.configuration.write("search first.test second.test\n");
  EXPECT_EQ(rig.look_up("db"), "10.0.0.1");
  EXPECT_THAT(rig.server.asked(), ElementsAre("db.first.test A", "db.first.test AAAA", "db.second.test A",
                                              "db.second.test AAAA"));
  EXPECT_EQ(rig.look_up("db.second.test."), "10.0.0.1");
  EXPECT_THAT(rig.server.asked().back(), "db.second.test AAAA");
}

// --- what is wrong with an answer

TEST(Resolver, garbage_and_answers_to_other_questions_are_not_believed) {
  Rig rig([](const DnsRequest& request) -> Answers {
    DnsRequest stranger = request;
    ++stranger.id;
    DnsRequest other = request;
    other.question[1] = 'x';
    const std::vector forged{v4(request.name, "10.6.6.6")};
    Answers all{"",
                "x",
                std::string(11, '\xFF'),
                std::string(600, '\xFF'),
                reply(stranger, 0, forged),
                reply(other, 0, forged)};
    for (std::string& right : both(request)) all.push_back(std::move(right));
    all.erase(all.begin());  // an empty datagram is for a test of its own
    return all;
  });
  EXPECT_EQ(rig.look_up("db.test"), "fd00::1 10.0.0.1");
}

TEST(Resolver, an_answer_that_breaks_off_is_an_error) {
  Rig rig(
      [](const DnsRequest& request) -> Answers {
        std::string whole = both(request).front();
        whole.resize(whole.size() - 3);
        return {whole};
      },
      20ms);
  EXPECT_THAT(rig.look_up("db.test"), StartsWith("cannot resolve db.test: "));
}

TEST(Resolver, empty_datagrams_do_not_keep_the_loop_busy) {
  Rig rig([](const DnsRequest& request) -> Answers {
    Answers all{""};
    for (std::string& right : both(request)) all.push_back(std::move(right));
    return all;
  });
  EXPECT_NE(rig.look_up("db.test"), "still waits");
}

TEST(Resolver, a_truncated_answer_is_asked_for_again_over_tcp) {
  Rig rig([](const DnsRequest& request) -> Answers {
    if (!request.over_tcp) return {reply(request, test::no_error, {}, true)};
    return both(request);
  });
  EXPECT_EQ(rig.look_up("db.test"), "fd00::1 10.0.0.1");
  EXPECT_THAT(rig.server.asked(), testing::Contains("db.test A over TCP"));
  EXPECT_EQ(rig.resolver->channel()->open_sockets(), 0U);
}

TEST(Resolver, of_a_huge_answer_a_few_addresses_are_enough) {
  Rig rig([](const DnsRequest& request) -> Answers {
    if (!request.over_tcp) return {reply(request, test::no_error, {}, true)};
    if (request.type == RecordType::aaaa) return {reply(request, test::no_error)};
    std::vector<test::DnsRecord> all;
    for (int i = 0; i < 3000; ++i)
      all.push_back(v4(request.name, "10.1." + std::to_string(i / 256) + "." + std::to_string(i % 256)));
    return {reply(request, test::no_error, all)};
  });
  const std::string said = rig.look_up("db.test");
  EXPECT_THAT(said, StartsWith("10.1.0.0 10.1.0.1 "));
  EXPECT_EQ(std::ranges::count(said, ' '), 15);
}

// --- several servers

TEST(Resolver, a_server_that_is_silent_is_given_up_for_the_next) {
  Rig rig;
  const LocalSocket silent(SOCK_DGRAM);
  rig.ask(silent.text() + "," + rig.server.address(), 20ms);
  EXPECT_EQ(rig.look_up("db.test"), "fd00::1 10.0.0.1");
}

TEST(Resolver, a_server_that_is_not_there_is_given_up_at_once) {
  Rig rig;
  LocalSocket gone(SOCK_DGRAM);
  gone.close();
  rig.ask(gone.text() + "," + rig.server.address(), 1h);
  EXPECT_EQ(rig.look_up("db.test"), "fd00::1 10.0.0.1");
}

TEST(Resolver, a_server_that_fails_is_given_up_for_the_next) {
  Rig rig;
  FakeNameServer broken(rig.loop, failing);
  rig.ask(broken.address() + "," + rig.server.address(), 1h);
  EXPECT_EQ(rig.look_up("db.test"), "fd00::1 10.0.0.1");
}

TEST(Resolver, other_servers_in_resolv_conf_are_asked_from_the_next_name_on) {
  Rig rig;
  EXPECT_EQ(rig.look_up("db.test"), "fd00::1 10.0.0.1");
  const DnsChannel* before = rig.resolver->channel();
  EXPECT_EQ(rig.look_up("db.test"), "fd00::1 10.0.0.1");
  EXPECT_EQ(rig.resolver->channel(), before);
  rig.configuration.write("search moved.test\n");
  EXPECT_EQ(rig.look_up("db"), "fd00::1 10.0.0.1");
  EXPECT_EQ(rig.server.asked().back(), "db.moved.test AAAA");
}

// --- many at once

struct Many {
  Many(Rig& rig, std::size_t count, const std::function<std::string(std::size_t)>& name)
      : contexts(), found(count) {
    for (std::size_t i = 0; i < count; ++i) {
      contexts.emplace_back(rig.loop);
      tasks.push_back(
          spawn(rig.loop, "resolve", test::resolve_into(contexts.back(), *rig.resolver, name(i), found[i])));
    }
  }
  std::deque<Context> contexts;
  std::deque<std::optional<test::Found>> found;
  std::deque<TaskHandle> tasks;
};

TEST(Resolver, a_thousand_names_are_resolved_at_once) {
  Rig rig;
  Many many(rig, 1000, [](std::size_t i) { return "db" + std::to_string(i) + ".test"; });
  rig.loop.run();
  for (const auto& found : many.found) EXPECT_EQ(test::text_of(found), "fd00::1 10.0.0.1");
  // A kernel that is busy loses some datagrams of such a crowd, and those questions are asked again.
  EXPECT_GE(rig.server.asked().size(), 2000U);
  EXPECT_LT(rig.server.asked().size(), 3000U) << "most questions were lost and asked again";
}

TEST(Resolver, who_asks_for_the_same_name_shares_the_answer) {
  Rig rig;
  Many many(rig, 50, [](std::size_t) { return "db.test"; });
  rig.loop.run();
  for (const auto& found : many.found) EXPECT_EQ(test::text_of(found), "fd00::1 10.0.0.1");
  EXPECT_THAT(rig.server.asked(), ElementsAre("db.test A", "db.test AAAA"));
}

TEST(Resolver, a_name_that_is_never_answered_holds_no_other_up) {
  Rig rig([](const DnsRequest& request) { return request.name == "silent.test" ? Answers{} : both(request); },
          1h);
  const std::vector<std::string> names{"silent.test", "db.test", "localhost", "listed", "127.0.0.1"};
  Many many(rig, names.size(), [&](std::size_t i) { return names[i]; });
  rig.loop.run_until_idle();
  EXPECT_EQ(test::text_of(many.found[0]), "still waits");
  EXPECT_EQ(test::text_of(many.found[1]), "fd00::1 10.0.0.1");
  EXPECT_EQ(test::text_of(many.found[2]), "::1 127.0.0.1");
  EXPECT_EQ(test::text_of(many.found[3]), "10.0.0.7");
  EXPECT_EQ(test::text_of(many.found[4]), "127.0.0.1");
  many.contexts[0].cancel();
  rig.loop.run();
}

// --- cancellation

TEST(Resolver, a_cancelled_wait_ends_in_the_same_turn_and_leaves_nothing_behind) {
  Rig rig(nobody, 1h);
  Many many(rig, 1, [](std::size_t) { return "db.test"; });
  rig.loop.run_until_idle();
  EXPECT_EQ(test::text_of(many.found[0]), "still waits");
  EXPECT_EQ(rig.resolver->channel()->in_flight(), 1U);
  many.contexts[0].cancel(Error::cancelled("the service is stopping"));
  while (!many.found[0] && rig.loop.step()) {
  }
  EXPECT_EQ(test::text_of(many.found[0]), "cannot resolve db.test: the service is stopping");
  EXPECT_EQ(rig.resolver->channel()->in_flight(), 0U);
  EXPECT_EQ(rig.resolver->channel()->open_sockets(), 0U);
  EXPECT_TRUE(rig.loop.timers().empty());
  rig.loop.run();
}

TEST(Resolver, a_wait_ends_at_its_deadline_and_says_who_was_asked) {
  Rig rig(nobody, 1h);
  EXPECT_EQ(rig.look_up("db.test", 20ms),
            "cannot resolve db.test: no name server has answered yet (asked 127.0.0.1): deadline exceeded");
  EXPECT_TRUE(rig.loop.timers().empty());
}

TEST(Resolver, who_leaves_does_not_disturb_those_who_stay) {
  Rig rig(nobody, 20ms);
  Many many(rig, 2, [](std::size_t) { return "db.test"; });
  rig.loop.run_until_idle();
  many.contexts[0].cancel();
  rig.server.answer_with(both);
  rig.loop.run();
  EXPECT_EQ(test::text_of(many.found[0]), "cannot resolve db.test: cancelled");
  EXPECT_EQ(test::text_of(many.found[1]), "fd00::1 10.0.0.1");
}

TEST(Resolver, an_answer_that_comes_when_nobody_waits_any_more_finds_nobody) {
  Rig rig(nobody, 20ms);
  Many many(rig, 2, [](std::size_t i) { return i == 0 ? "left.test" : "db.test"; });
  rig.loop.run_until_idle();
  many.contexts[0].cancel();
  rig.server.answer_with(both);
  rig.loop.run();
  EXPECT_EQ(test::text_of(many.found[1]), "fd00::1 10.0.0.1");
  EXPECT_EQ(rig.resolver->channel()->in_flight(), 0U);
}

TEST(Resolver, a_loop_that_is_abandoned_takes_its_questions_with_it) {
  Rig rig(nobody, 1h);
  Context ctx(rig.loop);
  std::optional<test::Found> found;
  spawn(rig.loop, "resolve", test::resolve_into(ctx, *rig.resolver, "db.test", found)).leave_to_loop();
  rig.loop.run_until_idle();
  rig.loop.abandon();
  EXPECT_EQ(rig.resolver->channel()->in_flight(), 0U);
}

}  // namespace
}  // namespace belfry::probes
