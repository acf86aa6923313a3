#include "cli/event_line.hpp"

#include "cli/table.hpp"
#include "text/escape.hpp"
#include "text/width.hpp"

namespace belfry::cli {
namespace {

using client::EventRecord;

constexpr std::size_t name_width = 12;

Colour colour_of(const EventRecord& event) {
  if (event.kind == "notice") return Colour::yellow;
  if (event.kind != "state") return Colour::dim;
  if (event.state == "ready") return Colour::green;
  if (event.state == "failed" || event.state == "blocked") return Colour::red;
  if (event.state == "unready" || event.state == "backoff") return Colour::yellow;
  return Colour::none;
}

std::string what_happened(const EventRecord& event) {
  if (event.kind == "state") return event.state;
  if (event.kind == "stack") return event.event;
  return event.bell;  // of a notice: none, its text is its cause
}

}  // namespace

std::string evidence_text(const EventRecord& event) {
  if (!event.has_evidence) return {};
  std::string text = event.probe;
  const auto add = [&text](std::string_view before, const std::string& what) {
    (text += text.empty() ? "" : " ") += before;
    text += what;
  };
  if (event.port != 0) add("", std::to_string(event.port));
  if (event.pid != 0)
    add(event.probe == "notify" ? "from pid "
        : event.probe.empty()   ? "pid "
                                : "of pid ",
        std::to_string(event.pid));
  if (!event.words.empty()) add("", "\"" + event.words + "\"");
  return text;
}

std::string event_line(const EventRecord& event, bool use_colour) {
  std::string name = text::visible(event.service.empty() ? "(stack)" : event.service);
  if (const std::size_t width = text::display_width(name); width < name_width)
    name.append(name_width - width, ' ');
  std::string line = text::visible(event.time) + "  " + name + "  ";
  std::string what = text::visible(what_happened(event));
  if (!what.empty()) line += painted(what, colour_of(event), use_colour);
  for (const std::string& why : {evidence_text(event), event.cause}) {
    if (why.empty()) continue;
    if (!what.empty()) line += ": ";
    line += what.empty() ? painted(text::visible(why), colour_of(event), use_colour) : text::visible(why);
    what = why;
  }
  return line + "\n";
}

}  // namespace belfry::cli
