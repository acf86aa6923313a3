// What a process-compose file says of when a process starts, is ready, starts again and stops.
#include <utility>

#include "config/import/process.hpp"
#include "config/model/enum_names.hpp"
#include "config/model/kernel_names.hpp"
#include "text/escape.hpp"

namespace belfry::config {
namespace {

std::string doubled(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '$' ? std::string("$$") : std::string(1, c);
  return out;
}

bool is_signal(const std::string& text) { return text.contains('$') || signal_number(text).has_value(); }

bool is_count(const std::string& text) {
  return text.contains('$') ||
         (text.size() < 9 && text.find_first_not_of("0123456789") == std::string::npos &&
          text.find_first_not_of('0') != std::string::npos);
}

}  // namespace

void Process::depends_on(const Node& value) {
  std::vector<std::string> entries;
  const auto add = [&](const Node& at, std::string_view name, const std::string& word) {
    if (!file_.names.knows(name) || name == key_.text())
      return left(
          at, "depends_on." + std::string(name),
          name == key_.text() ? "a process cannot wait for itself" : "there is no such process in this file");
    const bool optional = file_.disabled.contains(name);
    entries.push_back(yaml_text(file_.names.of(name)) + ": " +
                      (optional ? "{condition: " + word + ", required: false}" : word));
  };
  for (const Entry& entry : value.entries()) {
    const std::string edge = "depends_on." + std::string(entry.key->text());
    known_only(*entry.value, edge, {"condition"});
    if (!entry.value->is_mapping() && !entry.value->is_null())
      left(*entry.value, edge, "a mapping with a `condition` was expected");
    add(*entry.key, entry.key->text(), condition(entry.value->find("condition"), edge));
  }
  for (const Node* item : value.items()) add(*item, item->text(), "started");
  if (value.is_scalar()) add(value, value.text(), "started");
  out_.mapping("depends_on", entries);
}

std::string Process::condition(const Node* written, std::string_view edge) {
  if (written == nullptr || written->is_null()) return "started";
  if (const auto known = condition_spelled(written->text())) return std::string(name_of(*known));
  left(*written, std::string(edge) + ".condition", "process-compose knows no such condition");
  return "started";
}

void Process::ready() {
  const ImportedProbe found = probe("readiness_probe", false);
  const Node* const line = node_->find("ready_log_line");
  const bool waited_for_line = line != nullptr && line->is_scalar() && !line->text().empty();
  if (!found.entries.empty()) {
    if (waited_for_line) left(*line, "ready_log_line", "its readiness_probe is: one of the two counts");
    ready_and_restarted(found);
  } else if (waited_for_line) {
    out_.mapping("ready", {"log: " + text::json_string(doubled(regex_quoted(text(line))))});
  } else if (!oneshot_ && file_.awaited_ready.contains(key_.text())) {
    out_.comment("decide: others wait for it to be healthy, and nothing here says when it is: add `ready:`");
  }
}

// A process whose readiness probe has failed `failure_threshold` times is stopped there, and started again as
// its `availability` says: before it was ever ready that is `timeout` here, afterwards `live`.
void Process::ready_and_restarted(const ImportedProbe& found) {
  std::vector<std::string> once = found.entries;
  if (!found.patience.empty()) once.push_back("timeout: " + found.patience);
  out_.mapping("ready", once);
  const Node& written = key_of("readiness_probe");
  if (found.patience.empty())
    left(written, "readiness_probe.failure_threshold",
         "process-compose stops it after so many failures: write ready: {..., timeout: 30s}");
  if (oneshot_) return;
  if (node_->find("liveness_probe") == nullptr) return live_while_ready();
  left(written, "readiness_probe, once it is ready",
       "belfry stops what its `live` finds dead, here the liveness_probe");
}

// Where the key is written that is there.
const Node& Process::key_of(std::string_view name) const {
  for (const Entry& entry : node_->entries())
    if (entry.key->text() == name) return *entry.key;
  return key_;
}

void Process::live_while_ready() {
  out_.comment(
      "process-compose asks on, and stops what is no longer ready; remove `live` if you do not want that");
  std::vector<std::string> entries = probe("readiness_probe", true, true).entries;
  std::erase_if(entries, [](const std::string& entry) { return entry.starts_with("initial_delay"); });
  out_.mapping("live", entries);
}

void Process::live() {
  const ImportedProbe found = probe("liveness_probe", true);
  if (oneshot_ && !found.entries.empty())
    left(*node_->find("liveness_probe"), "liveness_probe", "others wait for it to end: it is a oneshot");
  else
    out_.mapping("live", found.entries);
}

ImportedProbe Process::probe(std::string_view name, bool live, bool again) {
  for (const Entry& entry : node_->entries())
    if (entry.key->text() == name && entry.value->is_mapping())
      return import_probe({templates_, file_.shell, file_.double_dollar,
                           [this, again](const Node& at, const std::string& what, std::string why) {
                             if (!again) left(at, what, std::move(why));
                           }},
                          entry, live);
  return {};
}

std::string Process::seconds(const Node* node, std::string_view what) {
  bool bad = false;
  std::string value = seconds_value(text(node), bad);
  if (bad) left(*node, what, "seconds are a whole number");
  return value;
}

// The policy in belfry's words.
std::string Process::policy(const Node* node) {
  std::string written = text(node);
  if (written == "always" || written == "no") return written;
  if (written == "on_failure") return "on-failure";
  if (node != nullptr && !node->is_null() && written != "exit_on_failure")
    left(*node, "availability.restart", "process-compose knows always, on_failure, exit_on_failure and no");
  return "no";
}

void Process::availability() {
  static const Node nothing;
  const Node* const written = node_->find("availability");
  const Node& node = written == nullptr ? nothing : *written;
  known_only(node, "availability",
             {"restart", "backoff_seconds", "max_restarts", "exit_on_end", "exit_on_skipped"});
  std::vector<std::string> entries{"policy: " + policy(node.find("restart"))};
  const bool again = entries.front() != "policy: no";
  const std::string backoff = seconds(node.find("backoff_seconds"), "availability.backoff_seconds");
  const std::string most = text(node.find("max_restarts"));
  if (again && written != nullptr) entries.push_back("delay: " + (backoff.empty() ? "1s" : backoff));
  if (!most.empty() && most != "0") {
    if (is_count(most))
      entries.push_back("limit: " + yaml_value(most));
    else
      left(*node.find("max_restarts"), "availability.max_restarts", "it is a whole number");
  }
  const bool main = ends_the_stack(node);
  if (text(node.find("restart")) == "exit_on_failure" && !main) out_.key("essential", "true");
  if (text(node.find("exit_on_skipped")) == "true")
    left(*node.find("exit_on_skipped"), "availability.exit_on_skipped",
         "write essential: true if the stack cannot be without it");
  if (main) {  // implies that it is not restarted
    if (again || entries.size() > 1) {
      out_.comment(
          "decide: `exit_on_end` makes its first exit the end of the stack; or remove `main` and restart it");
      left(node, "availability.restart", "the service whose exit ends the stack is not restarted");
    }
    return;
  }
  if (entries.size() > 1) return out_.mapping("restart", entries);
  if (!oneshot_ || again) out_.key("restart", entries.front().substr(8));
}

bool Process::ends_the_stack(const Node& availability) {
  const Node* const end = availability.find("exit_on_end");
  if (text(end) != "true") return false;
  if (!std::exchange(file_.main_taken, true)) {
    out_.key("main", "true");
    return true;
  }
  if (text(availability.find("restart")) != "exit_on_failure") out_.key("essential", "true");
  left(*end, "availability.exit_on_end",
       "only the exit of one service, `main`, can end the stack; this one ends it when it fails");
  return false;
}

void Process::shutdown() {
  const Node* const node = node_->find("shutdown");
  if (node == nullptr) return;
  std::vector<std::string> entries;
  for (const Entry& entry : node->entries()) stop_option(entry, entries);
  known_only(*node, "shutdown", {"signal", "timeout_seconds", "command", "parent_only"});
  out_.mapping("stop", entries);
}

void Process::stop_option(const Entry& entry, std::vector<std::string>& entries) {
  const std::string_view name = entry.key->text();
  const std::string value = text(entry.value);
  if (name == "signal" && is_signal(value))
    entries.push_back("signal: " + yaml_value(value));
  else if (name == "signal" && value != "0")
    left(*entry.key, "shutdown.signal", "there is no such signal");
  else if (const std::string time =
               name == "timeout_seconds" ? seconds(entry.value, "shutdown.timeout_seconds") : "";
           !time.empty())
    entries.push_back("timeout: " + time);
  else if (name == "command" && !value.empty())
    out_.key("pre_stop", shell(value));
  else if (name == "parent_only" && value != "false")
    left(*entry.key, "shutdown.parent_only", "belfry always stops the whole process tree");
}

}  // namespace belfry::config
