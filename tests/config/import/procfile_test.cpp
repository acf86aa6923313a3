#include <gtest/gtest.h>

#include "tests/config/import/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

TEST(ImportProcfile, passes_over_lines_of_another_form_and_says_so) {
  const Imported import = import_procfile("web: a\nno colon here\n", "Procfile");
  EXPECT_TRUE(says(import, "Procfile:2:1: warning: "));
  EXPECT_EQ(imported(import).services.size(), 1U);
  EXPECT_TRUE(import_procfile("no colon here\n", "Procfile").diagnostics.has_errors());
}
TEST(ImportProcfile, the_last_of_two_lines_for_one_process_counts) {
  const Imported import = import_procfile("a: x\nb: y\na: z\n", "Procfile");
  EXPECT_EQ(service(imported(import), "a").command, Command{"z"});
  EXPECT_TRUE(says(import, "Procfile:3:1: warning: the process `a` is there twice"));
}
TEST(ImportProcfile, hands_a_port_to_web_and_to_whoever_asks) {
  const Imported import = import_procfile("web: a\nb-1: x $PORT\nb_1: y ${PORT}\nc: z\n", "Procfile");
  const Stack stack = imported(import);
  EXPECT_EQ(stack.ports.size(), 3U);
  EXPECT_NE(value_of(service(stack, "b-1").environment, "PORT"),
            value_of(service(stack, "b_1").environment, "PORT"));
  EXPECT_TRUE(service(stack, "c").environment.empty());
  EXPECT_TRUE(service(stack, "web").ready.empty());  // nothing says that it binds it
}
TEST(ImportProcfile, everybody_waits_for_the_release) {
  const Stack stack = imported(import_procfile("web: x -p $PORT\nrelease: y\n", "Procfile"));
  EXPECT_EQ(service(stack, "release").type, ServiceType::oneshot);
  EXPECT_EQ(service(stack, "web").depends_on.at(0).condition, Condition::completed);
  EXPECT_EQ(service(stack, "web").ready.probes.at(0).port, stack.ports.at(0).second);
}
TEST(ImportProcfile, two_dollars_are_the_process_id_of_the_shell) {
  const Stack stack = imported(import_procfile("web: exec ./srv --pid /tmp/$$.pid $HOME\n", "Procfile"));
  EXPECT_EQ(service(stack, "web").command, (Command{"sh", "-c", "exec ./srv --pid /tmp/$$.pid $HOME"}));
}

TEST(ImportProcfile, hands_the_env_file_beside_it_to_every_process) {
  const Directory dir;
  dir.write(".env", "GREETING=hello\n");
  const Imported import = import_procfile("web: x\nworker: y\n", "Procfile");
  const Loaded loaded = load(dir.write("belfry.yaml", import.yaml));
  for (const Service& one : loaded.stack.services) EXPECT_EQ(value_of(one.environment, "GREETING"), "hello");
  EXPECT_NO_THROW(imported(import));  // and there need not be one
}
TEST(ImportProcfile, one_that_fails_ends_all_and_one_that_is_done_is_told) {
  const Imported import = import_procfile("web: x\nworker: y\nrelease: z\n", "Procfile");
  for (const Service& one : imported(import).services) {
    EXPECT_TRUE(one.essential);
    EXPECT_EQ(one.restart->policy, RestartPolicy::no);
  }
  EXPECT_TRUE(says(
      import, "Procfile: warning: that a process which ends with 0 ends the others is not carried over"));
}
TEST(ImportProcfile, whoever_is_alone_ends_with_its_code) {
  for (const char* text : {"web: x\n", "web: x\nrelease: z\n"}) {
    const Imported import = import_procfile(text, "Procfile");
    EXPECT_TRUE(service(imported(import), "web").main);
    EXPECT_TRUE(import.diagnostics.empty()) << text_of(import.diagnostics);
  }
}

}  // namespace
}  // namespace belfry::config
