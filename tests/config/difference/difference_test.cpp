#include "config/difference/difference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include "config/decode/decode.hpp"
#include "config/difference/values.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using testing_support::good;

// One key of a service: two values of it, and what a reload makes of the change. `around` is what the service
// needs beside it, `others` what the file does.
struct Case {
  std::string_view key;
  std::string before, after;  // lines of the service; empty: without the key
  OnReload effect;
  std::string around = "command: ./a";
  std::string others = {};
  std::string named = {};  // what the difference calls it; empty: as the key
};

constexpr OnReload restarts = OnReload::restarts, in_place = OnReload::in_place,
                   refused = OnReload::is_refused;

const std::string probed = "command: ./a\n    ready: {port: 80}";
const std::string oneshot = "type: oneshot\n    command: ./a";
const std::string two_more = "  b: {command: ./b}\n  c: {command: ./c}\n";

std::vector<Case> cases() {
  return {
      {"type", "type: daemon", "type: oneshot", restarts, "command: ./a\n    restart: on-failure"},
      {"command", "command: ./a", "command: ./a --new", restarts, ""},
      {"depends_on", "depends_on: [b]", "depends_on: [c]", in_place, "command: ./a", two_more,
       "depends_on.b"},
      {"depends_on", "depends_on: {b: ready}", "depends_on: {b: {condition: ready, on_loss: restart}}",
       in_place, "command: ./a", two_more, "depends_on.b"},
      {"ready", "ready: {port: 80}", "ready: {port: 81}", restarts},
      {"ready", "ready: {port: 80}", "", restarts},
      {"ready", "ready: {port: 80}", "ready: {port: 80, timeout: 5s}", in_place, "command: ./a", "",
       "ready.timeout"},
      {"ready", "ready: {tcp: \"db:80\", period: 5s}", "ready: {tcp: \"db:80\", period: 6s}", in_place,
       "command: ./a", "", "ready.period"},
      {"live", "live: {tcp: \"a:80\"}", "live: {tcp: \"a:81\"}", in_place, probed},
      {"live", "", "live: {tcp: \"a:80\"}", in_place, probed},
      {"bells", "bells: {up: {log: one}}", "bells: {up: {log: two}}", restarts, "command: ./a", "",
       "bells.up"},
      {"require", "require: 1", "require: any", in_place, "type: gate\n    depends_on: [b, c]", two_more,
       "-"},
      {"require", "require: 1", "require: 2", in_place, "type: gate\n    depends_on: [b, c]", two_more},
      {"restart", "restart: always", "restart: {policy: always, delay: 2s}", in_place, "command: ./a", "",
       "restart.delay"},
      {"schedule", "schedule: {every: 5m}", "schedule: {every: 6m}", in_place, oneshot, "", "schedule.every"},
      {"schedule", "schedule: {cron: \"0 3 * * *\", time_zone: UTC}",
       "schedule: {cron: \"0 4 * * *\", time_zone: UTC}", in_place, oneshot, "", "schedule.cron"},
      {"stop", "stop: {timeout: 5s}", "stop: {timeout: 6s}", in_place, "command: ./a", "", "stop.timeout"},
      {"environment", "environment: {A: one}", "environment: {A: two}", restarts, "command: ./a", "",
       "environment.A"},
      {"clean_environment", "", "clean_environment: true", restarts},
      {"outputs", "outputs: {secret: [A]}", "outputs: {secret: [B]}", restarts, "command: ./a", "",
       "outputs.secret"},
      {"publish", "publish: {address: \"h:1\"}", "publish: {address: \"h:2\"}", restarts, probed,
       "cluster: {etcd: [\"http://e1:2379\"], host: a}\n", "publish.ADDRESS"},
      {"update", "update: {max_unavailable: 1}", "update: {max_unavailable: 2}", in_place,
       "command: ./a\n    publish: true", "cluster: {etcd: [\"http://e1:2379\"], host: a}\n",
       "update.max_unavailable"},
      {"update", "update: {max_unavailable: 1}", "update: {max_unavailable: 1, hosts: [a, b]}", in_place,
       "command: ./a\n    publish: true", "cluster: {etcd: [\"http://e1:2379\"], host: a}\n", "update.hosts"},
      {"working_dir", "working_dir: /tmp", "working_dir: /", restarts},
      {"user", "user: root", "user: daemon", restarts},
      {"group", "group: root", "group: daemon", restarts},
      {"umask", "umask: \"022\"", "umask: \"027\"", restarts},
      {"nice", "nice: 1", "nice: 2", restarts},
      {"oom_score_adj", "oom_score_adj: 1", "oom_score_adj: 2", restarts},
      {"rlimits", "rlimits: {nofile: 1000}", "rlimits: {nofile: 1001}", restarts, "command: ./a", "",
       "rlimits.nofile"},
      {"cgroup", "cgroup: {pids_max: 4}", "cgroup: {pids_max: 5}", restarts, "command: ./a", "",
       "cgroup.pids_max"},
      {"no_new_privileges", "", "no_new_privileges: true", restarts},
      {"supplementary_groups", "supplementary_groups: [audio]", "supplementary_groups: [video]", restarts},
      {"capabilities", "capabilities: {drop: [CHOWN]}", "capabilities: {drop: [KILL]}", restarts,
       "command: ./a", "", "capabilities.drop"},
      {"cpu_affinity", "cpu_affinity: [0]", "cpu_affinity: [1]", restarts},
      {"io_priority", "io_priority: idle", "io_priority: best-effort", restarts},
      {"runtime_directory", "runtime_directory: app", "runtime_directory: {name: app, mode: \"0700\"}",
       restarts, "command: ./a", "", "runtime_directory.app"},
      {"state_directory", "state_directory: app", "state_directory: {name: app, mode: \"0700\"}", restarts,
       "command: ./a", "", "state_directory.app"},
      {"sandbox", "sandbox: {private_tmp: true}", "sandbox: {private_tmp: true, protect_home: true}",
       restarts, "command: ./a", "", "sandbox.protect_home"},
      {"environment_from", "environment_from: [PATH]", "environment_from: [LANG]", restarts},
      {"isolate", "", "isolate: true", restarts},
      {"listen", "listen: \"127.0.0.1:80\"", "listen: \"127.0.0.1:81\"", restarts, "command: ./a", "",
       "listen.a"},
      {"stdin", "", "stdin: inherit", restarts},
      {"tty", "", "tty: true", restarts},
      {"log", "log: {file: /tmp/one}", "log: {file: /tmp/two}", restarts},
      {"pre_start", "pre_start: ./one", "pre_start: ./two", in_place},
      {"post_start", "post_start: ./one", "post_start: ./two", in_place},
      {"pre_stop", "pre_stop: ./one", "pre_stop: ./two", in_place},
      {"post_stop", "post_stop: ./one", "post_stop: ./two", in_place},
      {"reload", "reload: SIGHUP", "reload: SIGUSR1", in_place, "command: ./a", "", "reload.signal"},
      {"watchdog", "watchdog: 5s", "watchdog: 6s", restarts, "command: ./a\n    ready: notify"},
      {"notify_access", "notify_access: main", "notify_access: exec", restarts},
      {"fd_store", "fd_store: 1", "fd_store: 2", restarts},
      {"essential", "", "essential: true", in_place},
      {"main", "", "main: true", refused, "command: ./a\n    restart: no"},
      {"success_exit_codes", "success_exit_codes: 3", "success_exit_codes: 4", in_place},
      {"health", "", "health: ignore", in_place},
      {"profiles", "profiles: [one]", "profiles: [two]", in_place},
      {"labels", "labels: {a: b}", "labels: {a: c}", in_place, "command: ./a", "", "labels.a"},
      {"description", "description: one", "description: two", in_place},
  };
}

// Keys whose values come from files, or that are replaced by services of their own: they have tests below.
const std::set<std::string_view> elsewhere = {"env_file", "secrets", "credentials", "replicas", "extends"};

Stack stack_with(const Case& one, const std::string& key) {
  std::string text = "services:\n  a:\n";
  for (const std::string& line : {one.around, key})
    if (!line.empty()) text += "    " + line + "\n";
  return good(text + one.others);
}

std::string keys_of(const Difference& all) {
  std::string out;
  for (const ServiceChange& change : all.changed)
    for (const KeyChange& key : change.keys)
      out += change.name + " " + text_of(key) + " (" + std::string(name_of(key.effect)) + ")\n";
  return out;
}

TEST(Difference, EachKeyOfAServiceHasItsEffect) {
  for (const Case& one : cases()) {
    const Difference all = difference(stack_with(one, one.before), stack_with(one, one.after));
    const std::string named = one.named.empty() ? std::string(one.key) : one.named;
    const std::string what = std::string(one.key) + ": " + one.before + " → " + one.after;
    if (named == "-") {
      EXPECT_TRUE(all.empty()) << what << "\n" << keys_of(all);
      continue;
    }
    ASSERT_EQ(all.changed.size(), 1U) << what;
    const auto found = std::ranges::find(all.changed[0].keys, named, &KeyChange::key);
    ASSERT_NE(found, all.changed[0].keys.end()) << what << "\n" << keys_of(all);
    EXPECT_EQ(found->effect, one.effect) << what;
    EXPECT_EQ(all.changed[0].restarts(), one.effect == restarts) << what << "\n" << keys_of(all);
    EXPECT_NE(found->before, found->after) << what;
  }
}

TEST(Difference, EveryKeyOfAServiceIsInTheMatrix) {
  std::set<std::string_view> covered = elsewhere;
  const std::vector<Case> all = cases();
  for (const Case& one : all) covered.insert(one.key);
  for (const auto& field : service_fields())
    EXPECT_TRUE(covered.contains(field.key.name))
        << field.key.name << " has no case in the matrix of a reload";
}

TEST(Difference, EveryRowIsNamedAfterAKey) {
  const auto is_key = [](const auto& fields, std::string_view name) {
    return std::ranges::any_of(fields, [name](const auto& field) { return field.key.name == name; });
  };
  for (const ServiceRow& row : service_rows()) EXPECT_TRUE(is_key(service_fields(), row.key)) << row.key;
  for (const StackRow& row : stack_rows()) EXPECT_TRUE(is_key(stack_fields(), row.key)) << row.key;
}

TEST(Difference, TheSameFileIsNoDifference) {
  for (const Case& one : cases())
    EXPECT_TRUE(difference(stack_with(one, one.after), stack_with(one, one.after)).empty()) << one.key;
}

TEST(Difference, LinesThatMoveAreNoDifference) {
  EXPECT_TRUE(difference(good("services: {a: {command: ./a}, b: {command: ./b}}"),
                         good("# new\n\n\nservices:\n  b: {command: ./b}\n  a: {command: [./a]}"))
                  .empty());
}

TEST(Difference, ServicesComeAndGo) {
  const Stack after = good("services: {b: {command: ./b}, c: {command: ./c}}");
  const Difference all = difference(good("services: {a: {command: ./a}, b: {command: ./b}}"), after);
  ASSERT_EQ(all.added.size(), 1U);
  EXPECT_EQ(after.services[all.added[0]].name, "c");
  EXPECT_EQ(all.removed, std::vector<std::uint32_t>{0});
  EXPECT_TRUE(all.changed.empty());
}

TEST(Difference, MoreReplicasAreNewServicesAndANewEdgeOfTheirGate) {
  const auto replicas = [](const std::string& count) {
    return good("services: {a: {command: ./a, replicas: " + count + "}}");
  };
  const Difference up = difference(replicas("2"), replicas("3"));
  EXPECT_EQ(up.added.size(), 1U);
  EXPECT_EQ(keys_of(up), "a depends_on.a-3: {condition: ready} (new) (in place)\n");
  const Difference down = difference(replicas("3"), replicas("2"));
  EXPECT_EQ(down.removed.size(), 1U);
  EXPECT_EQ(keys_of(down), "a depends_on.a-3: {condition: ready} (gone) (in place)\n");
}

TEST(Difference, AProfileIsWhatTheServiceIsEnabledBy) {
  LoadOptions with;
  with.profiles = {"debug"};
  const std::string text = "services: {a: {command: ./a, profiles: [debug]}, b: {command: ./b}}";
  EXPECT_EQ(keys_of(difference(good(text), good(text, {}, with))),
            "a profiles.enabled: false (gone) (in place)\n");
}

TEST(Difference, AVariableCountsByWhatItIsNow) {
  const std::string text = "services: {a: {command: \"./a $WHERE\"}}";
  EXPECT_EQ(keys_of(difference(good(text, {{"WHERE", "here"}}), good(text, {{"WHERE", "there"}}))),
            "a command: [./a, here] → [./a, there] (restart)\n");
}

TEST(Difference, AFreePortThatIsKeptIsNoDifference) {
  const std::string text = "ports: {web: free}\nservices: {a: {command: \"./a ${PORT_web}\"}}";
  const Stack before = good(text);
  LoadOptions kept;
  kept.ports = before.ports;
  kept.free_ports = [](std::size_t) { return std::vector<std::uint16_t>{50'000}; };
  EXPECT_TRUE(difference(before, good(text, {}, kept)).empty());
  kept.ports.clear();
  EXPECT_FALSE(difference(before, good(text, {}, kept)).empty());
}

TEST(Difference, AnEnvironmentWithAPasswordIsNotShown) {
  EXPECT_EQ(keys_of(difference(good("services: {a: {command: ./a, environment: {PASSWORD: one}}}"),
                               good("services: {a: {command: ./a, environment: {PASSWORD: two}}}"))),
            "a environment.PASSWORD: *** (another one) (restart)\n");
}

TEST(Difference, SecretsAndEnvFilesCountByWhatIsInThem) {
  const testing_support::Directory files;
  const auto with = [&files](const std::string& value) {
    files.write("env", "FROM_FILE=" + value + "\n");
    files.write("secret", value);
    return good("services: {a: {command: ./a, env_file: " + files.path("env") + ", secrets: {S: " +
                files.path("secret") + "}, credentials: {c: " + files.path("secret") + "}}}");
  };
  const Stack before = with("one");
  EXPECT_TRUE(difference(before, with("one")).empty());
  EXPECT_EQ(keys_of(difference(before, with("two"))),
            "a environment.FROM_FILE: one → two (restart)\n"
            "a secrets.S: *** (another one) (restart)\n"
            "a credentials.c: *** (another one) (restart)\n");
}

TEST(Difference, WhatAServiceExtendsIsAValueOfItsOwn) {
  const auto with = [](const std::string& nice) {
    return good("services: {base: {command: ./a, nice: " + nice + "}, a: {extends: base, command: ./a}}");
  };
  EXPECT_EQ(keys_of(difference(with("1"), with("2"))),
            "base nice: 1 → 2 (restart)\na nice: 1 → 2 (restart)\n");
}

// Whose texts were made of outputs that the old edges vouch for.
TEST(Difference, AnotherEdgeOfAServiceThatUsesOutputsRestartsIt) {
  const auto with = [](const std::string& edges) {
    return good(
        "services:\n  db: {command: ./db, ready: {port: any}}\n  b: {command: ./b}\n"
        "  a: {command: \"./a ${db.PORT}\", depends_on: " +
        edges + "}\n");
  };
  const Difference all = difference(with("[db]"), with("[db, b]"));
  EXPECT_EQ(keys_of(all), "a depends_on.b: {condition: ready} (new) (restart)\n");
}

TEST(Difference, WhatBelongsToBelfryItselfIsRefusedAndNamed) {
  const std::string rest = "\nservices: {a: {command: ./a}}";
  for (const auto& [before, after, said] : std::to_array<std::array<std::string, 3>>({
           {"name: one", "name: two", "name: one → two"},
           {"http: {listen: \"127.0.0.1:80\"}", "http: {listen: \"127.0.0.1:81\"}",
            "http.listen: [\"127.0.0.1:80\"] → [\"127.0.0.1:81\"]"},
           {"control: {socket: /one}", "control: {socket: /two}", "control.socket: /one → /two"},
           {"limits: {probes: 4}", "limits: {probes: 5}", "limits.probes: 4 → 5"},
           {"on_daemon_death: kill", "on_daemon_death: keep", "on_daemon_death: kill → keep"},
           {"cgroups: auto", "cgroups: off", "cgroups: auto → off"},
           {"cluster: {etcd: [\"http://e1:2379\"], host: a}",
            "cluster: {etcd: [\"http://e1:2379\"], host: b}", "cluster.host: a → b"},
       }))
    EXPECT_EQ(difference(good(before + rest), good(after + rest)).refusals(), std::vector<std::string>{said});
}

TEST(Difference, TheBudgetOfTheShutdownIsNotRefused) {
  const std::string rest = "\nservices: {a: {command: ./a}}";
  const Difference all =
      difference(good("shutdown: {timeout: 5s}" + rest), good("shutdown: {timeout: 6s}" + rest));
  ASSERT_EQ(all.stack.size(), 1U);
  EXPECT_EQ(text_of(all.stack[0]), "shutdown.timeout: 5s → 6s");
  EXPECT_TRUE(all.refusals().empty());
}

TEST(Difference, AnotherMainServiceIsRefused) {
  const Difference all = difference(good("services: {a: {command: ./a, main: true}, b: {command: ./b}}"),
                                    good("services: {a: {command: ./a}, b: {command: ./b}}"));
  EXPECT_EQ(all.refusals(), std::vector<std::string>{"a: main: true (gone)"});
}

TEST(Difference, AMainServiceThatComesOrGoesIsRefused) {
  const std::string rest = "services: {b: {command: ./b}";
  const std::string with = rest + ", a: {command: ./a, main: true}}";
  EXPECT_EQ(difference(good(rest + "}"), good(with)).refusals(),
            std::vector<std::string>{"a: main: true (new)"});
  EXPECT_EQ(difference(good(with), good(rest + "}")).refusals(),
            std::vector<std::string>{"a: main: true (gone)"});
}

}  // namespace
}  // namespace belfry::config
