// Sockets that belfry listens on, and descriptors that a service is heard on, as the core sees them.
#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = config::Probe::Kind;

class ActivatedService : public Rig {
 protected:
  static config::Service& listening(config::Service& service) {
    service.extras = std::make_unique<config::ServiceExtras>();
    service.extras->listen.emplace_back();
    service.ready.probes.push_back(a_probe(Kind::listen));
    return service;
  }
  static config::Service& heard_on(config::Service& service, std::uint16_t fd,
                                   config::FdDialect dialect = config::FdDialect::s6) {
    config::Probe& probe = service.ready.probes.emplace_back(a_probe(Kind::fd));
    probe.fd = fd;
    probe.dialect = dialect;
    return service;
  }
  const config::Probe& probe_on(std::string_view name, std::uint16_t fd) {
    return *std::ranges::find(service(name).spec().ready.probes, fd, &config::Probe::fd);
  }
  void write_ready(std::string_view name, std::uint16_t fd) {
    service(name).heard({.kind = Kind::fd, .only = &probe_on(name, fd)});
    loop.run_until_idle();
  }
  void close_unready(std::string_view name, std::uint16_t fd) {
    service(name).never_heard(probe_on(name, fd),
                              Error(Error::Kind::failed, "cannot become ready: it closed descriptor 3"));
    loop.run_until_idle();
  }
  [[nodiscard]] bool bound(const char* name) const { return resources.bound().contains(name); }
};

TEST_F(ActivatedService, all_sockets_are_bound_before_anything_runs) {
  speaking(daemon("db"));
  listening(daemon("web", {"db"}));
  listening(daemon("early"));
  std::vector<std::string> bound;
  resources.on_bind = [&](const config::Service& service) {
    EXPECT_EQ(processes.spawned(), 0U);
    bound.push_back(service.name);
  };
  up();
  EXPECT_THAT(bound, ElementsAre("web", "early"));
  EXPECT_EQ(state("web"), State::waiting) << "bound all the same";
}

TEST_F(ActivatedService, the_bell_rings_at_the_start_without_a_word_of_the_service) {
  listening(daemon("web"));
  daemon("api", {"web"});
  up();
  EXPECT_THAT(chronicle.entries, ElementsAre("web waiting", "web starting", "web ready", "api waiting",
                                             "api starting", "api ready"));
  EXPECT_TRUE(loop.timers().empty()) << "nothing is asked again and again";
}

TEST_F(ActivatedService, a_command_that_does_not_exist_rings_no_bell_although_the_socket_is_bound) {
  listening(daemon("web"));
  daemon("api", {"web"});
  script("web",
         {.refuse = system::SpawnError{.stage = system::SpawnStage::exec, .errnum = ENOENT, .detail = {}}});
  up();
  EXPECT_EQ(state("web"), State::failed);
  EXPECT_FALSE(service("web").incarnation()->ready.rung());
  EXPECT_EQ(state("api"), State::blocked);
  EXPECT_FALSE(bound("web")) << "nobody will ever accept: clients are refused, not kept waiting";
}

TEST_F(ActivatedService, sockets_survive_crashes_and_restarts_and_are_released_by_a_stop) {
  listening(daemon("web"));
  int binds = 0;
  resources.on_bind = [&](const config::Service&) { ++binds; };
  up();
  end("web", 1);
  EXPECT_EQ(state("web"), State::backoff);
  EXPECT_TRUE(bound("web"));
  advance(100ms);
  EXPECT_EQ(state("web"), State::ready);
  EXPECT_EQ(command(ServiceCommand::restart, "web").result->outcome, CommandOutcome::done);
  EXPECT_EQ(binds, 1);
  EXPECT_EQ(command(ServiceCommand::stop, "web").result->outcome, CommandOutcome::done);
  EXPECT_FALSE(bound("web"));
  EXPECT_EQ(command(ServiceCommand::start, "web").result->outcome, CommandOutcome::done);
  EXPECT_TRUE(bound("web"));
  down();
  EXPECT_FALSE(bound("web"));
}

TEST_F(ActivatedService, sockets_stay_until_the_last_process_is_gone) {
  listening(daemon("web"));
  script("web", {.stops_after = 1s});
  up();
  supervisor->stop_everything(loop.now() + 25s, Error::closed("the stack goes down"));
  loop.run_until_idle();
  EXPECT_EQ(state("web"), State::stopping);
  EXPECT_TRUE(bound("web"));
  advance(1s);
  EXPECT_FALSE(bound("web"));
}

TEST_F(ActivatedService, a_socket_that_cannot_be_bound_is_a_failed_service_and_blocks_its_dependents) {
  speaking(daemon("db"));
  listening(daemon("web", {"db"}));
  daemon("api", {"web"});
  daemon("other");
  const std::string why = "cannot listen on 127.0.0.1:80: Address already in use";
  resources.refuse = [&](const config::Service& service, std::uint64_t) -> Result<void> {
    if (service.name != "web") return {};
    return std::unexpected(Error(Error::Kind::failed, why));
  };
  up();
  EXPECT_EQ(state("web"), State::failed) << "at once, and not when its turn comes";
  EXPECT_EQ(cause("web"), why);
  EXPECT_EQ(state("api"), State::blocked);
  EXPECT_EQ(cause("api"), "web has failed: " + why);
  EXPECT_EQ(state("other"), State::ready);
  resources.refuse = nullptr;
  say_ready("db");
  EXPECT_EQ(command(ServiceCommand::start, "web").result->outcome, CommandOutcome::done);
  EXPECT_EQ(state("api"), State::ready) << "the address has become free";
}

TEST_F(ActivatedService, a_start_that_is_taken_back_at_once_leaves_nothing_bound) {
  listening(daemon("web"));
  daemon("other");
  up({"other"});
  service("web").request_start();
  EXPECT_TRUE(bound("web"));
  service("web").request_stop({});
  loop.run_until_idle();
  EXPECT_EQ(state("web"), State::inactive);
  EXPECT_FALSE(bound("web"));
}

TEST_F(ActivatedService, a_service_that_is_blocked_keeps_no_client_waiting) {
  daemon("db").restart->policy = config::RestartPolicy::no;
  listening(daemon("web", {"db"}));
  script("db", {.exits_after = 10ms, .exits_with = {.value = 1}});
  speaking(stack.services[0]);
  up();
  EXPECT_TRUE(bound("web"));
  advance(10ms);
  EXPECT_EQ(state("web"), State::blocked);
  EXPECT_FALSE(bound("web"));
  service("web").request_start();
  loop.run_until_idle();
  EXPECT_FALSE(bound("web")) << "asked again, and blocked all the same";
  forget_scripts();
  EXPECT_EQ(command(ServiceCommand::start, "db").result, std::nullopt);
  EXPECT_EQ(state("web"), State::waiting);
  EXPECT_TRUE(bound("web"));
}

TEST_F(ActivatedService, a_path_that_is_lost_between_two_runs_fails_the_next_start) {
  listening(daemon("web"));
  up();
  resources.refuse = [](const config::Service&, std::uint64_t) -> Result<void> {
    return std::unexpected(Error(Error::Kind::failed, "cannot listen on unix:/run/x"));
  };
  end("web", 1);
  advance(100ms);
  EXPECT_EQ(state("web"), State::failed);
  EXPECT_EQ(cause("web"), "cannot listen on unix:/run/x");
}

TEST_F(ActivatedService, every_probe_of_a_list_counts_and_each_descriptor_for_itself) {
  heard_on(heard_on(listening(daemon("web")), 4), 5);
  up();
  EXPECT_EQ(state("web"), State::starting);
  write_ready("web", 4);
  EXPECT_EQ(state("web"), State::starting);
  write_ready("web", 5);
  EXPECT_EQ(state("web"), State::ready);
}

TEST_F(ActivatedService, an_s6_descriptor_closed_early_leaves_it_unready_and_is_named) {
  heard_on(daemon("web"), 3);
  up();
  close_unready("web", 3);
  EXPECT_EQ(state("web"), State::starting);
  EXPECT_EQ(last_error(service("web")), "cannot become ready: it closed descriptor 3");
  advance(1h);
  EXPECT_EQ(state("web"), State::starting);
}

TEST_F(ActivatedService, a_dinit_descriptor_closed_early_is_a_failed_start) {
  heard_on(daemon("web"), 3, config::FdDialect::dinit);
  up();
  close_unready("web", 3);
  EXPECT_EQ(state("web"), State::backoff);
  EXPECT_EQ(cause("web"), "web did not start: cannot become ready: it closed descriptor 3");
  advance(100ms);
  write_ready("web", 3);
  EXPECT_EQ(state("web"), State::ready);
  close_unready("web", 3);
  EXPECT_EQ(state("web"), State::ready) << "what comes after the byte means nothing";
}

TEST_F(ActivatedService, of_several_ways_to_be_ready_one_closed_descriptor_fails_nothing) {
  config::Service& web = heard_on(daemon("web"), 3, config::FdDialect::dinit);
  heard_on(web, 4).ready.any = true;
  up();
  close_unready("web", 3);
  EXPECT_EQ(state("web"), State::starting);
  write_ready("web", 4);
  EXPECT_EQ(state("web"), State::ready);
}

TEST_F(ActivatedService, a_new_run_is_heard_anew) {
  heard_on(daemon("web"), 3);
  up();
  write_ready("web", 3);
  end("web", 1);
  advance(100ms);
  EXPECT_EQ(state("web"), State::starting);
}

}  // namespace
}  // namespace belfry::testing
