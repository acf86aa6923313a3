// The command line: one subcommand each.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "config/load.hpp"
#include "daemon/app.hpp"

namespace {

int check(const std::vector<std::string>& files) {
  const auto loaded = belfry::config::load(files);
  print(loaded.diagnostics, std::cerr, ::isatty(STDERR_FILENO) == 1);
  if (loaded.diagnostics.has_errors()) return 65;
  std::cout << "ok: " << loaded.stack.services.size() << " services\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Starts services in the order of their readiness, and stops them in reverse."};
  app.require_subcommand(1);
  belfry::daemon::ExecOptions options;
  auto* run = app.add_subcommand("run", "the daemon, in the foreground");
  auto* exec = app.add_subcommand("exec", "up, wait until ready, run a command, down");
  auto* checking = app.add_subcommand("check", "validate a file");
  auto* version = app.add_subcommand("version", "print the version");
  for (auto* command : {run, exec}) command->add_option("-c,--config", options.files);
  run->add_option("services", options.services);
  exec->add_option("command", options.command)->required();
  exec->prefix_command();
  checking->add_option("files", options.files);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 64;
  }
  if (*run) return belfry::daemon::run(options);
  if (*exec) return belfry::daemon::exec(options);
  if (*checking) return check(options.files);
  if (*version) std::cout << "belfry " << BELFRY_VERSION << "\n";
  return 0;
}
