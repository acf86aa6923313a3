#include "cli/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>

#include "cli/foreign_files.hpp"
#include "cli/foreign_words.hpp"
#include "cli/help.hpp"
#include "cli/manual.hpp"
#include "cli/option_values.hpp"
#include "cli/version.hpp"
#include "config/model/exit_codes.hpp"
#include "text/suggest.hpp"

namespace belfry::cli {
namespace {

// The texts that CLI11 fills in, and what they become afterwards.
struct Raw {
  Invocation invocation;
  InitWords init;
  std::string timeout;
  std::string verdict_code;
  bool help = false;
};

using Options = void (*)(CLI::App&, Raw&);

void file_option(CLI::App& app, Raw& raw) {
  // One value each time: what follows -c FILE is a service.
  app.add_option("-c,--file", raw.invocation.files)->allow_extra_args(false);
}
void profile_option(CLI::App& app, Raw& raw) {
  app.add_option("--profile", raw.invocation.profiles)->allow_extra_args(false);
}
void daemon_options(CLI::App& app, Raw& raw) {
  app.add_option("--socket", raw.invocation.socket);
  file_option(app, raw);
}
void names(CLI::App& app, Raw& raw) { app.add_option("names", raw.invocation.names); }
void first_file_options(CLI::App& app, Raw& raw) {
  app.add_option("-o,--output", raw.invocation.output);
  app.add_flag("--force", raw.invocation.force);
  names(app, raw);
}

void run_options(CLI::App& app, Raw& raw) {
  file_option(app, raw);
  profile_option(app, raw);
  names(app, raw);
}
void trace_option(CLI::App& app, Raw& raw) { app.add_option("--trace", raw.invocation.trace); }
void run_files_options(CLI::App& app, Raw& raw) {
  app.add_option("--report", raw.invocation.page);
  trace_option(app, raw);
}
void run_command_options(CLI::App& app, Raw& raw) {
  run_options(app, raw);
  run_files_options(app, raw);
  app.add_option("--logs", raw.invocation.logs);
  add_init_options(app, raw.init);
}
void exec_options(CLI::App& app, Raw& raw) {
  run_options(app, raw);
  run_files_options(app, raw);
  app.add_option("--timeout", raw.timeout);
  app.add_option("--logs", raw.invocation.logs);
  ExecTerms& terms = raw.invocation.exec;
  app.add_flag("-q,--quiet", terms.quiet);
  app.add_flag("--keep", terms.keep);
  app.add_flag("--strict-stop", terms.strict_stop);
  app.add_option("--verdict-code", raw.verdict_code);
  app.add_option("--annotate", terms.annotate);
  app.add_option("--junit", terms.junit);
}
void json_option(CLI::App& app, Raw& raw) { app.add_flag("--json", raw.invocation.json); }
void up_options(CLI::App& app, Raw& raw) {
  run_options(app, raw);
  app.add_option("--timeout", raw.timeout);
  json_option(app, raw);
}
void file_command_options(CLI::App& app, Raw& raw) {
  run_options(app, raw);
  app.add_option("--format", raw.invocation.format);
}
void check_options(CLI::App& app, Raw& raw) {
  file_command_options(app, raw);
  app.add_flag("--schema", raw.invocation.schema);
  app.add_flag("--strict", raw.invocation.strict);
}
void graph_options(CLI::App& app, Raw& raw) {
  file_command_options(app, raw);
  app.add_option("--times", raw.invocation.times);
}
void service_options(CLI::App& app, Raw& raw) {
  daemon_options(app, raw);
  names(app, raw);
  json_option(app, raw);
}
void status_options(CLI::App& app, Raw& raw) {
  service_options(app, raw);
  app.add_flag("-w,--watch", raw.invocation.live);
  app.add_flag("--ready", raw.invocation.ready);
  app.add_flag("--cluster", raw.invocation.cluster);
}
void attach_options(CLI::App& app, Raw& raw) {
  daemon_options(app, raw);
  names(app, raw);
}
void events_options(CLI::App& app, Raw& raw) {
  service_options(app, raw);
  add_event_options(app, raw.invocation.events);
}
void logs_options(CLI::App& app, Raw& raw) {
  service_options(app, raw);
  add_log_options(app, raw.invocation.logs_shown);
}
void analyze_options(CLI::App& app, Raw& raw) {
  daemon_options(app, raw);
  app.add_flag("--json", raw.invocation.json);
  add_analyze_options(app, raw.invocation.analyze);
  trace_option(app, raw);
}
void report_options(CLI::App& app, Raw& raw) {
  daemon_options(app, raw);
  app.add_option("--html", raw.invocation.page);
  app.add_option("--dashboard", raw.invocation.dashboard);
  app.add_option("--history", raw.invocation.analyze.history);
}
void dashboard_options(CLI::App& app, Raw& raw) {
  daemon_options(app, raw);
  app.add_option("--port", raw.invocation.port);
}
void wait_options(CLI::App& app, Raw& raw) {
  daemon_options(app, raw);
  names(app, raw);
  app.add_option("--timeout", raw.timeout);
  add_wait_options(app, raw.invocation.wait);
  app.add_option("--for,--condition", raw.invocation.condition);
}
void control_options(CLI::App& app, Raw& raw) {
  service_options(app, raw);
  app.add_flag("--no-wait", raw.invocation.no_wait);
  app.add_option("--timeout", raw.timeout);
}
void reload_options(CLI::App& app, Raw& raw) {
  control_options(app, raw);
  app.add_flag("--dry-run", raw.invocation.dry_run);
}
void graceful_control_options(CLI::App& app, Raw& raw) {
  control_options(app, raw);
  app.add_flag("--only", raw.invocation.only);
}
void restart_options(CLI::App& app, Raw& raw) {
  graceful_control_options(app, raw);
  app.add_flag("--rolling", raw.invocation.rolling)->excludes(app.get_option("--only"));
}
void shutdown_options(CLI::App& app, Raw& raw) {
  daemon_options(app, raw);
  app.add_flag("--no-wait", raw.invocation.no_wait);
  app.add_option("--timeout", raw.timeout);
}
void help_options(CLI::App& app, Raw& raw) {
  names(app, raw);
  app.add_flag("--man", raw.invocation.man);
}

struct SubcommandSpec {
  std::string_view name, description;
  Options options;
};

constexpr SubcommandSpec commands[] = {
    {"run", "start the stack and keep it up", run_command_options},
    {"exec", "run a command in a stack that is ready", exec_options},
    {"up", "start the stack in the background", up_options},
    {"down", "take the stack down", shutdown_options},
    {"ls", "list the stacks that run here", json_option},
    {"attach", "go back to the screen of a stack", attach_options},
    {"check", "say what is wrong with a file", check_options},
    {"graph", "draw who waits for whom", graph_options},
    {"status", "show who is ready", status_options},
    {"why", "say why something is not up", service_options},
    {"events", "show what happened", events_options},
    {"logs", "show what services wrote", logs_options},
    {"analyze", "say what a start took its time for", analyze_options},
    {"report", "write a page of a run", report_options},
    {"dashboard", "open the dashboard in a browser", dashboard_options},
    {"wait", "wait for servers, files, services", wait_options},
    {"start", "start services", graceful_control_options},
    {"stop", "stop services", graceful_control_options},
    {"restart", "restart services", restart_options},
    {"kill", "kill services now", control_options},
    {"reload", "take a changed file over, or let services reload", reload_options},
    {"shutdown", "take the stack down", shutdown_options},
    {"import", "turn another tool's file into a belfry file", names},
    {"init", "write a first belfry file for a project", first_file_options},
    {"completion", "print shell completion", names},
    {"version", "print the version", json_option},
    {"help", "explain a command", help_options},
};

const SubcommandSpec* find_command(std::string_view name) {
  const auto found = std::ranges::find(commands, name, &SubcommandSpec::name);
  return found == std::end(commands) ? nullptr : &*found;
}

// One parser per command, not one with subcommands: those would take a service called `run` for a command.
std::unique_ptr<CLI::App> make_app(const SubcommandSpec& command, Raw& raw) {
  auto app = std::make_unique<CLI::App>("", std::string(command.name));
  app->set_help_flag();
  app->add_flag("-h,--help", raw.help);
  app->allow_extras();
  command.options(*app, raw);
  return app;
}

std::vector<std::string> option_names(const CLI::App& app, bool only_with_value = false) {
  std::vector<std::string> all;
  for (const CLI::Option* option : app.get_options()) {
    if (only_with_value && option->get_items_expected_max() == 0) continue;
    for (const std::string& name : option->get_lnames()) all.push_back("--" + name);
    for (const std::string& name : option->get_snames()) all.push_back("-" + name);
  }
  return all;
}

std::string help_of(std::string_view command) {
  return command.empty() ? "belfry --help" : "belfry " + std::string(command) + " --help";
}

Failure usage(std::string message, std::string next_step) {
  return {exit_code::usage, std::move(message), std::move(next_step)};
}

Failure unknown_option(const CLI::App& app, std::string_view command, const std::string& word) {
  const std::vector<std::string> known = option_names(app);
  std::vector<std::string_view> views;
  for (const std::string& name : known) {
    if (name.starts_with("--") && name != "--help") views.push_back(name);
  }
  const std::string_view near = text::nearest(word.substr(0, word.find('=')), views);
  std::string message = "cannot understand " + word;
  if (!command.empty()) message += ": `belfry " + std::string(command) + "` has no such option";
  if (!near.empty()) message += "; did you mean " + std::string(near) + "?";
  return usage(std::move(message), help_of(command));
}

// What does the same here as a word of another tool, if there is such a command.
std::string_view known_meaning(std::string_view word) {
  const std::string_view meant = meant_by(word);
  return find_command(meant.substr(0, meant.find(' '))) == nullptr ? std::string_view() : meant;
}

// A slip of the finger, or a word of another tool, with or without one.
std::string_view guess(std::string_view word) {
  std::vector<std::string_view> known;
  for (const SubcommandSpec& command : commands) known.push_back(command.name);
  if (const std::string_view meant = known_meaning(word); !meant.empty()) return meant;
  if (const std::string_view near = text::nearest(word, known); !near.empty()) return near;
  const std::string_view near = text::nearest(word, foreign_words());
  return near.empty() ? near : known_meaning(near);
}

Failure unknown_command(const std::string& word) {
  const std::string what = "cannot " + word + ": there is no such command";
  if (const std::string_view why = why_not_here(word); !why.empty())
    return usage("cannot " + word + ": " + std::string(why), "belfry --help");
  const std::string_view meant = guess(word);
  if (meant.empty()) return usage(what, "belfry --help");
  return usage(what + "; did you mean " + std::string(meant) + "?", "belfry " + std::string(meant));
}

// CLI11 says "--timeout: 1 required TEXT missing".
Failure malformed(const CLI::ParseError& error, std::string_view command) {
  return usage("cannot understand the command line: " + std::string(error.what()), help_of(command));
}

Expected<void> check_extras(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return {};
  const std::string& command = app.get_name();
  if (extras.front().starts_with('-')) return std::unexpected(unknown_option(app, command, extras.front()));
  return misunderstood(extras.front(), "`belfry " + command + "` takes no such argument", help_of(command));
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

Expected<void> check_choice(const Invocation& asked, std::string_view what, const std::string& value,
                            std::span<const std::string_view> choices) {
  if (value.empty() || std::ranges::find(choices, value) != choices.end()) return {};
  std::string list;
  for (const std::string_view choice : choices) ((list += list.empty() ? "" : ", ")) += choice;
  return misunderstood(std::string(what) + " " + value, "it is one of " + list, help_of(asked.command));
}

Expected<void> check_choices(const Invocation& asked) {
  if (auto right = check_choice(asked, "--annotate", asked.exec.annotate, choices_of("exec", "--annotate"));
      !right)
    return right;
  if (asked.format.empty()) return {};  // any word after --condition: the daemon knows the own bells
  return check_choice(asked, "--format", asked.format, choices_of(asked.command, "--format"));
}

// How many words a command needs, and what they are called.
Expected<void> check_names(const Invocation& asked) {
  const auto need = [&](bool enough, std::string_view what) -> Expected<void> {
    if (enough) return {};
    return std::unexpected(
        usage("cannot " + asked.command + ": " + std::string(what) + " is missing", help_of(asked.command)));
  };
  if (asked.command == "init" && asked.names.size() > 1)
    return misunderstood(asked.names[1], "a first file is for one directory", help_of("init"));
  if (asked.command == "attach" && asked.names.size() > 1)
    return misunderstood(asked.names[1], "one screen shows one stack", help_of("attach"));
  if (is_one_of(asked.command, {"start", "stop", "restart", "kill"})) {
    return need(!asked.names.empty(), "the name of a service");
  }
  if (asked.command == "reload" && asked.dry_run && !asked.names.empty())
    return misunderstood(asked.names[0], "--dry-run is about the file of the stack", help_of("reload"));
  if (asked.command == "import") {
    if (auto enough = need(asked.names.size() >= 2, "the kind or the FILE"); !enough) return enough;
    if (auto known = check_choice(asked, "the kind", asked.names[0], choices_of("import", "")); !known)
      return known;
    if (asked.names.size() > 2 && !takes_several(asked.names[0]))
      return misunderstood(asked.names[2], "a file of " + asked.names[0] + " is imported alone",
                           help_of("import"));
    return {};
  }
  if (asked.command == "report")
    return need(!asked.page.empty() || !asked.dashboard.empty(), "--html FILE or --dashboard FILE");
  if (asked.command == "completion") {
    if (auto enough = need(asked.names.size() == 1, "the name of the shell"); !enough) return enough;
    return check_choice(asked, "the shell", asked.names[0], choices_of("completion", ""));
  }
  return {};
}

// `belfry exec pytest -q`: what was meant is plain.
Expected<void> check_exec(const CLI::App& app, const Invocation& asked) {
  if (asked.command != "exec" || !asked.program.empty()) return {};
  std::string guess = "belfry exec --";
  for (const std::string& word : asked.names) guess += " " + word;
  for (const std::string& word : app.remaining()) guess += " " + word;
  if (guess.ends_with("--")) guess += " COMMAND";
  return std::unexpected(usage("cannot exec: the command to run stands behind `--`", guess));
}

Expected<void> check_run(Raw& raw, bool has_dashes) {
  const Invocation& asked = raw.invocation;
  if (!has_dashes && raw.init == InitWords{}) return {};
  if (asked.program.empty())
    return std::unexpected(usage("cannot run: the command behind `--` is missing", help_of("run")));
  if (!asked.page.empty() || !asked.trace.empty())
    return std::unexpected(usage("cannot report on a command: `run --` runs no stack",
                                 "belfry exec --report FILE -- COMMAND runs it in one"));
  if (!asked.logs.empty())
    return std::unexpected(usage("cannot write the logs of a command: `run --` leaves its output alone",
                                 "belfry run -- COMMAND >FILE"));
  if (!asked.files.empty() || !asked.names.empty() || !asked.profiles.empty())
    return std::unexpected(usage("cannot run a command and a stack: `run --` reads no file",
                                 "belfry exec -- COMMAND runs it in a stack that is ready"));
  auto terms = init_terms(raw.init);
  if (!terms) return std::unexpected(terms.error());
  raw.invocation.init = std::move(*terms);
  return {};
}

Expected<void> check_program(Raw& raw, bool has_dashes) {
  const Invocation& asked = raw.invocation;
  if (asked.command == "run") return check_run(raw, has_dashes);
  if (asked.command == "wait" && has_dashes && asked.program.empty())
    return std::unexpected(usage("cannot wait: the command behind `--` is missing", help_of("wait")));
  if (!is_one_of(asked.command, {"exec", "wait"}) && has_dashes)
    return misunderstood("--", "`belfry " + asked.command + "` runs no command", help_of(asked.command));
  return {};
}

Expected<void> read_timeout(Raw& raw) {
  const bool never = raw.invocation.command == "wait" && raw.timeout == "none";
  return read_duration("--timeout", never ? "" : raw.timeout, raw.invocation.timeout);
}

// Cuts off what stands behind the first `--`; it is nobody's business here.
bool split_program(std::vector<std::string>& arguments, std::vector<std::string>& program) {
  const auto dashes = std::ranges::find(arguments, "--");
  if (dashes == arguments.end()) return false;
  program.assign(dashes + 1, arguments.end());
  arguments.erase(dashes, arguments.end());
  return true;
}

Expected<void> read_verdict_code(Raw& raw) {
  if (raw.verdict_code.empty()) return {};
  int code = 0;
  const char* const end = raw.verdict_code.data() + raw.verdict_code.size();
  const auto [rest, error] = std::from_chars(raw.verdict_code.data(), end, code);
  constexpr int highest = 255;
  if (error != std::errc() || rest != end || code < 1 || code > highest)
    return misunderstood("--verdict-code " + raw.verdict_code, "it is a number from 1 to 255",
                         help_of("exec"));
  raw.invocation.exec.verdict_code = code;
  return {};
}

Expected<void> check_exec_terms(const Invocation& asked) {
  if (asked.exec.quiet && !asked.logs.empty())
    return misunderstood("--quiet", "with --logs nothing would be left to hold back", help_of("exec"));
  return {};
}

Expected<std::variant<Invocation, Text>> help_for(const Invocation& asked, bool about_itself) {
  if (asked.man) return Text{manual_page()};
  const bool about_another = asked.command == "help" && !asked.names.empty();
  const bool about_belfry = asked.command == "help" && !about_another && !about_itself;
  const std::string& command = about_another ? asked.names[0] : asked.command;
  if (about_belfry) return Text{std::string(help_text(""))};
  const std::string_view text = help_text(command);
  if (text.empty()) return std::unexpected(unknown_command(command));
  return Text{std::string(text)};
}

// What stands where a command should.
Expected<std::variant<Invocation, Text>> without_command(const std::vector<std::string>& arguments) {
  if (arguments.empty())
    return std::unexpected(usage("cannot do anything: no command was given", "belfry --help"));
  const std::string& word = arguments.front();
  if (word == "-h" || word == "--help") return Text{std::string(help_text(""))};
  if (word == "--version") return Text{version_text()};
  if (!word.starts_with('-')) return std::unexpected(unknown_command(word));
  return std::unexpected(usage("cannot understand " + word + ": the command comes first", "belfry --help"));
}

Expected<void> check(const CLI::App& app, Raw& raw, bool has_dashes) {
  if (auto given = check_exec(app, raw.invocation); !given) return given;
  if (auto known = check_extras(app); !known) return known;
  if (auto fits = check_program(raw, has_dashes); !fits) return fits;
  if (auto fits = check_names(raw.invocation); !fits) return fits;
  if (auto fits = check_choices(raw.invocation); !fits) return fits;
  if (auto fits = check_exec_terms(raw.invocation); !fits) return fits;
  if (auto read = read_verdict_code(raw); !read) return read;
  return read_timeout(raw);
}

}  // namespace

Expected<std::variant<Invocation, Text>> parse(std::vector<std::string> arguments) {
  Raw raw;
  const bool has_dashes = split_program(arguments, raw.invocation.program);
  const SubcommandSpec* command = arguments.empty() ? nullptr : find_command(arguments.front());
  if (command == nullptr) return without_command(arguments);
  raw.invocation.command = command->name;
  const auto app = make_app(*command, raw);
  arguments.erase(arguments.begin());
  std::ranges::reverse(arguments);  // as CLI11 wants them
  try {
    app->parse(arguments);
  } catch (const CLI::ParseError& error) {
    return std::unexpected(malformed(error, command->name));
  }
  if (raw.help || raw.invocation.command == "help") return help_for(raw.invocation, raw.help);
  if (raw.invocation.command == "version") return Text{raw.invocation.json ? version_json() : version_text()};
  if (auto right = check(*app, raw, has_dashes); !right) return std::unexpected(right.error());
  return std::move(raw.invocation);
}

std::vector<CommandOptions> all_commands() {
  std::vector<CommandOptions> all;
  for (const SubcommandSpec& command : commands) {
    Raw raw;
    const auto app = make_app(command, raw);
    all.push_back({std::string(command.name), std::string(command.description), option_names(*app),
                   option_names(*app, true)});
  }
  return all;
}

std::span<const std::string_view> choices_of(std::string_view command, std::string_view option) {
  static constexpr std::string_view reports[] = {"text", "json", "sarif"};
  static constexpr std::string_view drawings[] = {"text", "dot", "mermaid", "json"};
  static constexpr std::string_view events[] = {"state", "bell", "notice", "stack"};
  static constexpr std::string_view streams[] = {"stdout", "stderr", "output"};
  static constexpr std::string_view kinds[] = {"compose",     "process-compose", "procfile",
                                               "supervisord", "systemd",         "quadlet"};
  static constexpr std::string_view ci[] = {"github", "gitlab"};
  static constexpr std::string_view shells[] = {"bash", "zsh", "fish"};
  if (command == "check" && option == "--format") return reports;
  if (command == "graph" && option == "--format") return drawings;
  if (command == "exec" && option == "--annotate") return ci;
  if (command == "events" && option == "--kind") return events;
  if (command == "logs" && option == "--stream") return streams;
  if (command == "import" && option.empty()) return kinds;
  if (command == "completion" && option.empty()) return shells;
  return {};
}

}  // namespace belfry::cli
