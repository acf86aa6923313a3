// What cannot run on the machine that is asked.
#include <gtest/gtest.h>

#include "tests/config/fake_host.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

class ValidateCommands : public testing::Test {
 protected:
  // Every warning as `RULE LINE:COLUMN message`, one a line.
  std::string warnings(const std::string& text, std::map<std::string, std::string> variables = {}) {
    LoadOptions options;
    options.host = &host;
    variables.emplace("PATH", "/opt/bin:/usr/bin");
    const Loaded result = loaded(text, variables, options);
    std::string all;
    for (const Diagnostic& one : result.diagnostics) {
      EXPECT_EQ(one.severity, Severity::warning) << one.message;
      EXPECT_FALSE(one.help.empty()) << one.message;
      all += std::string(one.rule) + " " + std::to_string(one.where.line) + ":" +
             std::to_string(one.where.column) + " " + one.message + "\n";
    }
    return all;
  }
  std::string of(const std::string& keys) { return warnings("services: {x: {" + keys + "}}"); }

  FakeHost host;
};

TEST_F(ValidateCommands, nobody_is_asked_without_a_host) {
  EXPECT_TRUE(loaded("services: {x: {command: ./absent, user: nobody}}").diagnostics.empty());
}

TEST_F(ValidateCommands, a_log_needs_a_directory_that_belfry_may_write_to_and_a_socket_that_is_there) {
  host.files = {"/usr/bin/x", "/dev/log"};
  host.directories = {"/var/log"};
  EXPECT_EQ(of("command: x, log: {file: /var/log/x.log, syslog: true}"), "");
  EXPECT_EQ(of("command: x, log: {file: /none/x.log}"),
            "log-not-writable 1:30 the log file `/none/x.log` cannot be made: no such directory\n");
  EXPECT_EQ(
      of("command: x, log: {journald: true}"),
      "log-no-socket 1:30 nobody takes log lines at `/run/systemd/journal/socket`: it does not exist\n");
}

TEST_F(ValidateCommands, a_path_counts_from_the_working_directory) {
  host.files = {"/nowhere/sub/run"};
  host.directories = {"/nowhere/sub"};
  EXPECT_EQ(of("command: ./run, working_dir: sub"), "");
  EXPECT_EQ(of("command: ./run"), "no-such-command 1:25 `/nowhere/run` does not exist\n");
}

TEST_F(ValidateCommands, a_name_is_searched_in_the_path_of_the_service) {
  host.files = {"/opt/bin/api", "/own/web", "/usr/bin/both", "/bin/sh"};
  host.refused = {{"/opt/bin/both", "it is a directory"},
                  {"/usr/bin/bad", "it is not executable (chmod +x)"}};
  EXPECT_EQ(of("command: api"), "");
  EXPECT_EQ(of("command: both"), "") << "who cannot be executed is passed over";
  EXPECT_EQ(of("command: bad"), "no-such-command 1:25 `/usr/bin/bad`: it is not executable (chmod +x)\n");
  EXPECT_EQ(of("command: web"), "no-such-command 1:25 `web` is in no directory of the service's $PATH\n");
  EXPECT_EQ(of("command: web, environment: {PATH: /own}"), "");
  EXPECT_EQ(of("command: api, environment: {PATH: /own}"),
            "no-such-command 1:25 `api` is in no directory of the service's $PATH\n");
  EXPECT_EQ(of("command: api, clean_environment: true"),
            "no-such-command 1:25 `api` is in no directory of the service's $PATH\n");
  EXPECT_EQ(of("command: sh, clean_environment: true"), "");
}

TEST_F(ValidateCommands, an_interpreter_that_env_searches_is_searched_as_well) {
  host.files = {"/nowhere/run.js"};
  host.interpreters = {{"/nowhere/run.js", "node"}};
  EXPECT_EQ(of("command: ./run.js"),
            "no-such-command 1:25 `/nowhere/run.js` asks env for its interpreter `node`, which is in no "
            "directory of the service's $PATH\n");
  host.files.insert("/usr/bin/node");
  EXPECT_EQ(of("command: ./run.js"), "");
}

TEST_F(ValidateCommands, hooks_probes_and_reload_have_commands_too) {
  host.files = {"/usr/bin/api"};
  const std::string text =
      "services:\n"
      "  x:\n"
      "    command: api\n"
      "    pre_start: [./a]\n"
      "    post_stop: ./b\n"
      "    reload: {command: [./c]}\n"
      "    ready: {exec: ./d}\n"
      "    live: {exec: [./e]}\n"
      "    bells: {warm: {exec: ./f}}\n";
  const std::string said = warnings(text);
  for (const char* one : {"4:17 `/nowhere/a`", "5:16 `/nowhere/b`", "6:24 `/nowhere/c`", "7:12 `/nowhere/d`",
                          "8:11 `/nowhere/e`", "9:19 `/nowhere/f`"})
    EXPECT_NE(said.find(one), std::string::npos) << one << " in\n" << said;
}

TEST_F(ValidateCommands, users_and_groups_are_known_or_warned_of_at_their_place) {
  host.files = {"/usr/bin/api"};
  host.users = {"www"};
  host.groups = {"web"};
  EXPECT_EQ(of("command: api, user: 'www:web'"), "");
  EXPECT_EQ(of("command: api, user: ghost"),
            "unknown-user 1:36 `x` cannot start here: this host has no such user: ghost\n");
  EXPECT_EQ(of("command: api, group: ghosts"),
            "unknown-user 1:37 `x` cannot start here: this host has no such group: ghosts\n");
  EXPECT_NE(of("command: api, listen: {s: {address: 'unix:/run/s', owner: ghost}}").find("unknown-user"),
            std::string::npos);
}

TEST_F(ValidateCommands, a_directory_or_input_that_is_not_there_is_warned_of_once) {
  EXPECT_EQ(of("command: ./run, working_dir: /srv/gone"),
            "no-such-directory 1:45 `working_dir`: `/srv/gone` does not exist\n");
  host.files = {"/usr/bin/api"};
  EXPECT_EQ(of("command: api, stdin: in.txt"),
            "unreadable-file 1:37 `stdin`: `/nowhere/in.txt` does not exist\n");
}

TEST_F(ValidateCommands, a_port_that_somebody_has_is_warned_of) {
  host.files = {"/usr/bin/api"};
  host.taken = {80, 81};
  EXPECT_EQ(of("command: api, ready: {port: 80}"),
            "port-taken 1:44 port 80 is not free here: nginx (4711) has it\n");
  EXPECT_NE(of("command: api, listen: '127.0.0.1:81'").find("port 81 is not free"), std::string::npos);
  EXPECT_EQ(of("command: api, ready: {port: 82}"), "");
  EXPECT_NE(of("command: api, listen: 'unix:/run/gone/s'").find("the directory `/run/gone` does not exist"),
            std::string::npos);
  EXPECT_EQ(of("command: api, listen: 'unix:@abstract'"), "");
}

TEST_F(ValidateCommands, what_belfry_itself_uses_is_looked_at_too) {
  host.files = {"/usr/bin/api"};
  host.taken = {9600};
  const std::string services = "\nservices: {x: {command: api}}";
  EXPECT_EQ(warnings("http: {listen: '127.0.0.1:9600'}" + services),
            "port-taken 1:16 port 9600 is not free here: nginx (4711) has it\n");
  EXPECT_NE(warnings("control: {allow: [ghosts]}" + services).find("unknown-user"), std::string::npos);
  EXPECT_NE(warnings("control: {token_file: gone}" + services).find("unreadable-file"), std::string::npos);
}

TEST_F(ValidateCommands, what_many_services_share_is_asked_once) {
  host.files = {"/opt/bin/api"};
  std::string text = "services:\n";
  for (int i = 0; i < 100; ++i) text += "  s" + std::to_string(i) + ": {command: api}\n";
  EXPECT_EQ(warnings(text), "");
  EXPECT_LE(host.questions, 2);
}

TEST_F(ValidateCommands, disabled_services_and_repetitions_say_nothing) {
  EXPECT_EQ(of("command: ./a, profiles: [debug]"), "");
  EXPECT_EQ(of("command: ./a, replicas: 3"), "no-such-command 1:25 `/nowhere/a` does not exist\n");
}

}  // namespace
}  // namespace belfry::config
