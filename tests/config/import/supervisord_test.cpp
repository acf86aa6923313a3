#include <gtest/gtest.h>

#include "tests/config/import/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

Imported import_of(std::string text, std::string directory = "/etc/supervisor") {
  const ImportFile file{"s.conf", std::move(text), std::move(directory)};
  return import_supervisord(std::span(&file, 1));
}
Imported program(const std::string& lines) { return import_of("[program:a]\ncommand=x\n" + lines); }
// The one service of a stack.
struct Only {
  Stack stack;
  const Service* operator->() const { return &service(stack, "a"); }
};
Only only(const std::string& lines) { return {imported(program(lines))}; }

TEST(ImportSupervisord, splits_a_command_without_a_shell) {
  const Stack stack = imported(import_of("[program:a]\ncommand=x 'b c' \"$HOME\" %% %(ENV_NONE)s ; note\n"));
  EXPECT_EQ(service(stack, "a").command, (Command{"x", "b c", "$HOME", "%", ""}));
  EXPECT_TRUE(
      says(program("x=1\n[program:b]\ncommand=a && b\n"), "s.conf:5:1: warning: `&&` in `command` of `b`"));
}
TEST(ImportSupervisord, a_program_without_a_command_is_listed) {
  const Imported import = import_of("[program:a]\nuser=root\n");
  EXPECT_TRUE(says(import, "s.conf:1:1: warning: the command of `a` is not carried over"));
  EXPECT_EQ(imported(import).services.size(), 1U);
}
TEST(ImportSupervisord, knows_when_to_start_again) {
  EXPECT_EQ(only("")->restart->policy, RestartPolicy::on_failure);
  EXPECT_EQ(only("autorestart=true")->restart->policy, RestartPolicy::always);
  EXPECT_EQ(only("autorestart=FALSE")->restart->policy, RestartPolicy::no);
  EXPECT_EQ(only("autorestart=unexpected\nexitcodes=0, 3,4")->extras->success_exit_codes,
            (std::vector<int>{0, 3, 4}));
  EXPECT_TRUE(says(program("exitcodes=2"), "s.conf:3:1: warning: that 0 is not among `exitcodes`"));
}
TEST(ImportSupervisord, what_ends_at_once_and_is_not_started_again_is_a_oneshot) {
  EXPECT_EQ(only("startsecs=0\nautorestart=false")->type, ServiceType::oneshot);
  EXPECT_EQ(only("startsecs=0")->type, ServiceType::daemon);
}
TEST(ImportSupervisord, tries_so_often_within_the_time_that_the_tries_take) {
  EXPECT_TRUE(program("startretries=3\nstartsecs=10").yaml.contains("limit: 3 per 39s"));
  EXPECT_TRUE(says(program("startsecs=10"), "s.conf:3:1: warning: `startsecs` of `a` is not carried over"));
}
TEST(ImportSupervisord, asks_to_stop_by_signal_and_in_time) {
  const Only one = only("stopsignal=QUIT\nstopwaitsecs=90");
  EXPECT_EQ(one->stop.signal, 3);
  EXPECT_EQ(one->stop.timeout, std::chrono::seconds(90));
}
TEST(ImportSupervisord, reads_the_quoting_of_its_environment) {
  const Only one = only("environment=A=\"b,c=d\",B='e \"f\"', C=/g:h,\n  D=\"%(program_name)s $x\",A=last");
  EXPECT_EQ(value_of(one->environment, "A"), "last");
  EXPECT_EQ(value_of(one->environment, "B"), "e \"f\"");
  EXPECT_EQ(value_of(one->environment, "C"), "/g:h");
  EXPECT_EQ(value_of(one->environment, "D"), "a $x");
  EXPECT_TRUE(says(program("environment=A=1,=2,B=\"x"), "an item of `environment`"));
}
TEST(ImportSupervisord, makes_replicas_of_processes_that_are_alike) {
  const Imported import = program(
      "numprocs=3\nprocess_name=%(program_name)s_%(process_num)02d\nstdout_logfile=/l-%(process_num)d");
  EXPECT_TRUE(import.yaml.contains("replicas: 3"));
  EXPECT_EQ(imported(import).services.size(), 4U);  // and the gate of them
}
TEST(ImportSupervisord, writes_processes_one_by_one_where_their_numbers_count) {
  const Stack stack = imported(
      import_of("[program:a]\ncommand=x "
                "80%(process_num)02d\nnumprocs=2\nnumprocs_start=9\nprocess_name=p%(process_num)d\n"));
  EXPECT_EQ(service(stack, "p9").command, (Command{"x", "8009"}));
  EXPECT_EQ(service(stack, "p10").command, (Command{"x", "8010"}));
  EXPECT_EQ(service(stack, "a").type, ServiceType::gate);
  EXPECT_EQ(service(stack, "a").depends_on.size(), 2U);
}
TEST(ImportSupervisord, says_where_too_many_processes_are_counted_otherwise) {
  const Imported import = import_of("[program:a]\ncommand=x %(process_num)02d\nnumprocs=5000\n");
  EXPECT_TRUE(says(import, "s.conf:3:1: warning: the numbers of the processes of `a`"));
  EXPECT_TRUE(import.yaml.contains("replicas: 5000"));
}
TEST(ImportSupervisord, starts_nobody_who_is_not_to_be_started) {
  const Stack stack =
      imported(import_of("[program:a]\ncommand=x\nautostart=false\n[program:b]\ncommand=y\n"
                         "[group:all]\nprograms=a,b\n"));
  EXPECT_EQ(service(stack, "all").depends_on.size(), 1U);  // nobody waits for what no profile enables
  EXPECT_FALSE(service(stack, "a").enabled);
  EXPECT_TRUE(service(stack, "b").enabled);
}
TEST(ImportSupervisord, a_group_may_be_called_like_a_program) {
  const Stack stack = imported(program("[group:a]\nprograms=a,gone"));
  EXPECT_EQ(service(stack, "a-group").depends_on.at(0).service, "a");
}
TEST(ImportSupervisord, logs_to_one_file_of_units_that_count_by_1024) {
  EXPECT_TRUE(program("stdout_logfile=/l").yaml.contains("{file: /l, max_size: 50MiB, max_files: 11}"));
  EXPECT_TRUE(program("stdout_logfile=/l\nstdout_logfile_maxbytes=0").yaml.contains("log: {file: /l}"));
  EXPECT_TRUE(program("stdout_logfile=NONE").yaml.contains("log: {stdout: false}"));
  EXPECT_FALSE(program("stdout_logfile=/dev/fd/1\nstdout_logfile_maxbytes=0").yaml.contains("log:"));
  EXPECT_TRUE(program("stderr_logfile=/e").yaml.contains("{file: /e,"));
  EXPECT_TRUE(program("stdout_syslog=true").yaml.contains("log: {syslog: true}"));
  EXPECT_TRUE(says(program("stdout_logfile=/l\nstderr_logfile=/e"), "s.conf:4:1: warning: `stderr_logfile`"));
  EXPECT_FALSE(says(program("stdout_logfile=/l\nstderr_logfile=/e\nredirect_stderr=true"), "stderr_logfile"));
}
TEST(ImportSupervisord, hands_a_socket_of_fastcgi_over_as_standard_input) {
  const Stack stack =
      imported(import_of("[fcgi-program:a]\ncommand=php-cgi -x\nsocket=tcp://127.0.0.1:9002\n"));
  EXPECT_EQ(service(stack, "a").command, (Command{"sh", "-c", "exec \"$@\" 0<&3", "sh", "php-cgi", "-x"}));
  EXPECT_EQ(service(stack, "a").extras->listen.size(), 1U);
  EXPECT_TRUE(says(import_of("[fcgi-program:a]\ncommand=x\nsocket=tcp://1:2\n"), "the socket of `a`"));
  EXPECT_TRUE(says(import_of("[fcgi-program:a]\ncommand=x\nsocket=what\n"),
                   "s.conf:3:1: warning: the socket of `a`"));
}
TEST(ImportSupervisord, guesses_what_a_key_was_meant_to_be) {
  EXPECT_TRUE(says(program("autorestrat=true"), "did you mean `autorestart`?"));
  EXPECT_TRUE(says(import_of("[program:a]\ncommand=x\n[programm:b]\ncommand=y\n"),
                   "s.conf:3:1: warning: [programm:b]"));
}
TEST(ImportSupervisord, a_section_that_is_there_twice_is_one_and_the_last_key_counts) {
  const Stack stack = imported(program("user=one\n[program:a]\nuser=two\n"));
  EXPECT_EQ(stack.services.size(), 1U);
  EXPECT_EQ(service(stack, "a").user, "two");
}
TEST(ImportSupervisord, reads_the_files_that_are_included_when_they_are_named) {
  const std::vector<ImportFile> files{{"main", "[include]\nfiles=x.d/*.conf\n", "/etc"},
                                      {"a", "[program:a]\ncommand=%(here)s/run\n", "/etc/x.d"}};
  const Imported import = import_supervisord(files);
  EXPECT_EQ(service(imported(import), "a").command, Command{"/etc/x.d/run"});
  EXPECT_TRUE(says(import, "main:1:1: warning: [include] is not carried over"));
  EXPECT_TRUE(import_supervisord(std::span(files.data(), 1)).diagnostics.has_errors());
  EXPECT_TRUE(import_supervisord({}).diagnostics.has_errors());
}

}  // namespace
}  // namespace belfry::config
