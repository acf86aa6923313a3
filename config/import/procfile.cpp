#include <algorithm>
#include <unordered_set>

#include "config/import/import.hpp"
#include "config/import/writer.hpp"
#include "config/interpolate.hpp"

namespace belfry::config {
namespace {

struct Line {
  std::uint32_t number = 0;
  std::string_view name;
  std::string_view command;
};

std::string_view trimmed(std::string_view text) {
  auto const start = text.find_first_not_of(" \t\r");
  return start == std::string_view::npos ? std::string_view()
                                         : text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

std::vector<Line> read_lines(Source const& source, Diagnostics& diagnostics) {
  std::vector<Line> lines;
  std::unordered_set<std::string_view> names;
  for (std::uint32_t number = 1; number <= source.line_count(); ++number) {
    std::string_view const line = trimmed(source.line(number));
    if (line.empty() || line.front() == '#') continue;
    auto const colon = line.find(':');
    std::string_view const name = trimmed(line.substr(0, colon));
    std::string_view const command =
        colon == std::string_view::npos ? std::string_view() : trimmed(line.substr(colon + 1));
    bool const good = std::ranges::all_of(name, [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    });
    Span const at(0, number, 1,
                  static_cast<std::uint32_t>(std::max<std::size_t>(1, source.line(number).size())));
    if (command.empty() || name.empty() || !good)
      diagnostics.error("bad-procfile", at, "this line is not of the form `name: command`",
                        "write `web: ./server --port $PORT`");
    else if (!names.insert(name).second)
      diagnostics.error("duplicate-key", at, "the process `" + std::string(name) + "` is there twice",
                        "keep one of them");
    else
      lines.push_back({number, name, command});
  }
  return lines;
}

bool wants_port(std::string_view command) { return command.contains("$PORT") || command.contains("${PORT"); }

std::string port_name(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, '-', '_');
  return is_variable_name(out) ? out : "p" + out;
}

// foreman hands every process a PORT; a free one for each lets several copies run on one host.
std::string ports_line(std::vector<Line> const& lines) {
  std::string out;
  for (Line const& line : lines)
    if (wants_port(line.command))
      out += (out.empty() ? "ports: {" : ", ") + yaml_text(port_name(line.name)) + ": free";
  return out.empty() ? "" : out + "}  # or numbers\n";
}

}  // namespace

Imported import_procfile(std::string_view text, std::string file_name) {
  Imported out;
  std::string own(text);
  if (own.starts_with("\xEF\xBB\xBF")) own.erase(0, 3);
  out.diagnostics.sources().emplace_back(std::move(file_name), std::move(own));
  Source const& source = out.diagnostics.sources().front();
  if (auto const fault = find_text_fault(source.text())) {
    out.diagnostics.error(
        "bad-text",
        {0, static_cast<std::uint32_t>(1 + std::ranges::count(source.text().substr(0, fault->offset), '\n')),
         1},
        fault->message, "save the file as UTF-8");
    return out;
  }
  std::vector<Line> const lines = read_lines(source, out.diagnostics);
  if (lines.empty() && !out.diagnostics.has_errors())
    out.diagnostics.error("no-services", {0, 0, 0}, "the file has no processes",
                          "write `web: ./server --port $PORT`");
  if (out.diagnostics.has_errors()) return out;
  bool const release = std::ranges::any_of(lines, [](Line const& line) { return line.name == "release"; });
  std::string yaml = "# From a Procfile.\n" + ports_line(lines) + "services:\n";
  for (Line const& line : lines) {
    ServiceWriter service{service_name(line.name)};
    if (line.name == "release") service.key("type", "oneshot");
    service.key("command", shell_command(line.command));
    if (release && line.name != "release") service.mapping("depends_on", {"release: completed"});
    if (wants_port(line.command)) {
      service.mapping("environment", {"PORT: \"${PORT_" + port_name(line.name) + "}\""});
      if (line.name == "web") service.key("ready", "{port: \"${PORT_" + port_name(line.name) + "}\"}");
    }
    service.write(yaml);
  }
  out.yaml = std::move(yaml);
  return out;
}

}  // namespace belfry::config
