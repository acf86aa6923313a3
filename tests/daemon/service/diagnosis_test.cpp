// Why a run has failed, beyond its exit code, and what is kept of what it took.
#include <gmock/gmock-more-matchers.h>

#include <csignal>

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Its one service speaks, so it is not ready until it says so, and ends as each test wants it.
class Diagnosis : public Rig {
 protected:
  Diagnosis() : db(speaking(daemon("db"))) {
    resources.output_tail = [this](const config::Service&) { return tail; };
    db.restart->policy = config::RestartPolicy::no;
  }
  void fails(system::ExitStatus how = {.value = 1}) {
    if (!supervisor) up();
    processes.end("db", how);
    loop.run_until_idle();
  }
  void takes(const system::Usage& usage) {
    resources.end_facts = [usage](const config::Service&, const system::ExitStatus&) {
      return daemon::EndFacts{.usage = usage};
    };
  }
  static config::Probe port(std::uint16_t number) {
    config::Probe probe = a_probe(config::Probe::Kind::port);
    probe.port = number;
    return probe;
  }

  config::Service& db;
  std::string tail;
};

TEST_F(Diagnosis, the_last_words_of_a_run_say_what_its_code_does_not) {
  tail = "./db: error while loading shared libraries: libpq.so.5: cannot open shared object file\n";
  fails({.value = 127});
  EXPECT_THAT(cause("db"),
              HasSubstr("db exited with code 127 before it was ready: its loader finds no library "
                        "libpq.so.5"));
}

TEST_F(Diagnosis, of_a_run_that_was_asked_to_end_nothing_is_made) {
  tail = "bind: Address already in use\n";
  up();
  say_ready("db");
  command(ServiceCommand::stop, "db");
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_THAT(cause("db"), Not(HasSubstr("taken")));
}

TEST_F(Diagnosis, the_last_words_of_pre_start_explain_it_too) {
  db.extras = std::make_unique<config::ServiceExtras>();
  db.extras->pre_start = {"./prepare"};
  tail = "sh: 1: dat: not found\n";
  script("db", {.exits_after = 1ms, .exits_with = {.value = 127}});
  up();
  advance(1ms);
  EXPECT_THAT(cause("db"), HasSubstr("pre_start of db exited with code 127: the shell finds no command dat"));
}

TEST_F(Diagnosis, a_code_that_only_shells_use_is_explained_where_nothing_was_said) {
  fails({.value = 127});
  EXPECT_THAT(cause("db"), EndsWith("127 says that a shell, env or the loader has not found what it needs"));
}

TEST_F(Diagnosis, a_daemon_that_ends_well_and_too_early_is_told_what_it_is_to_do) {
  fails({.value = 0});
  EXPECT_THAT(cause("db"), EndsWith("db exited with code 0 before it was ready: a daemon has to go on in the "
                                    "foreground (what is to end is a `type: oneshot`)"));
}

TEST_F(Diagnosis, who_has_the_port_that_it_names_is_named) {
  tail = "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\n";
  resources.port_holder = [](const probes::Port& asked) {
    return probes::PortHolder{
        .is_held = asked.number == 80, .pid = 999'999'999, .name = "ngi\x1bnx", .uid = 0};
  };
  fails();
  EXPECT_THAT(cause("db"), EndsWith("port 80 is taken by pid 999999999 (ngi\uFFFDnx, user root)"));
}

TEST_F(Diagnosis, who_has_it_may_be_a_service_of_the_stack) {
  daemon("proxy");
  tail = "listen tcp :8080: bind: address already in use\n";
  up();
  const pid_t other = service("proxy").main_pid();
  resources.port_holder = [other](const probes::Port&) {
    return probes::PortHolder{.is_held = true, .pid = other, .name = "nginx", .uid = 3999999999U};
  };
  fails();
  EXPECT_THAT(cause("db"), EndsWith("(nginx, user 3999999999), which is service 'proxy'"));
}

TEST_F(Diagnosis, a_port_that_is_free_again_is_said_to_be) {
  tail = "listen tcp :8080: bind: address already in use\n";
  resources.port_holder = [](const probes::Port&) { return probes::PortHolder{}; };
  fails();
  EXPECT_THAT(cause("db"), EndsWith("port 8080 was taken when it tried, and nobody listens there any more"));
}

TEST_F(Diagnosis, whoever_cannot_be_seen_is_said_to_be_hidden_and_not_guessed) {
  tail = "listen tcp :8080: bind: address already in use\n";
  resources.port_holder = [](const probes::Port&) { return probes::PortHolder{.is_held = true, .uid = 0}; };
  fails();
  EXPECT_THAT(cause("db"), HasSubstr("port 8080 is taken by a process of user root that cannot be seen"));
}

TEST_F(Diagnosis, a_program_that_names_no_port_has_tried_one_of_its_ready) {
  db.ready.probes.push_back(port(5432));
  tail = "OSError: [Errno 98] Address already in use\n";
  resources.port_holder = [](const probes::Port&) {
    return probes::PortHolder{.is_held = true, .pid = 999'999'999, .name = "postgres", .uid = 0};
  };
  fails();
  EXPECT_THAT(cause("db"), HasSubstr("port 5432 is taken by pid 999999999 (postgres"));
}

TEST_F(Diagnosis, a_program_that_says_nothing_is_told_who_has_the_port_of_its_ready) {
  db.ready.probes.push_back(port(5432));
  resources.port_holder = [](const probes::Port&) {
    return probes::PortHolder{.is_held = true, .pid = 999'999'999, .name = "postgres", .uid = 0};
  };
  fails();
  EXPECT_THAT(cause("db"), HasSubstr("port 5432, which `ready` waits for, is taken by pid 999999999"));
}

TEST_F(Diagnosis, a_port_that_belfry_holds_for_the_service_or_that_is_anybodys_explains_nothing) {
  db.ready.probes.push_back(port(5432));
  db.ready.probes.push_back(port(80));
  db.ready.probes.back().any_owner = true;
  db.extras = std::make_unique<config::ServiceExtras>();
  config::ListenSocket& socket = db.extras->listen.emplace_back();
  socket.name = "db";
  socket.address = "127.0.0.1";
  socket.port = 5432;
  resources.port_holder = [](const probes::Port&) {
    return probes::PortHolder{.is_held = true, .pid = 999'999'999, .name = "x", .uid = 0};
  };
  fails();
  EXPECT_THAT(cause("db"), EndsWith("exited with code 1 before it was ready"));
}

TEST_F(Diagnosis, the_search_for_whoever_has_a_port_holds_nobody_up_for_long) {
  tail = "listen tcp :8080: bind: address already in use\n";
  resources.search_takes = 1h;
  resources.port_holder = [](const probes::Port&) {
    return probes::PortHolder{.is_held = true, .pid = 999'999'999, .name = "x", .uid = 0};
  };
  fails();
  EXPECT_EQ(state("db"), State::stopping);
  advance(500ms);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(cause("db"),
              EndsWith("port 8080 is taken by a process of user root (`ss -lnp` says which; belfry had "
                       "no time to look for it)"));
}

TEST_F(Diagnosis, a_stop_during_the_search_is_not_lost) {
  tail = "listen tcp :8080: bind: address already in use\n";
  resources.search_takes = 1h;
  resources.port_holder = [](const probes::Port&) {
    return probes::PortHolder{.is_held = true, .pid = 999'999'999, .name = "x", .uid = 0};
  };
  fails();
  command(ServiceCommand::stop, "db");
  advance(500ms);
  EXPECT_EQ(state("db"), State::inactive);
}

TEST_F(Diagnosis, a_kill_that_belfry_has_not_sent_is_said_to_be_none_of_its) {
  resources.end_facts = [](const config::Service&, const system::ExitStatus&) {
    return daemon::EndFacts{.oom_kills_on_machine = 2};
  };
  fails({.signaled = true, .value = SIGKILL});
  EXPECT_THAT(cause("db"),
              HasSubstr("db killed by SIGKILL before it was ready: belfry has not sent it; it was "
                        "probably the kernel's, for lack of memory: 2 processes"));
}

TEST_F(Diagnosis, a_kill_in_its_cgroup_is_known_and_counted) {
  resources.end_facts = [](const config::Service&, const system::ExitStatus&) {
    return daemon::EndFacts{.oom_kills = 1};
  };
  resources.cgroup_usage =
      daemon::CgroupUsage{.usage = {.user = 2s, .system = 1s, .peak_bytes = 1U << 30}, .oom_kills = 2};
  fails({.signaled = true, .value = SIGKILL});
  EXPECT_THAT(cause("db"),
              HasSubstr("killed by SIGKILL (out of memory) before it was ready: the kernel ended it at "
                        "the memory limit"));
  ASSERT_THAT(service("db").past_runs(), SizeIs(1));
  const daemon::PastRun& run = service("db").past_runs().front();
  EXPECT_EQ(run.oom_kills, 3U);
  EXPECT_EQ(run.cpu_user, 2s);
  EXPECT_EQ(run.peak_memory, 1U << 30);
  EXPECT_FALSE(run.peak_is_bound);
  EXPECT_EQ(service("db").counters().oom_kills, 3U);
  EXPECT_EQ(service("db").counters().cpu_seconds, 3);
}

TEST_F(Diagnosis, a_kill_by_command_is_explained_by_the_command_alone) {
  up();
  say_ready("db");
  command(ServiceCommand::kill, "db");
  EXPECT_THAT(cause("db"), EndsWith("killed by SIGKILL, as `belfry kill` asked"));
}

TEST_F(Diagnosis, what_a_run_took_is_kept_when_it_is_over) {
  up();
  advance(2s);
  say_ready("db");
  advance(3s);
  takes({.user = 5ms, .system = 6ms, .peak_bytes = std::uint64_t{1} << 40});
  fails({.value = 7});
  ASSERT_THAT(service("db").past_runs(), SizeIs(1));
  const daemon::PastRun& run = service("db").past_runs().front();
  EXPECT_EQ(run.number, 1U);
  EXPECT_EQ(run.wall, 5s);
  EXPECT_EQ(run.ready_after, 2s);
  EXPECT_EQ(run.cpu_user, 5ms);
  EXPECT_EQ(run.cpu_system, 6ms);
  EXPECT_EQ(run.peak_memory, std::uint64_t{1} << 40);
  EXPECT_FALSE(run.peak_is_bound);
  EXPECT_EQ(run.end, "exited with code 7");
}

TEST_F(Diagnosis, a_peak_below_belfrys_own_is_no_more_than_a_bound) {
  takes({.peak_bytes = 4096});
  fails({.value = 7});
  EXPECT_TRUE(service("db").past_runs().front().peak_is_bound);
}

TEST_F(Diagnosis, ten_runs_are_kept_and_no_more) {
  db.restart->policy = config::RestartPolicy::on_failure;
  script("db", {.exits_after = 1ms, .exits_with = {.value = 1}});
  up();
  EXPECT_THAT(service("db").past_runs(), IsEmpty());
  advance(10min);
  EXPECT_GT(service("db").record().runs, 12U);
  EXPECT_THAT(service("db").past_runs(), SizeIs(10));
  EXPECT_GE(service("db").past_runs().back().number, service("db").record().runs - 1);
  EXPECT_EQ(service("db").past_runs().front().number, service("db").past_runs().back().number - 9);
}

TEST_F(Diagnosis, what_never_came_to_its_command_was_no_run) {
  script("db",
         {.refuse = system::SpawnError{.stage = system::SpawnStage::exec, .errnum = ENOENT, .detail = {}}});
  up();
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(service("db").past_runs(), IsEmpty());
}

}  // namespace
}  // namespace belfry::testing
