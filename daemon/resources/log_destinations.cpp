#include "daemon/resources/log_destinations.hpp"

#include <system_error>
#include <utility>
#include <vector>

#include "daemon/logs/journal_target.hpp"
#include "daemon/logs/syslog_target.hpp"
#include "system/log_file.hpp"

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
    outputs->add_output(file(log, style), spec.name, in_file);
  }
  LineStyle record = style;
  record.form = Form::record;
  if (!log.journald.empty()) outputs->add_output(daemon_at(log.journald, true), spec.name, record);
  if (!log.syslog.empty()) outputs->add_output(daemon_at(log.syslog, false), spec.name, record);
  return outputs;
}

LogPump& LogDestinations::file(const config::Log& log, LineStyle style) {
  if (const auto found = pumps_.find(log.file); found != pumps_.end()) return *found->second;
  const LineStyle markers = marker_style(style);
  auto target = std::make_unique<system::LogFile>(
      log.file,
      system::LogFile::Rotation{
          .max_size = log.max_size,
          .rules = {.max_files = log.max_files, .max_age = log.max_age, .compress = log.compress}},
      [format = LineFormat("belfry", markers)](std::uint64_t lines, std::string_view why) {
        return format.marker(lines, why);
      });
  LogPump& pump = keep(log.file, std::make_unique<LogPump>(loop_, std::move(target), markers));
  pump.attend();
  return pump;
}

LogPump& LogDestinations::daemon_at(const std::string& socket, bool is_journal) {
  const std::string name = (is_journal ? "journald at " : "syslog at ") + socket;
  if (const auto found = pumps_.find(name); found != pumps_.end()) return *found->second;
  std::unique_ptr<system::OutputTarget> target;
  if (is_journal)
    target = std::make_unique<JournalTarget>(socket, stack_name_);
  else
    target = std::make_unique<SyslogTarget>(socket);
  return keep(name, std::make_unique<LogPump>(loop_, std::move(target), LineStyle{.form = Form::record}));
}

LogPump& LogDestinations::keep(const std::string& name, std::unique_ptr<LogPump> pump) {
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
  return *pumps_.emplace(name, std::move(pump)).first->second;
}

void LogDestinations::reopen() {
  for (const auto& [name, pump] : pumps_) pump->reopen();
}

void LogDestinations::each_pump(const std::function<void(const std::string&, LogPump&)>& visit) const {
  for (const auto& [name, pump] : pumps_) visit(name, *pump);
}

}  // namespace belfry::daemon
