#include "config/import/supervisord_program.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "config/document/words.hpp"
#include "config/import/unit_values.hpp"
#include "text/escape.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

// `50MB` counts by 1024 there.
std::optional<std::uint64_t> bytes_of(std::string_view text) {
  if (text == "0") return 0;
  return unit_size(text);
}

// Expressions stand for texts: their parentheses are no shell's.
std::string without_expressions(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto close = text.starts_with("%(") ? text.find(')') : std::string_view::npos;
    if (close == std::string_view::npos) out += text.front();
    text.remove_prefix(close == std::string_view::npos ? 1 : close + 1);
  }
  return out;
}

}  // namespace

ProgramService::ProgramService(ProgramSet& set, const Program& program, std::string_view written,
                               std::optional<long> process)
    : set_(set), program_(program), process_(process), out_(written, set.names) {
  values_.texts = {
      {"program_name", program.name}, {"group_name", program.group}, {"here", program.directory}};
  if (program.directory.empty()) values_.texts.erase("here");
  const long count = process_count(program);
  values_.numbers = {{"numprocs", count}, {"process_num", process.value_or(first_number(program))}};
  values_.counts = !process && count > 1;
}

ServiceWriter ProgramService::run() {
  // What ends at once, and is not started again, is a task.
  oneshot_ = program_.text("startsecs") == "0" && unit_boolean(program_.text("autorestart")) == false &&
             program_.type == "program";
  if (oneshot_) {
    out_.key("type", "oneshot");
    out_.comment("decide: it may end at once and is not started again: a task, or a daemon?");
  }
  if (program_.type == "fcgi-program")
    socket();
  else
    command();
  replicas();
  if (flag("autostart") == false) out_.key("profiles", "[" + yaml_text(set_.names.of(program_.name)) + "]");
  environment();
  restart();
  exit_codes();
  stop();
  identity();
  log();
  list_rest();
  return std::move(out_);
}

void ProgramService::left(const Setting& at, std::string what, std::string why) {
  set_.carrier.left(at.at, std::move(what), std::move(why), program_.name);
  out_.omit(at.key, at.at.line);
}

const Setting* ProgramService::take(std::string_view key) {
  const Setting* const at = program_.find(key);
  if (at != nullptr) read_.insert(at->key);
  return at == nullptr || at->value.empty() ? nullptr : at;
}

std::optional<bool> ProgramService::flag(std::string_view key) {
  const Setting* const at = take(key);
  if (at == nullptr) return std::nullopt;
  const auto value = unit_boolean(at->value);
  if (!value) left(*at, "it is true or false");
  return value;
}

void ProgramService::command() {
  const Setting* const at = take("command");
  if (at == nullptr) {
    set_.carrier.left(program_.at, "the command", "the program has none: write `command`", program_.name);
    out_.comment("decide: what it runs");
    return out_.key("command", "[\"true\"]");
  }
  // supervisord runs no shell, either: `&&` reaches the program as a word.
  const Words words = split_words(at->value);
  if (const Words plain = split_words(without_expressions(at->value)); plain.shell_syntax)
    left(*at, "`" + printable(plain.shell_token) + "` in `command`",
         "no shell reads it, there and here: write [sh, -c, …] if one should");
  if (words.unclosed) left(*at, "a quote without its end in `command`", "close it");
  std::vector<std::string> filled_words;
  for (const std::string& word : words.words) filled_words.push_back(filled(*at, word));
  out_.key("command", filled_words.empty() ? "[\"true\"]" : yaml_list(filled_words));
}

// FastCGI: the socket is bound for the program and handed over as its standard input.
void ProgramService::socket() {
  const Setting* const at = take("socket");
  const Setting* const line = take("command");
  std::string address = at == nullptr ? "" : filled(*at);
  if (address.starts_with("tcp://"))
    address.erase(0, 6);
  else if (address.starts_with("unix:///"))
    address.replace(0, 7, "unix:");
  const bool good = line != nullptr && !address.contains("://") &&
                    (address.starts_with("unix:/") || address.contains('$') || is_own_address(address)) &&
                    set_.addresses.insert(address).second;
  if (!good) {
    set_.carrier.left(at == nullptr ? program_.at : at->at, "the socket",
                      "it is tcp://host:port or unix:///path, and there is a command", program_.name);
    return command();
  }
  std::vector<std::string> words{"sh", "-c", "exec \"$$@\" 0<&3", "sh"};
  for (const std::string& word : split_words(line->value).words) words.push_back(filled(*line, word));
  out_.comment("FastCGI wants the socket as descriptor 0, belfry hands it over as 3");
  out_.key("command", yaml_list(words));
  std::string options;
  if (const Setting* const mode = take("socket_mode"); mode != nullptr && address.starts_with("unix:"))
    if (const auto value = unit_mode(mode->value)) options += ", mode: " + *value;
  if (const Setting* const owner = take("socket_owner"); owner != nullptr && address.starts_with("unix:")) {
    const std::string who = filled(*owner);
    options += ", owner: " + yaml_text(who.substr(0, who.find(':')));
    if (who.contains(':')) options += ", group: " + yaml_text(who.substr(who.find(':') + 1));
  }
  if (const Setting* const backlog = take("socket_backlog"))
    if (const auto value = unit_number(backlog->value, 1, 65535))
      options += ", backlog: " + std::to_string(*value);
  out_.key("listen",
           options.empty() ? yaml_text(address) : "{address: " + yaml_text(address) + options + "}");
  out_.key("ready", "{listen: true}");
}

void ProgramService::replicas() {
  const Setting* const at = take("numprocs");
  (void)take("numprocs_start");
  (void)take("process_name");
  if (at == nullptr || process_) return;
  const long count = process_count(program_);
  if (count > 1)
    out_.key("replicas", std::to_string(count));
  else if (at->value != "1")
    left(*at, "it is a number up to 100000");
}

void ProgramService::environment() {
  const Setting* const at = take("environment");
  if (at == nullptr) return;
  const ReadPairs read = read_supervisord_pairs(at->value);
  if (!read.complete) left(*at, "an item of `environment`", "it is KEY=\"value\"");
  std::vector<std::string> entries;
  std::unordered_map<std::string, std::size_t> index;
  for (const auto& [name, value] : read.pairs) {
    std::string entry = name + ": " + text::json_string(filled(*at, value));
    const auto [known, fresh] = index.emplace(name, entries.size());
    if (fresh)
      entries.push_back(std::move(entry));
    else
      entries[known->second] = std::move(entry);
  }
  out_.mapping("environment", entries);
}

// supervisord starts again what has ended in an unexpected way, and so does belfry.
void ProgramService::restart() {
  const Setting* const at = take("autorestart");
  std::string policy = oneshot_ ? "no" : "on-failure";
  if (at != nullptr) {
    const auto flag = unit_boolean(at->value);
    if (flag)
      policy = *flag ? "always" : "no";
    else if (at->value != "unexpected")
      left(*at, "it is true, false or unexpected");
  }
  std::vector<std::string> entries;
  retries(entries);
  if (policy == "no") {
    if (!oneshot_) out_.key("restart", "no");
    return;
  }
  if (entries.empty()) return policy == "always" ? out_.key("restart", policy) : void();
  out_.mapping("restart", {"policy: " + policy, entries.front()});
}

// So many starts that last no longer than `startsecs`, each a second later than the one before it.
void ProgramService::retries(std::vector<std::string>& entries) {
  const Setting* const at = take("startretries");
  const Setting* const start = take("startsecs");
  const auto seconds =
      start == nullptr ? std::optional<std::int64_t>(1) : unit_number(start->value, 0, 86'400);
  if (start != nullptr && !oneshot_)
    left(*start, "belfry waits for the truth, not for time: write ready: {port: N}, or ready: notify");
  if (at == nullptr) return;
  const auto count = unit_number(at->value, 0, 10'000);
  if (!count) return left(*at, "it is a number up to 10000");
  if (*count == 0) return left(*at, "`startretries=0`", "write restart: no if it must not be tried again");
  const std::int64_t within = *count * (seconds.value_or(1) + (*count + 1) / 2 + 1);
  entries.push_back("limit: " + std::to_string(*count) + " per " + std::to_string(within) + "s");
}

void ProgramService::exit_codes() {
  const Setting* const at = take("exitcodes");
  if (at == nullptr) return;
  std::vector<std::string> codes;
  std::string list = at->value;
  std::ranges::replace(list, ',', ' ');
  for (const std::string& word : unit_words(list)) {
    const auto code = unit_number(word, 0, 255);
    if (!code)
      left(*at, "`" + word.substr(0, 60) + "` in `exitcodes`", "it is a number up to 255");
    else if (std::ranges::find(codes, std::to_string(*code)) == codes.end())
      codes.push_back(std::to_string(*code));
  }
  if (codes.empty() || (codes.size() == 1 && codes.front() == "0")) return;
  std::string out;
  for (const std::string& code : codes) out += (out.empty() ? "[" : ", ") + code;
  out_.key("success_exit_codes", out + "]");
  if (std::ranges::find(codes, "0") == codes.end())
    left(*at, "that 0 is not among `exitcodes`", "in belfry 0 is a success");
}

void ProgramService::stop() {
  std::vector<std::string> entries;
  if (const Setting* const at = take("stopsignal")) {
    const auto signal = unit_signal(at->value);
    if (!signal)
      left(*at, "it is the name of a signal");
    else if (*signal != "SIGTERM")
      entries.push_back("signal: " + yaml_text(*signal));
  }
  if (const Setting* const at = take("stopwaitsecs")) {
    const auto seconds = unit_number(at->value, 0, 31'536'000);
    if (!seconds)
      left(*at, "it is a number of seconds");
    else if (*seconds != 10)
      entries.push_back("timeout: " + std::to_string(*seconds) + "s");
  }
  out_.mapping("stop", entries);
  if (flag("stopasgroup") == true)
    left(*program_.find("stopasgroup"),
         "belfry asks the main process, and kills what is left: have a shell `exec` "
         "the program");
  if (flag("killasgroup") == false)
    left(*program_.find("killasgroup"), "`killasgroup=false`",
         "what is left of the process tree is always killed");
}

void ProgramService::identity() {
  for (const auto& [key, name] : {std::pair("user", "user"), std::pair("directory", "working_dir")})
    if (const Setting* const at = take(key)) out_.key(name, yaml_text(filled(*at)));
  if (const Setting* const at = take("umask")) {
    const auto mode = unit_mode(at->value);
    if (mode)
      out_.key("umask", *mode);
    else
      left(*at, "it is octal, such as 022");
  }
  if (const Setting* const at = take("priority"))
    left(*at,
         "supervisord starts in this order and waits for nobody: write depends_on where one needs the other");
}

// Both outputs are one here.
void ProgramService::log() {
  const Setting* const out = take("stdout_logfile");
  const Setting* const errors = take("stderr_logfile");
  const bool joined = flag("redirect_stderr") == true;
  const auto own = [](const Setting* at) {
    return at != nullptr && at->value != "AUTO" && at->value != "NONE" && !at->value.starts_with("/dev/") &&
           at->value != "syslog";
  };
  const Setting* const file = own(out) ? out : own(errors) && !joined ? errors : nullptr;
  std::vector<std::string> entries;
  if (file != nullptr) {
    entries.push_back("file: " + yaml_text(filled(*file)));
    log_size(file == out ? "stdout" : "stderr", entries);
  } else if (out != nullptr && (out->value == "NONE" || out->value == "/dev/null")) {
    entries.emplace_back("stdout: false");
  }
  const bool syslog = flag("stdout_syslog") == true || (out != nullptr && out->value == "syslog");
  if (syslog) entries.emplace_back("syslog: true");
  for (const std::string_view key : {"stdout_logfile_maxbytes", "stdout_logfile_backups",
                                     "stderr_logfile_maxbytes", "stderr_logfile_backups"})
    (void)take(key);
  out_.mapping("log", entries);
  if (own(errors) && errors != file && !joined && (file == nullptr || errors->value != file->value))
    left(*errors, "both outputs go to one log: format: json tells them apart");
}

// Without a word of its own a file is begun anew at 50 MB, and ten old ones are kept.
void ProgramService::log_size(std::string_view stream, std::vector<std::string>& entries) {
  const Setting* const size = take(std::string(stream) + "_logfile_maxbytes");
  const Setting* const old = take(std::string(stream) + "_logfile_backups");
  const auto bytes = size == nullptr ? std::optional<std::uint64_t>(50U << 20U) : bytes_of(size->value);
  const auto count = old == nullptr ? std::optional<std::int64_t>(10) : unit_number(old->value, 0, 998);
  if (!bytes) left(*size, "it is a size such as 50MB");
  if (!count) left(*old, "it is a number up to 998");
  if (!bytes || *bytes == 0) return;
  entries.push_back("max_size: " + size_text(*bytes));
  if (count) entries.push_back("max_files: " + std::to_string(*count + 1));
}

void ProgramService::list_rest() {
  for (const Setting& one : program_.settings)
    if (read_.insert(one.key).second && !one.value.empty())
      left(one, set_.carrier.is_full() ? "belfry has no counterpart" : why_supervisord_key_is_left(one.key));
}

std::string why_supervisord_key_is_left(std::string_view key) {
  using Row = std::pair<std::string_view, std::string_view>;
  constexpr auto rows =
      std::to_array<Row>({{"serverurl", "programs find belfry's control socket by themselves"},
                          {"stdout_capture_maxbytes", "belfry has events of its own: belfry events -f"},
                          {"stderr_capture_maxbytes", "belfry has events of its own: belfry events -f"},
                          {"stdout_events_enabled", "lines come from belfry logs -f --json"},
                          {"stderr_events_enabled", "lines come from belfry logs -f --json"},
                          {"stderr_syslog", "both outputs go to one log"}});
  const auto found = std::ranges::find(rows, key, &Row::first);
  if (found != rows.end()) return std::string(found->second);
  constexpr auto known = std::to_array<std::string_view>({"command",
                                                          "process_name",
                                                          "numprocs",
                                                          "numprocs_start",
                                                          "priority",
                                                          "autostart",
                                                          "autorestart",
                                                          "startsecs",
                                                          "startretries",
                                                          "exitcodes",
                                                          "stopsignal",
                                                          "stopwaitsecs",
                                                          "stopasgroup",
                                                          "killasgroup",
                                                          "user",
                                                          "redirect_stderr",
                                                          "stdout_logfile",
                                                          "stdout_logfile_maxbytes",
                                                          "stdout_logfile_backups",
                                                          "stderr_logfile",
                                                          "stderr_logfile_maxbytes",
                                                          "stderr_logfile_backups",
                                                          "environment",
                                                          "directory",
                                                          "umask",
                                                          "socket"});
  const std::string_view near = text::nearest(key, known);
  return near.empty() ? "belfry has no counterpart"
                      : "belfry does not know this key: did you mean `" + std::string(near) + "`?";
}

}  // namespace belfry::config
