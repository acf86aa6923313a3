#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "config/document/interpolate.hpp"
#include "config/import/import.hpp"
#include "config/import/sections.hpp"
#include "config/import/writer.hpp"

namespace belfry::config {
namespace {

struct Line {
  std::uint32_t number = 0;
  std::string_view name;
  std::string_view command;
};

// Lines of another form are passed over, as foreman does; of two alike the last one counts, as there.
std::vector<Line> read_lines(const Source& source, Diagnostics& diagnostics) {
  std::vector<Line> lines;
  std::unordered_map<std::string_view, std::size_t> at_name;
  for (std::uint32_t number = 1; number <= source.line_count(); ++number) {
    const std::string_view line = trimmed(source.line(number));
    if (line.empty() || line.front() == '#') continue;
    const auto colon = line.find(':');
    const std::string_view name = trimmed(line.substr(0, colon));
    const std::string_view command =
        colon == std::string_view::npos ? std::string_view() : trimmed(line.substr(colon + 1));
    const bool good = std::ranges::all_of(name, [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    });
    const Span at(0, number, 1,
                  static_cast<std::uint32_t>(std::max<std::size_t>(1, source.line(number).size())));
    if (command.empty() || name.empty() || !good) {
      diagnostics.warning("not-carried", at, "this line is not of the form `name: command`",
                          "write `web: ./server --port $PORT`");
      continue;
    }
    const auto [known, fresh] = at_name.emplace(name, lines.size());
    if (fresh) {
      lines.push_back({number, name, command});
      continue;
    }
    diagnostics.warning(
        "not-carried", at, "the process `" + std::string(name) + "` is there twice",
        "this line counts, line " + std::to_string(lines[known->second].number) + " does not");
    lines[known->second] = {number, name, command};
  }
  return lines;
}

bool names_port(const Line& line) {
  return line.command.contains("$PORT") || line.command.contains("${PORT");
}
// Heroku and foreman hand a PORT to every process; `web` is the one that must bind it.
bool wants_port(const Line& line) { return line.name == "web" || names_port(line); }

// The name of the port of each process that has one, by the name of the process.
using PortNames = std::unordered_map<std::string_view, std::string>;

PortNames port_names(const std::vector<Line>& lines) {
  PortNames names;
  std::unordered_set<std::string> taken;
  for (const Line& line : lines) {
    if (!wants_port(line)) continue;
    std::string clean(line.name);
    std::ranges::replace(clean, '-', '_');
    if (!is_variable_name(clean)) clean.insert(0, "p");
    std::string own = clean;
    for (int i = 2; !taken.insert(own).second; ++i) own = clean + "_" + std::to_string(i);
    names.emplace(line.name, std::move(own));
  }
  return names;
}

// A free one for each lets several copies run on one host.
std::string ports_line(const std::vector<Line>& lines, const PortNames& ports) {
  std::string out;
  for (const Line& line : lines)
    if (const auto port = ports.find(line.name); port != ports.end())
      out += (out.empty() ? "ports: {" : ", ") + yaml_text(port->second) + ": free";
  return out.empty() ? "" : out + "}  # or numbers\n";
}

// foreman hands `.env` to every process and starts none of them again; whichever ends, all end. Here a
// failure ends all of them, and so does any end of the one process of a file that has no other.
std::string defaults_of(bool alone) {
  const std::string out = "defaults:\n  env_file: [{path: .env, required: false}]\n";
  return alone ? out : out + "  restart: no\n  essential: true\n";
}

ServiceWriter service_of(const Line& line, const Names& names, const PortNames& ports, bool after_release,
                         bool alone) {
  ServiceWriter service(line.name, names);
  if (line.name == "release") service.key("type", "oneshot");
  if (alone) service.key(line.name == "release" ? "essential" : "main", "true");
  service.key("command", shell_command(line.command, {"sh", "-c"}, DoubleDollar::of_the_shell));
  if (after_release) service.mapping("depends_on", {"release: completed"});
  if (!wants_port(line)) return service;
  const std::string port = "${PORT_" + ports.at(line.name) + "}";
  service.mapping("environment", {"PORT: \"" + port + "\""});
  if (line.name == "web" && names_port(line))
    service.key("ready", "{port: \"" + port + "\"}");
  else if (line.name == "web")
    service.comment("decide: if it binds $PORT, add ready: {port: \"" + port + "\"}");
  return service;
}

}  // namespace

Imported import_procfile(std::string_view text, std::string file_name) {
  Imported out;
  const auto file = add_text(out.diagnostics, std::move(file_name), text);
  if (!file) return out;
  const Source& source = out.diagnostics.sources()[*file];
  const std::vector<Line> lines = read_lines(source, out.diagnostics);
  if (lines.empty() && !out.diagnostics.has_errors())
    out.diagnostics.error("no-services", {0, 0, 0}, "the file has no processes",
                          "write `web: ./server --port $PORT`");
  if (out.diagnostics.has_errors()) return out;
  const bool release = std::ranges::any_of(lines, [](const Line& line) { return line.name == "release"; });
  std::vector<std::string_view> written;
  written.reserve(lines.size());
  for (const Line& line : lines) written.push_back(line.name);
  const Names names(written);
  const PortNames ports = port_names(lines);
  const bool alone = lines.size() == (release ? 2U : 1U);
  std::string yaml = "# From a Procfile. `.env`, if there is one, reaches every process, as with foreman.\n" +
                     ports_line(lines, ports) + defaults_of(alone) + "services:\n";
  for (const Line& line : lines)
    service_of(line, names, ports, release && line.name != "release", alone).write(yaml);
  if (!alone)
    out.diagnostics.warning("not-carried", {0, 0, 0},
                            "that a process which ends with 0 ends the others is not carried over",
                            "one that fails does; write main: true for the one whose every end is the end");
  out.yaml = std::move(yaml);
  out.diagnostics.finish();
  return out;
}

}  // namespace belfry::config
