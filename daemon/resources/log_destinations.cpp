#include "daemon/resources/log_destinations.hpp"

#include <system_error>
#include <utility>
#include <vector>

#include "daemon/logs/journal_target.hpp"
#include "daemon/logs/syslog_target.hpp"

namespace belfry::daemon {

namespace {

using Form = LineStyle::Form;

Form form_of(config::LogFormat format) {
  switch (format) {
    case config::LogFormat::json: return Form::json;
    case config::LogFormat::raw: return Form::raw;
    case config::LogFormat::text: break;
  }
  return Form::text;
}

// What belfry itself writes there: markers.
LineStyle marker_style(LineStyle style) {
  if (style.form == Form::raw) style.form = Form::text;
  return style;
}

std::vector<std::string> names_of(const config::Stack& stack) {
  std::vector<std::string> names;
  names.reserve(stack.services.size());
  for (const config::Service& service : stack.services) names.emplace_back(service.name);
  return names;
}

}  // namespace

bool tells_streams_apart(const config::Log& log) {
  return log.format == config::LogFormat::json || !log.journald.empty() || !log.syslog.empty();
}

LogDestinations::LogDestinations(Loop& loop, const config::Stack& stack, LogPump& own)
    : loop_(loop), stack_name_(stack.name), own_(own), book_(loop, names_of(stack)) {
  own_.keep_own_at(&book_.page(book_.own()));
}

std::unique_ptr<LogOutputs> LogDestinations::open(std::size_t service, const config::Service& spec) {
  static const config::Log by_default;
  const config::Log& log = spec.extras ? spec.extras->log : by_default;
  auto outputs = std::make_unique<LogOutputs>(log.inherit ? nullptr : &book_.page(service));
  const LineStyle style{.form = form_of(log.format),
                        .timestamps = log.timestamps,
                        .may_drop = log.overflow == config::LogOverflow::drop};
  if (log.to_stdout) {
    LineStyle on_output = style;
    on_output.for_terminal = own_.is_terminal() && style.form != Form::json;  // which has no controls
    outputs->add_output(own_, spec.name, on_output);
  }
  if (!log.file.empty()) {
    LineStyle in_file = style;
    in_file.ends_lines = false;
    add_to(*outputs, file(log, style), spec.name, in_file);
  }
  LineStyle record = style;
  record.form = Form::record;
  if (!log.journald.empty()) add_to(*outputs, daemon_at(log.journald, true), spec.name, record);
  if (!log.syslog.empty()) add_to(*outputs, daemon_at(log.syslog, false), spec.name, record);
  return outputs;
}

void LogDestinations::add_to(LogOutputs& outputs, const std::string& target, std::string_view name,
                             LineStyle style) {
  Target& to = targets_.at(target);
  ++to.users;
  outputs.add_output(*to.pump, name, style, {this, [target](LogDestinations* all) { all->leave(target); }});
}

// By the rules of whoever comes last: who shares a file shares them, or they have changed for all of them.
const std::string& LogDestinations::file(const config::Log& log, LineStyle style) {
  const system::LogFile::Rotation rotation{
      .max_size = log.max_size,
      .rules = {.max_files = log.max_files, .max_age = log.max_age, .compress = log.compress}};
  if (const auto found = targets_.find(log.file); found != targets_.end()) {
    Target& known = found->second;
    if (std::exchange(known.rotation, rotation) == rotation) return log.file;
    known.file->ask_to_rotate_by(rotation);
    known.pump->attend();
    return log.file;
  }
  const LineStyle markers = marker_style(style);
  auto target = std::make_unique<system::LogFile>(
      log.file, rotation,
      [format = LineFormat("belfry", markers)](std::uint64_t lines, std::string_view why) {
        return format.marker(lines, why);
      });
  system::LogFile* const opened = target.get();
  Target& made = keep(log.file, std::make_unique<LogPump>(loop_, std::move(target), markers));
  made.file = opened;
  made.rotation = rotation;
  made.pump->attend();
  return log.file;
}

std::string LogDestinations::daemon_at(const std::string& socket, bool is_journal) {
  std::string name = (is_journal ? "journald at " : "syslog at ") + socket;
  if (targets_.contains(name)) return name;
  std::unique_ptr<system::OutputTarget> target;
  if (is_journal)
    target = std::make_unique<JournalTarget>(socket, stack_name_);
  else
    target = std::make_unique<SyslogTarget>(socket);
  keep(name, std::make_unique<LogPump>(loop_, std::move(target), LineStyle{.form = Form::record}));
  return name;
}

LogDestinations::Target& LogDestinations::keep(const std::string& name, std::unique_ptr<LogPump> pump) {
  pump->on_failure = [this, name](int errnum) {
    if (on_trouble)
      on_trouble("cannot write log lines to " + name + ": " + std::generic_category().message(errnum) +
                 ": lines are lost (the services go on)");
  };
  pump->on_unwritten = [this, name](std::uint64_t lines) {
    if (on_unwritten) on_unwritten(name, lines);
  };
  pump->on_trouble = [this](const std::string& text) {
    if (on_trouble) on_trouble(text);
  };
  pump->on_moved = [this, name] { close_if_written(name); };
  Target& kept = targets_[name];
  kept.pump = std::move(pump);
  return kept;
}

void LogDestinations::leave(const std::string& name) {
  if (--targets_.at(name).users == 0) close_if_written(name);
}

// Whoever comes back in the same turn, as after a restart, finds it as it was.
void LogDestinations::close_if_written(const std::string& name) {
  const auto is_over = [this, name] {
    const auto found = targets_.find(name);
    return !keeps_all_ && found != targets_.end() && found->second.users == 0 &&
           found->second.pump->has_written_all();
  };
  if (!is_over()) return;
  loop_.post([this, name, is_over] {
    if (is_over()) targets_.erase(name);
  });
}

void LogDestinations::reopen() {
  for (const auto& [name, target] : targets_) target.pump->reopen();
}

void LogDestinations::each_pump(const std::function<void(const std::string&, LogPump&)>& visit) const {
  for (const auto& [name, target] : targets_) visit(name, *target.pump);
}

}  // namespace belfry::daemon
