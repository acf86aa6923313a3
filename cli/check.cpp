// belfry check: everything that is wrong with a file, at once.
#include <unistd.h>

#include <iostream>

#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/terminal.hpp"
#include "cli/version.hpp"
#include "config/decode/schema.hpp"
#include "config/document/report.hpp"
#include "config/load/unsupported.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/host/real_host.hpp"

namespace belfry::cli {
namespace {

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

void print_verdict(const config::Loaded& loaded) {
  const auto& found = loaded.diagnostics;
  if (found.has_errors()) {
    std::cerr << counted(found.errors(), "error") << '\n';
    return;
  }
  std::cout << "ok: " << counted(loaded.stack.services.size(), "service");
  if (found.warnings() > 0) std::cout << ", " << counted(found.warnings(), "warning");
  std::cout << '\n';
}

}  // namespace

int check(const Invocation& asked) {
  if (asked.schema) {
    std::cout << config::schema_json() << '\n';
    return exit_code::ok;
  }
  daemon::RealHost host(true);
  auto loaded = load(asked, &host);
  if (!loaded) return report(loaded.error());
  config::refuse_unsupported(*loaded);
  if (asked.strict) loaded->diagnostics.be_strict();
  const bool for_people = asked.format != "json" && asked.format != "sarif";
  if (asked.format == "json") {
    std::cout << config::diagnostics_json(loaded->diagnostics) << '\n';
  } else if (asked.format == "sarif") {
    std::cout << config::diagnostics_sarif(loaded->diagnostics, version()) << '\n';
  } else {
    config::print(loaded->diagnostics, std::cerr, terminal_at(STDERR_FILENO).colour);
  }
  if (for_people) print_verdict(*loaded);
  return loaded->diagnostics.has_errors() ? exit_code::bad_config : exit_code::ok;
}

}  // namespace belfry::cli
