#include "config/import/first_file.hpp"

#include <algorithm>
#include <array>

#include "config/document/document.hpp"
#include "config/import/scripts.hpp"
#include "config/import/writer.hpp"

namespace belfry::config {
namespace {

constexpr auto names = std::to_array<std::string_view>(
    {"process-compose.yaml", "process-compose.yml", "Procfile.dev", "Procfile", "compose.yaml", "compose.yml",
     "docker-compose.yaml", "docker-compose.yml", "package.json", "justfile", "Justfile", ".justfile",
     "GNUmakefile", "makefile", "Makefile"});
constexpr auto locks =
    std::to_array<std::string_view>({"pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"});

// Without a project there is something to try at once; each line says what it is for.
constexpr std::string_view lesson =
    R"(# Two services. The second starts when the first is done, and counts as ready when it says so.
# Try it: belfry run. Or with a command in place of Ctrl-C: belfry exec -- echo all of it is ready
services:
  prepare:
    type: oneshot                       # must end with 0: a migration, a build
    command: [sh, -c, "echo prepared"]
  web:
    command: [sh, -c, "echo listening; exec sleep 1000000"]
    depends_on: {prepare: completed}    # or ready, started, stopped
    ready: {log: listening}             # better where it is a server: {port: 8080}, which nobody polls
    stop: {timeout: 5s}                 # then what is left of it is killed
# What more there is: belfry check --schema, docs/reference/file.md
)";

enum class Source : std::uint8_t { stack, compose, scripts };

Source source_of(std::string_view name) {
  if (name.starts_with("process-compose") || name.starts_with("Procfile")) return Source::stack;
  return name.contains("compose") ? Source::compose : Source::scripts;
}

Imported imported(const ImportFile& file) {
  if (file.name.starts_with("process-compose"))
    return import_process_compose(file.text, file.name, file.directory);
  if (file.name.starts_with("Procfile")) return import_procfile(file.text, file.name);
  return import_compose(file.text, file.name, file.directory);
}

// The names of the services that a belfry file has.
std::vector<std::string> services_of(std::string_view yaml) {
  Document document;
  Diagnostics diagnostics;
  diagnostics.sources().emplace_back("imported", std::string(yaml));
  const Node* const root = document.parse(diagnostics, 0);
  const Node* const services = root == nullptr ? nullptr : root->find("services");
  std::vector<std::string> out;
  if (services != nullptr)
    for (const Entry& entry : services->entries()) out.emplace_back(entry.key->text());
  return out;
}

std::string joined(const std::vector<std::string>& items) {
  constexpr std::size_t shown = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(items.size(), shown); ++i)
    out += (i == 0 ? "" : ", ") + printable(items[i]);
  return items.size() > shown ? out + " and " + std::to_string(items.size() - shown) + " more" : out;
}

// Who runs a script of each file.
std::string runner_of(const ImportFile& file, std::span<const std::string> present) {
  if (file.name != "package.json") return file.name.ends_with("akefile") ? "make" : "just";
  if (std::string said = package_manager(file.text); !said.empty()) return said;
  for (const auto& [lock, manager] : {std::pair("pnpm-lock.yaml", "pnpm"), std::pair("yarn.lock", "yarn"),
                                      std::pair("bun.lock", "bun"), std::pair("bun.lockb", "bun")})
    if (std::ranges::find(present, lock) != present.end()) return manager;
  return "npm";
}

std::vector<Script> scripts_in(const ImportFile& file, bool& readable) {
  readable = true;
  if (file.name == "package.json") return package_scripts(file.text, readable);
  return file.name.ends_with("akefile") ? make_targets(file.text) : just_recipes(file.text);
}

// Owner: first_file, on its stack. Lifecycle: one call. Cancellation: none.
class FirstFileWriter {
 public:
  explicit FirstFileWriter(std::span<const std::string> present) : present_(present) {}

  FirstFile run(std::span<const ImportFile> files) {
    for (const ImportFile& file : files)
      source_of(file.name) == Source::scripts ? scripts(file) : stack(file);
    if (out_.yaml.empty()) {
      out_.from_nothing = true;
      out_.yaml = lesson;
      taken_ = services_of(out_.yaml);
    }
    out_.services = taken_.size();
    return std::move(out_);
  }

 private:
  // The first one is the file; others can be merged over it.
  void stack(const ImportFile& file) {
    if (!out_.yaml.empty()) {
      const std::string_view kind = file.name.starts_with("Procfile")         ? "procfile"
                                    : source_of(file.name) == Source::compose ? "compose"
                                                                              : "process-compose";
      out_.left.push_back(file.name + ": belfry import " + std::string(kind) + " " + file.name +
                          " makes a file that -c merges over this one");
      return;
    }
    Imported from = imported(file);
    const bool good = !from.diagnostics.has_errors();
    out_.diagnostics.push_back(std::move(from.diagnostics));
    if (!good) return out_.left.push_back(file.name + ": not understood");
    out_.yaml = std::move(from.yaml);
    taken_ = services_of(out_.yaml);
    whole_ = source_of(file.name) == Source::stack;
    out_.found.push_back(file.name + ": " + joined(taken_));
  }

  // Of several the first: they mostly call each other.
  void scripts(const ImportFile& file) {
    bool readable = true;
    const std::vector<Script> all = lasting(scripts_in(file, readable));
    if (!readable) return out_.left.push_back(file.name + ": not understood");
    std::vector<std::string> used;
    for (const Script& one : all) {
      const std::string what = file.name + ":" + std::to_string(one.line) + ": `" + printable(one.name) + "`";
      if (whole_ || has_scripts_)
        out_.left.push_back(what + ": " +
                            (whole_ ? "the file above says what runs" : "it may be the same again"));
      else if (one.needs_arguments)
        out_.left.push_back(what + ": it cannot be run without arguments");
      else
        used.push_back(add(file, one));
    }
    if (all.empty())
      out_.left.push_back(file.name + ": nothing in it is called dev, serve, start, run or worker");
    if (used.empty()) return;
    has_scripts_ = true;
    out_.found.push_back(file.name + ": " + joined(used));
  }

  std::string add(const ImportFile& file, const Script& script) {
    std::string name = script.name;
    for (int i = 2; std::ranges::find(taken_, name) != taken_.end(); ++i)
      name = script.name + "_" + std::to_string(i);
    const std::string runner = runner_of(file, present_);
    if (out_.yaml.empty()) out_.yaml = "# From " + file.name + ".\nservices:\n";
    const bool package = file.name == "package.json";
    std::vector<std::string> words{runner};
    if (package) words.emplace_back("run");
    words.push_back(script.name);
    const std::string port = port_in(script.command);
    out_.yaml += "  " + service_key(name) + ":\n    command: " + yaml_list(words) + "  # " + file.name +
                 " line " + std::to_string(script.line) + "\n";
    out_.yaml += port.empty()
                     ? "    # decide: the port it listens on, so that it is known when it can be used\n"
                       "    # ready: {port: 3000}\n"
                     : "    ready: {port: " + port + "}\n";
    taken_.push_back(name);
    return name;
  }

  std::span<const std::string> present_;
  FirstFile out_;
  std::vector<std::string> taken_;
  bool whole_ = false;  // a file that names every process
  bool has_scripts_ = false;
};

}  // namespace

std::span<const std::string_view> project_files() { return names; }
std::span<const std::string_view> lock_files() { return locks; }

FirstFile first_file(std::span<const ImportFile> files, std::span<const std::string> present) {
  return FirstFileWriter(present).run(files);
}

}  // namespace belfry::config
