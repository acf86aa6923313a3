#include <algorithm>
#include <array>
#include <deque>
#include <map>

#include "config/import/import.hpp"
#include "config/import/supervisord_program.hpp"
#include "config/import/unit_values.hpp"
#include "text/escape.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

// So many processes are written one by one where replicas cannot count as they do.
constexpr long most_alone = 100;
constexpr std::size_t most_bytes = std::size_t{16} << 20U;  // of what is written so

struct Group {
  std::string name, label;
  Span at;
  std::vector<std::string> programs;
};

// One process of a program, or all of them as replicas.
struct Process {
  const Program* program = nullptr;
  std::string label;
  std::optional<long> number;
};

// Owner: import_supervisord, on its stack. Lifecycle: one import. Cancellation: none.
class Supervisord {
 public:
  explicit Supervisord(Diagnostics& diagnostics)
      : diagnostics_(diagnostics), carrier_(diagnostics), expressions_(carrier_) {}

  void read(const ImportFile& file);
  std::string write();

 private:
  void section(const ImportFile& file, Section& section);
  void list_section(const Section& section, std::string_view type);
  Program& program(std::string_view type, std::string_view name, const Section& section,
                   const ImportFile& file);
  void name_all();
  void name_processes(const Program& program);
  std::string fresh_label(std::string wanted);
  std::string defaults();
  void list_own();
  void gates(const Names& names, std::string& yaml);
  void gate(const Names& names, const std::string& label, const std::vector<const Process*>& members,
            std::string& yaml) const;

  Diagnostics& diagnostics_;
  Carrier carrier_;
  Expressions expressions_;
  std::deque<Program> programs_;
  std::unordered_map<std::string, Program*> by_name_;
  std::vector<Group> groups_;
  Program own_;  // [supervisord]
  std::vector<Process> processes_;
  std::unordered_map<const Program*, std::string> gate_labels_;  // of programs that are written one by one
  std::unordered_set<std::string> taken_;
};

void Supervisord::read(const ImportFile& file) {
  const auto number = add_text(diagnostics_, file.name, file.text);
  if (!number) return;
  for (Section& one : read_sections(diagnostics_, *number, SectionStyle::configured)) section(file, one);
}

void Supervisord::section(const ImportFile& file, Section& section) {
  const auto colon = section.name.find(':');
  const std::string type(trimmed(std::string_view(section.name).substr(0, colon)));
  const std::string_view name =
      colon == std::string::npos ? "" : trimmed(std::string_view(section.name).substr(colon + 1));
  const bool named = !name.empty();
  if ((type == "program" || type == "fcgi-program") && named) {
    Program& of = program(type, name, section, file);
    std::ranges::move(section.settings, std::back_inserter(of.settings));
  } else if (type == "group" && named) {
    Group& group = groups_.emplace_back();
    group.name = name;
    group.at = section.at;
    for (const Setting& one : section.settings) {
      std::string list = one.value;
      std::ranges::replace(list, ',', ' ');
      if (one.key == "programs") group.programs = unit_words(list);
      if (one.key == "priority")
        carrier_.left(one.at, "`priority` of the group `" + group.name.substr(0, 60) + "`",
                      "supervisord starts in this order and waits for nobody: write depends_on");
    }
  } else if (type == "supervisord") {
    own_.directory = file.directory;
    std::ranges::move(section.settings, std::back_inserter(own_.settings));
  } else {
    list_section(section, type);
  }
}

void Supervisord::list_section(const Section& section, std::string_view type) {
  using Row = std::pair<std::string_view, std::string_view>;
  constexpr auto rows = std::to_array<Row>(
      {{"eventlistener", "belfry events -f --json, or /v1/events, says what happens to whoever asks"},
       {"include", "name those files behind this one: belfry import supervisord FILE FILE…"},
       {"unix_http_server", "belfry's control socket takes its place"},
       {"inet_http_server", "http: {listen: …} takes its place"},
       {"supervisorctl", "belfry status, start, stop and logs take its place"},
       {"rpcinterface", "HTTP takes its place: /openapi.json describes it"},
       {"ctlplugin", "belfry has no plugins"}});
  constexpr auto known = std::to_array<std::string_view>(
      {"program:NAME", "group:NAME", "fcgi-program:NAME", "eventlistener:NAME", "supervisord", "include"});
  const auto found = std::ranges::find(rows, type, &Row::first);
  std::string why = found != rows.end() ? std::string(found->second)
                    : carrier_.is_full()
                        ? std::string()
                        : text::did_you_mean(type.contains(':') ? type : section.name, known);
  carrier_.left(section.at, "[" + section.name.substr(0, 100) + "]", std::move(why));
}

Program& Supervisord::program(std::string_view type, std::string_view name, const Section& section,
                              const ImportFile& file) {
  Program*& known = by_name_[std::string(name)];
  if (known != nullptr) return *known;
  known = &programs_.emplace_back();
  known->type = type;
  known->name = name;
  known->group = name;
  known->at = section.at;
  known->directory = file.directory;
  return *known;
}

std::string Supervisord::fresh_label(std::string wanted) {
  for (int i = 2; !taken_.insert(wanted).second; ++i) {
    const auto dash = wanted.find_last_of('~');
    wanted = wanted.substr(0, dash) + "~" + std::to_string(i);
  }
  return wanted;
}

void Supervisord::name_all() {
  for (Program& one : programs_) taken_.insert(one.name);
  for (Group& group : groups_) {
    group.label = taken_.contains(group.name) ? fresh_label(group.name + "-group") : fresh_label(group.name);
    for (const std::string& name : group.programs)
      if (const auto found = by_name_.find(name); found != by_name_.end())
        found->second->group = group.name;
      else
        carrier_.left(group.at,
                      "`" + name.substr(0, 60) + "` in the group `" + group.name.substr(0, 60) + "`",
                      "there is no such program");
  }
  for (const Program& one : programs_) name_processes(one);
}

void Supervisord::name_processes(const Program& program) {
  const long count = process_count(program);
  std::size_t size = program.name.size();
  for (const Setting& one : program.settings) size += one.value.size();
  const bool alone = count > 1 && differs_by_number(program);
  if (!alone || count > most_alone || size * static_cast<std::size_t>(count) > most_bytes) {
    if (alone)
      carrier_.left(program.find("numprocs")->at, "the numbers of the processes of `" + program.name + "`",
                    "replicas count from 1, without zeros: look for ${REPLICA}");
    processes_.push_back({&program, program.name, std::nullopt});
    return;
  }
  gate_labels_[&program] = program.name;
  const Setting* const name = program.find("process_name");
  for (long i = 0; i < count; ++i) {
    const long number = first_number(program) + i;
    const Expressions::Values values{{{"program_name", program.name}, {"group_name", program.group}},
                                     {{"process_num", number}, {"numprocs", count}},
                                     false};
    std::string label = name == nullptr || name->value.empty()
                            ? program.name + "-" + std::to_string(number)
                            : expressions_.filled(*name, name->value, values, program.name);
    processes_.push_back({&program, fresh_label(std::move(label)), number});
  }
}

// What supervisord itself gives to all programs.
std::string Supervisord::defaults() {
  const Expressions::Values values{{{"here", own_.directory}}, {}, false};
  std::string out;
  for (const auto& [key, as] : {std::pair("user", "user"), std::pair("directory", "working_dir")})
    if (const Setting* const at = own_.find(key); at != nullptr && !at->value.empty() && at->value != "root")
      out +=
          "  " + std::string(as) + ": " + yaml_text(expressions_.filled(*at, at->value, values, "")) + "\n";
  if (const auto mode = unit_mode(own_.text("umask"))) out += "  umask: " + *mode + "\n";
  if (const Setting* const at = own_.find("environment")) {
    std::map<std::string, std::string> last;
    for (const auto& [key, value] : read_supervisord_pairs(at->value).pairs)
      last[key] = text::json_string(expressions_.filled(*at, value, values, ""));
    if (!last.empty()) out += "  environment:\n";
    for (const auto& [key, value] : last) out += "    " + key + ": " + value + "\n";
  }
  const std::string_view name = own_.text("identifier");
  return (name.empty() ? "" : "name: " + service_key(name) + "\n") + (out.empty() ? "" : "defaults:\n" + out);
}

// What else stands in [supervisord]. belfry stays in the foreground and keeps no process file, always.
void Supervisord::list_own() {
  constexpr auto known = std::to_array<std::string_view>(
      {"nodaemon", "pidfile", "nocleanup", "silent", "loglevel", "logfile", "logfile_maxbytes",
       "logfile_backups", "childlogdir", "minprocs", "strip_ansi", "user", "directory", "environment",
       "identifier", "umask"});
  for (const Setting& one : own_.settings) {
    if (std::ranges::find(known, one.key) != known.end() || one.value.empty()) continue;
    carrier_.left(one.at, "`" + one.key.substr(0, 60) + "` of [supervisord]",
                  one.key == "minfds" ? "belfry counts what it needs; for services write rlimits: {nofile: N}"
                                      : "belfry has no counterpart");
  }
}

void Supervisord::gate(const Names& names, const std::string& label,
                       const std::vector<const Process*>& members, std::string& yaml) const {
  ServiceWriter out(label, names);
  out.key("type", "gate");
  std::vector<std::string> edges;
  for (const Process* const one : members) {
    const bool runs = unit_boolean(one->program->text("autostart")).value_or(true);
    edges.push_back(yaml_text(names.of(one->label)) + (runs ? ": ready" : ": {required: false}"));
  }
  std::ranges::sort(edges);
  edges.erase(std::ranges::unique(edges).begin(), edges.end());
  out.mapping("depends_on", edges);
  out.write(yaml);
}

void Supervisord::gates(const Names& names, std::string& yaml) {
  std::unordered_map<std::string_view, std::vector<const Process*>> of;
  for (const Process& one : processes_) of[one.program->name].push_back(&one);
  for (const Program& one : programs_)
    if (gate_labels_.contains(&one)) gate(names, one.name, of[one.name], yaml);
  for (const Group& group : groups_) {
    std::vector<const Process*> members;
    for (const std::string& name : group.programs)
      if (const auto found = of.find(name); found != of.end())
        members.insert(members.end(), found->second.begin(), found->second.end());
    gate(names, group.label, members, yaml);
  }
}

std::string Supervisord::write() {
  name_all();
  std::vector<std::string_view> written;
  for (const Program& one : programs_) written.push_back(one.name);
  for (const Process& one : processes_) written.push_back(one.label);
  for (const Group& group : groups_) written.push_back(group.label);
  const Names names(written);
  std::string yaml =
      "# From a configuration of supervisord. It knows no dependencies: write depends_on where one\n"
      "# service needs another, and ready so that belfry knows when that one can be used.\n" +
      defaults() + "services:\n";
  list_own();
  ProgramSet set{carrier_, expressions_, names, {}};
  for (const Process& one : processes_)
    ProgramService(set, *one.program, one.label, one.number).run().write(yaml);
  gates(names, yaml);
  if (programs_.empty())
    diagnostics_.error("no-services", {0, 0, 0}, "the file has no programs",
                       "name the files that it includes behind it: belfry import supervisord FILE FILE…");
  carrier_.finish();
  return yaml;
}

}  // namespace

Imported import_supervisord(std::span<const ImportFile> files) {
  Imported out;
  if (files.empty()) out.diagnostics.sources().emplace_back("no file", "");
  Supervisord from(out.diagnostics);
  for (const ImportFile& file : files) from.read(file);
  if (out.diagnostics.has_errors()) return out;
  std::string yaml = from.write();
  if (!out.diagnostics.has_errors()) out.yaml = std::move(yaml);
  return out;
}

}  // namespace belfry::config
