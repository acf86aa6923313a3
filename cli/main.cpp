// The `belfry` executable: the command line, and which subcommand answers it.
#include <algorithm>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/program.hpp"
#include "cli/run_files.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/run/app.hpp"
#include "system/descriptors.hpp"
#include "system/init.hpp"
#include "system/signals.hpp"
#include "system/subreaper_shim.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

int run_command(const Invocation& asked) {
  system::InitOptions options;
  options.command = asked.program;
  options.single_child = asked.init.single_child;
  options.rewrites = asked.init.rewrites;
  options.parent_death_signal = asked.init.parent_death_signal;
  if (asked.init.kill_after) options.kill_after = *asked.init.kill_after;
  const auto ended = system::run_as_init(options);
  if (ended) {
    const int code = ended->shell_code();
    return std::ranges::count(asked.init.remapped_exits, code) > 0 ? exit_code::ok : code;
  }
  const std::string& program = asked.program.front();
  if (ended.error().by_exec) return report(cannot_run(program, ended.error().errnum));
  return report(
      {exit_code::os_error, "cannot start " + program + ": " + std::strerror(ended.error().errnum), ""});
}

// What the daemon says of itself, asked from within.
RunSource source_of(const daemon::AskApi& ask) {
  const auto follow = [&ask](const std::string& target,
                             const RunSource::Take& take) -> Expected<client::Reply> {
    client::Reply reply;
    reply.status = ask(target, daemon::AnswerForm::events, take);
    return reply;
  };
  const auto get = [&ask](const std::string& target) -> Expected<client::Reply> {
    client::Reply reply;
    reply.status = ask(target, daemon::AnswerForm::json, [&reply](std::string_view bytes) {
      reply.body += bytes;
      return true;
    });
    return reply;
  };
  return {.get = get, .follow = follow};
}

// Runs the daemon; what its end is to be written to is written when it has ended.
template <class Options>
int run_and_write(Options options, int (*run_it)(const Options&), const Invocation& asked) {
  RunFiles files(asked.page, asked.trace);
  if (!files.are_wanted()) return run_it(options);
  options.witness = [&files](const daemon::LastLook& look) {
    if (look.moment == daemon::LastLook::Moment::ending) return files.look_at_the_ending(source_of(look.ask));
    files.look_at_the_end(source_of(look.ask), look.reason, look.blame);
  };
  const int code = run_it(options);
  files.write(code);
  return code;
}

int run(const Invocation& asked) {
  if (!asked.program.empty()) return run_command(asked);
  return run_and_write<daemon::RunOptions>(
      {.files = asked.files, .services = asked.names, .profiles = asked.profiles, .logs = asked.logs},
      daemon::run, asked);
}

int exec(const Invocation& asked) {
  daemon::ExecOptions options;
  options.files = asked.files;
  options.services = asked.names;
  options.profiles = asked.profiles;
  if (asked.timeout) options.timeout = *asked.timeout;
  options.command = asked.program;
  options.logs = asked.logs;
  options.quiet = asked.exec.quiet;
  options.keep = asked.exec.keep;
  options.strict_stop = asked.exec.strict_stop;
  options.verdict_code = asked.exec.verdict_code;
  options.annotate = asked.exec.annotate;
  options.junit = asked.exec.junit;
  return run_and_write<daemon::ExecOptions>(options, daemon::exec, asked);
}

struct Subcommand {
  std::string_view command;
  int (*answer)(const Invocation&);
};

constexpr Subcommand subcommands[] = {
    {"run", run},
    {"exec", exec},
    {"check", check},
    {"graph", graph},
    {"up", up},
    {"down", down},
    {"ls", ls},
    {"attach", attach},
    {"status", status},
    {"wait", wait},
    {"start", control},
    {"stop", control},
    {"restart", control},
    {"kill", control},
    {"reload", reload},
    {"shutdown", shutdown},
    {"events", events},
    {"logs", logs},
    {"import", import},
    {"init", init},
    {"completion", completion},
    {"why", why},
    {"analyze", analyze},
    {"report", write_report},
    {"dashboard", dashboard},
};

int answer(const Invocation& asked) {
  for (const Subcommand& one : subcommands) {
    if (one.command == asked.command) return one.answer(asked);
  }
  return exit_code::internal;
}

int belfry_main(int argc, char** argv) {
  const auto parsed = parse({argv + 1, argv + argc});
  if (!parsed) return report(parsed.error());
  if (const auto* text = std::get_if<Text>(&*parsed)) {
    std::cout << text->text;
    return exit_code::ok;
  }
  return answer(std::get<Invocation>(*parsed));
}

}  // namespace
}  // namespace belfry::cli

// As early as a program can: before the constructors of belfry and of its libraries. A SIGTERM that comes
// then waits until the loop hears of it; as PID 1 it would be lost otherwise. Before `main`, and so before
// any rule of C++: it may use nothing that is constructed. (glibc hands the arguments over; gABI, chapter 5.)
static void block_signals_of_a_daemon(int argc, char** argv, char** /*environment*/) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "run" || command == "exec") belfry::system::SignalBlock::block();
}
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
// The sanitizers set themselves up in the same list, and what they watch must come after them.
[[gnu::constructor(101)]] static void block_signals(int argc, char** argv) {
  block_signals_of_a_daemon(argc, argv, nullptr);
}
#else
[[gnu::section(".preinit_array"),
  gnu::used]] static void (*block_signals)(int, char**, char**) = block_signals_of_a_daemon;
#endif

int main(int argc, char** argv) {
  belfry::system::be_shim_if_asked(argc, argv);
  try {
    belfry::system::ensure_standard_descriptors();  // or a socket would be "standard output"
    return belfry::cli::finish_output(belfry::cli::belfry_main(argc, argv));
  } catch (const std::exception& bug) {
    std::cerr << "belfry: cannot go on, this is a bug: " << belfry::text::visible(bug.what()) << '\n';
    return belfry::exit_code::internal;
  }
}
