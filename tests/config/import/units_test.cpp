#include <gtest/gtest.h>

#include "config/import/unit_values.hpp"
#include "tests/config/import/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

Imported import_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::vector<ImportFile> all;
  for (const auto& [name, text] : files) all.push_back({name, text, "/etc/systemd/system"});
  return import_units(all);
}
Imported service_of(const std::string& lines) {
  return import_of({{"a.service", "[Service]\nExecStart=/x\n" + lines}});
}
// The one service of a stack.
struct Only {
  Stack stack;
  const Service* operator->() const { return &service(stack, "a"); }
};
Only only(const std::string& lines) { return {imported(service_of(lines))}; }
Command command_of(const std::string& line) {
  return service(imported(import_of({{"a.service", "[Service]\n" + line + "\n"}})), "a").command;
}
const Dependency& edge(const Stack& stack, std::string_view from, std::string_view to) {
  for (const Dependency& one : service(stack, from).depends_on)
    if (one.service == to) return one;
  throw std::runtime_error("no edge " + std::string(from) + " → " + std::string(to));
}

TEST(ImportUnits, read_times_as_systemd_does) {
  EXPECT_EQ(unit_time("5")->duration, "5s");
  EXPECT_EQ(unit_time("1min 30s")->duration, "1m30s");
  EXPECT_EQ(unit_time("55s500ms")->duration, "55s500ms");
  EXPECT_EQ(unit_time("2h30min")->duration, "2h30m");
  EXPECT_EQ(unit_time("0")->duration, "0s");
  EXPECT_EQ(unit_time("infinity")->duration, "");
  EXPECT_EQ(unit_time("99999999999999999999y")->duration, "");
  for (const char* bad : {"", "x", "5 parsecs", "-1", "1..2"}) EXPECT_FALSE(unit_time(bad)) << bad;
}
TEST(ImportUnits, split_words_at_blanks_and_keep_quotes_and_escapes) {
  EXPECT_EQ(unit_words("a \"b c\" 'd \"e' f\\x20g \\\"h\\\" a\"b c\"d"),
            (std::vector<std::string>{"a", "b c", "d \"e", "f g", "\"h\"", "ab cd"}));
  EXPECT_EQ(unit_words("\\s \\101 \\u00e4 \\q \"\""), (std::vector<std::string>{" ", "A", "ä", "\\q", ""}));
  bool unclosed = false;
  (void)unit_words("a 'b", unclosed);
  EXPECT_TRUE(unclosed);
}

TEST(ImportUnits, a_command_without_variables_is_a_list) {
  EXPECT_EQ(command_of("ExecStart=/x \"a b\" $$c %% 'd$e'"), (Command{"/x", "a b", "$c", "%", "d$e"}));
}
TEST(ImportUnits, variables_of_the_service_are_for_a_shell) {
  EXPECT_EQ(command_of("ExecStart=/x ${A}/b $C 'it''s'"),
            (Command{"sh", "-c", "set -f; exec /x \"${A}\"/b $C its"}));
  EXPECT_EQ(command_of("ExecStart=:/x ${A} $B"), (Command{"/x", "${A}", "$B"}));
}
TEST(ImportUnits, a_oneshot_runs_its_commands_one_after_the_other) {
  EXPECT_EQ(command_of("Type=oneshot\nExecStart=/a ; /b 'c d'\nExecStart=-/e \\;"),
            (Command{"sh", "-c", "/a && /b 'c d' && { /e ';' || :; }"}));
  EXPECT_TRUE(says(import_of({{"a.service", "[Service]\nExecStart=/a\nExecStart=/b\n"}}),
                   "a.service:2:1: warning: another `ExecStart=` of `a.service`"));
}
TEST(ImportUnits, what_stands_before_a_path_is_understood_or_listed) {
  EXPECT_EQ(command_of("ExecStart=@/x name -b"), (Command{"/x", "-b"}));
  EXPECT_EQ(command_of("ExecStart=-/x"), (Command{"/x"}));
  EXPECT_TRUE(says(service_of("ExecStartPre=!/p\n"), "a.service:3:1: warning: `+` or `!` before the path"));
}
TEST(ImportUnits, specifiers_are_replaced) {
  const Stack stack =
      imported(import_of({{"a-b@c\\x2dd.service", "[Service]\nExecStart=/x %n %N %p %i %I %j %f %S %Y\n"}}));
  EXPECT_EQ(stack.services.at(0).command,
            (Command{"/x", "a-b@c\\x2dd.service", "a-b@c\\x2dd", "a-b", "c\\x2dd", "c-d", "b", "/c-d",
                     "/var/lib", "/etc/systemd/system"}));
  EXPECT_TRUE(says(service_of("ExecStartPre=/p %m\n"), "`%m` in `ExecStartPre=`"));
}
TEST(ImportUnits, reads_each_line_of_one_setting_or_takes_them_back) {
  const Only one = only("Environment=A=1 \"B=x y\"\nEnvironment=\nEnvironment='C=$z' C=w D\n");
  EXPECT_EQ(value_of(one->environment, "C"), "w");
  EXPECT_EQ(value_of(one->environment, "A"), "(missing)");
  EXPECT_TRUE(says(service_of("Environment=D\n"), "an item of `Environment=` of `a.service`"));
}
TEST(ImportUnits, says_when_it_is_ready) {
  EXPECT_TRUE(only("Type=simple")->ready.empty());
  EXPECT_EQ(only("Type=notify")->ready.probes.at(0).kind, Probe::Kind::notify);
  EXPECT_EQ(only("BusName=org.x")->ready.probes.at(0).kind, Probe::Kind::exec);
  EXPECT_EQ(only("Type=forking\nPIDFile=a.pid")->ready.probes.at(0).kind, Probe::Kind::file);
  EXPECT_TRUE(
      says(service_of("Type=forking\n"), "a.service:3:1: warning: that `Type=forking` is ready when"));
  EXPECT_TRUE(
      service_of("Type=notify\nTimeoutStartSec=2min\n").yaml.contains("ready: {notify: true, timeout: 2m}"));
  EXPECT_TRUE(says(service_of("TimeoutStartSec=2min\n"), "`TimeoutStartSec=` as a limit of the start"));
}
TEST(ImportUnits, starts_again_only_if_the_unit_says_so) {
  EXPECT_EQ(only("")->restart->policy, RestartPolicy::no);
  EXPECT_TRUE(service_of("Restart=always\nRestartSec=40\n")
                  .yaml.contains("restart: {policy: always, delay: 40s, max_delay: 40s, factor: 1}"));
  EXPECT_TRUE(service_of("Restart=on-failure\nRestartSec=1\nRestartSteps=3\nRestartMaxDelaySec=9\n[Unit]\n"
                         "StartLimitIntervalSec=60\nStartLimitBurst=4\n")
                  .yaml.contains("restart: {policy: on-failure, delay: 1s, max_delay: 9s, limit: 4 per 1m}"));
  EXPECT_TRUE(says(service_of("Restart=on-abort\n"), "`Restart=on-abort` of `a.service`"));
}
TEST(ImportUnits, a_signal_to_the_main_process_is_how_it_stops_and_reloads) {
  const Only one =
      only("ExecStop=/bin/kill -INT $MAINPID\nExecReload=kill -s USR1 ${MAINPID}\nTimeoutStopSec=3");
  EXPECT_EQ(one->stop.signal, 2);
  EXPECT_TRUE(service_of("ExecReload=kill -s USR1 ${MAINPID}\n").yaml.contains("reload: SIGUSR1"));
  EXPECT_TRUE(says(service_of("ExecReload=/x $MAINPID\n"), "a command with $MAINPID of `a.service`"));
  EXPECT_TRUE(service_of("ExecReload=/x -r\n").yaml.contains("reload: {command: [/x, \"-r\"]}") ||
              service_of("ExecReload=/x -r\n").yaml.contains("reload: {command: [/x, -r]}"));
}
TEST(ImportUnits, limits_and_capabilities) {
  const std::string yaml =
      service_of(
          "LimitNOFILE=1024:infinity\nLimitMEMLOCK=8M\nLimitCPU=1min\nCapabilityBoundingSet=~CAP_SYS_ADMIN\n"
          "AmbientCapabilities=CAP_SYS_ADMIN CAP_KILL\nMemoryMax=infinity\nCPUQuota=5%\n")
          .yaml;
  EXPECT_TRUE(yaml.contains("nofile: {soft: 1024, hard: unlimited}")) << yaml;
  EXPECT_TRUE(yaml.contains("memlock: 8388608")) << yaml;
  EXPECT_TRUE(yaml.contains("cpu: 60")) << yaml;
  EXPECT_TRUE(yaml.contains("{drop: [CAP_SYS_ADMIN], ambient: [CAP_KILL]}")) << yaml;
  EXPECT_TRUE(yaml.contains("cgroup: {cpu_max: 0.05}")) << yaml;
  EXPECT_TRUE(service_of("CapabilityBoundingSet=\n").yaml.contains("capabilities: {drop: [all]}"));
  EXPECT_TRUE(says(service_of("LimitNOFILE=9:1\nMemoryMax=50%\nNice=40\n"), "`LimitNOFILE=` of `a.service`"));
}

TEST(ImportUnits, requirement_and_order_are_one_edge) {
  const Stack stack =
      imported(import_of({{"a.service",
                           "[Unit]\nRequires=b.service c.service\nAfter=b.service "
                           "d.service\nBindsTo=e.service\nWants=f.service\n"
                           "PartOf=g.service\n[Service]\nExecStart=/a\n"},
                          {"b.service", "[Service]\nType=oneshot\nExecStart=/b\n"},
                          {"c.service", "[Service]\nExecStart=/c\n"},
                          {"d.service", "[Service]\nExecStart=/d\n"},
                          {"e.service", "[Unit]\nBefore=a.service\n[Service]\nExecStart=/e\n"},
                          {"f.service", "[Service]\nExecStart=/f\n"},
                          {"g.service", "[Service]\nExecStart=/g\n"}}));
  EXPECT_EQ(edge(stack, "a", "b").condition, Condition::completed);
  EXPECT_EQ(edge(stack, "a", "c").condition, Condition::started);
  EXPECT_FALSE(edge(stack, "a", "d").required);
  EXPECT_EQ(edge(stack, "a", "e").on_loss, OnLoss::stop);
  EXPECT_EQ(edge(stack, "a", "g").on_loss, OnLoss::restart);
  EXPECT_EQ(service(stack, "a").depends_on.size(), 5U);  // f is wanted, and started as all are
}
TEST(ImportUnits, a_circle_is_opened_and_said) {
  const Imported import =
      import_of({{"a.service", "[Unit]\nAfter=b.service a.service\n[Service]\nExecStart=/a\n"},
                 {"b.service", "[Unit]\nAfter=c.service\n[Service]\nExecStart=/b\n"},
                 {"c.service", "[Unit]\nRequires=a.service\nAfter=a.service\n[Service]\nExecStart=/c\n"}});
  EXPECT_TRUE(says(import, "warning: `After=` between c.service and a.service of `c.service`"))
      << text_of(import.diagnostics);
  EXPECT_EQ(imported(import).services.size(), 3U);
}
TEST(ImportUnits, what_is_not_there_is_listed_and_a_milestone_of_the_machine_too) {
  const Imported import = service_of("[Unit]\nAfter=network.target x.service\nWants=worker@1.service\n");
  EXPECT_TRUE(says(import, "a.service:4:1: warning: `After=network.target`"));
  EXPECT_TRUE(says(import, "`After=x.service` of `a.service`"));
  EXPECT_TRUE(says(import, "`Wants=worker@1.service` of `a.service`"));
}
TEST(ImportUnits, targets_are_gates_of_what_they_want_and_of_what_wants_to_be) {
  const Stack stack = imported(
      import_of({{"all.target", "[Unit]\nRequires=a.service\n"},
                 {"a.service", "[Service]\nExecStart=/a\n"},
                 {"b.service",
                  "[Unit]\nPartOf=all.target\n[Service]\nExecStart=/b\n[Install]\nWantedBy=all.target\n"}}));
  EXPECT_EQ(service(stack, "all").type, ServiceType::gate);
  EXPECT_TRUE(edge(stack, "all", "a").required);
  EXPECT_FALSE(edge(stack, "all", "b").required);
}
TEST(ImportUnits, drop_ins_come_last_whatever_the_order) {
  const Imported import = import_of({{"/x/a.service.d/z.conf", "[Service]\nUser=z\n"},
                                     {"/x/a.service", "[Service]\nExecStart=/a\nUser=a\n"},
                                     {"/x/b.service.d/z.conf", "[Service]\nUser=z\n"}});
  EXPECT_EQ(service(imported(import), "a").user, "z");
  EXPECT_TRUE(says(import, "/x/b.service.d/z.conf: warning: the unit that this drop-in is for"));
}
TEST(ImportUnits, a_template_is_as_many_services_as_are_named) {
  const Imported import =
      import_of({{"w@.service", "[Unit]\nAfter=w@1.service\n[Service]\nExecStart=/w %i\n"},
                 {"t.target", "[Unit]\nWants=w@1.service w@2.service\n"}});
  const Stack stack = imported(import);
  EXPECT_EQ(service(stack, "w_1").command, (Command{"/w", "1"}));
  EXPECT_FALSE(edge(stack, "w_2", "w_1").required);
  EXPECT_EQ(stack.services.size(), 3U);
  const Imported alone = import_of({{"w@.service", "[Service]\nExecStart=/w %i\n"}});
  EXPECT_EQ(service(imported(alone), "w").command, (Command{"/w", "main"}));
}
TEST(ImportUnits, a_socket_beside_a_service_is_bound_for_it) {
  const Imported import =
      import_of({{"a.service", "[Service]\nExecStart=/a\n"},
                 {"a.socket",
                  "[Socket]\nListenStream=80\nListenStream=@abs\nListenDatagram=127.0.0.1:53\n"
                  "ListenStream=eth0:80\nAcept=no\n"},
                 {"other.socket", "[Socket]\nListenStream=81\n"},
                 {"b.service", "[Unit]\nRequires=a.socket\nAfter=a.socket\n[Service]\nExecStart=/b\n"}});
  const Stack stack = imported(import);
  EXPECT_EQ(service(stack, "a").extras->listen.size(), 3U);
  EXPECT_EQ(service(stack, "a").ready.probes.at(0).kind, Probe::Kind::listen);
  EXPECT_TRUE(edge(stack, "b", "a").required);
  EXPECT_TRUE(says(import, "a.socket:5:1: warning: `ListenStream=eth0:80`"));
  EXPECT_TRUE(says(import, "did you mean `Accept`?"));
  EXPECT_TRUE(says(import, "other.socket: warning: the socket other.socket"));
}
TEST(ImportUnits, one_address_or_runtime_directory_is_for_one_service) {
  const Imported import = import_of({{"a.service", "[Service]\nExecStart=/a\nRuntimeDirectory=x\n"},
                                     {"a.socket", "[Socket]\nListenStream=80\n"},
                                     {"b.service", "[Service]\nExecStart=/b\nRuntimeDirectory=x\n"},
                                     {"b.socket", "[Socket]\nListenStream=80\n"}});
  EXPECT_EQ(imported(import).services.size(), 2U);
  EXPECT_TRUE(says(import, "`RuntimeDirectory=` of `b.service`"));
  EXPECT_TRUE(says(import, "`ListenStream=80` of `b.socket`"));
}
TEST(ImportUnits, keys_that_nobody_knows_are_listed_by_line_with_a_guess) {
  const Imported import = service_of("Restrat=always\nPrivateUsers=yes\nX-Mine=1\n[Servce]\nUser=x\n");
  EXPECT_TRUE(says(import, "a.service:3:1: warning: `Restrat=` of `a.service` is not carried over"));
  EXPECT_TRUE(says(import, "did you mean `Restart`?"));
  EXPECT_TRUE(says(import, "a.service:4:1: warning: `PrivateUsers=`"));
  EXPECT_TRUE(says(import, "did you mean `Service`?"));
  EXPECT_FALSE(says(import, "X-Mine"));
  EXPECT_TRUE(
      import.yaml.contains("# not carried over: Restrat (line 3), PrivateUsers (line 4), User (line 7)"));
}
TEST(ImportUnits, refuse_files_without_services_and_files_that_are_no_text) {
  EXPECT_TRUE(import_of({{"a.timer", "[Timer]\nOnCalendar=daily\n"}}).diagnostics.has_errors());
  EXPECT_TRUE(import_of({{"a.service", std::string("\x7f"
                                                   "ELF\0",
                                                   5)}})
                  .diagnostics.has_errors());
  EXPECT_TRUE(import_units({}).diagnostics.has_errors());
}
TEST(ImportUnits, specifiers_do_not_make_a_small_file_a_huge_one) {
  std::string line = "ExecStart=/x ";
  for (int i = 0; i < 200'000; ++i) line += "%n";
  const std::string name = std::string(200, 'n') + ".service";
  EXPECT_LT(import_of({{name, "[Service]\n" + line + "\n"}}).yaml.size(), std::size_t{10} << 20U);
}

Imported container_of(const std::string& lines) {
  return import_of({{"c.container", "[Container]\nImage=i:1\n" + lines}});
}
TEST(ImportQuadlet, a_container_is_podman_in_the_foreground) {
  const Stack stack = imported(
      container_of("Exec=run --x 'a b'\nPublishPort=80:80\nEnvironment=A=1 'B=2 3'\nReadOnly=yes\n"));
  EXPECT_EQ(service(stack, "c").command,
            (Command{"podman", "run", "--rm", "--replace", "--name=systemd-c", "--sdnotify=ignore",
                     "--publish=80:80", "--env=A=1", "--env=B=2 3", "--read-only=true", "i:1", "run", "--x",
                     "a b"}));
}
TEST(ImportQuadlet, its_health_is_when_it_is_ready) {
  EXPECT_TRUE(
      container_of("HealthCmd=true\n").yaml.contains("ready: {exec: [podman, healthcheck, run, systemd-c]}"));
  EXPECT_TRUE(container_of("Notify=true\n").yaml.contains("ready: notify"));
}
TEST(ImportQuadlet, networks_and_volumes_that_have_a_file_are_made_first) {
  const Imported import = import_of({{"c.container",
                                      "[Container]\nImage=i\nNetwork=n.network:alias=x\nVolume=v.volume:/"
                                      "d\nVolume=gone.volume:/e\nVolume=./f:/f\n"},
                                     {"n.network", "[Network]\nNetworkName=net\n"},
                                     {"v.volume", "[Volume]\n"}});
  const Stack stack = imported(import);
  EXPECT_EQ(edge(stack, "c", "n-network").condition, Condition::completed);
  EXPECT_EQ(edge(stack, "c", "v-volume").condition, Condition::completed);
  EXPECT_TRUE(import.yaml.contains("--network=net:alias=x"));
  EXPECT_TRUE(import.yaml.contains("--volume=systemd-v:/d"));
  EXPECT_TRUE(import.yaml.contains("--volume=/etc/systemd/system/f:/f"));
  EXPECT_TRUE(says(import, "`Volume=gone.volume` of `c.container`"));
}
TEST(ImportQuadlet, what_its_service_does_after_a_stop_comes_behind_what_belfry_has_to_do) {
  const Imported import =
      container_of("ReloadSignal=USR1\n[Service]\nExecStopPost=/bin/x\nExecReload=/bin/y\n");
  EXPECT_TRUE(import.yaml.contains(
      "post_stop: [sh, -c, \"podman rm --force --ignore --volumes systemd-c && exec /bin/x\"]"))
      << import.yaml;
  EXPECT_TRUE(import.yaml.contains("reload: {command: [podman, kill, --signal, USR1, systemd-c]}"));
  EXPECT_TRUE(says(import, "c.container:6:1: warning: `ExecReload=` of `c.container`"));
}
TEST(ImportQuadlet, its_service_is_what_others_wait_for) {
  const Stack stack = imported(
      import_of({{"c.container", "[Container]\nImage=i\n"},
                 {"a.service", "[Unit]\nRequires=c.service\nAfter=c.service\n[Service]\nExecStart=/a\n"}}));
  EXPECT_TRUE(edge(stack, "a", "c").required);
}
TEST(ImportQuadlet, without_an_image_it_says_so) {
  EXPECT_TRUE(says(import_of({{"c.container", "[Container]\nExec=x\n"}}),
                   "c.container: warning: the image of `c.container`"));
}

}  // namespace
}  // namespace belfry::config
