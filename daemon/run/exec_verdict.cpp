#include "daemon/run/exec_verdict.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "text/escape.hpp"

namespace belfry::daemon {
namespace {

constexpr std::size_t most_troubles = 50;

std::string seconds(Duration time) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f s", std::chrono::duration<double>(time).count());
  return buffer;
}

// The words of system/process.cpp and of the probe `port`, which are the same for people.
std::string_view what_happened(const JournalEvent& event) {
  if (event.cause.contains("out of memory")) return "was killed for lack of memory";
  if (event.cause.contains("nobody listens on port")) return "lost its port";
  if (event.to == State::unready) return "became unready";
  return event.to == State::blocked ? "was blocked" : "died";
}

// Whoever was stopped or restarted by command rests or waits in the end, and does not come to these states.
bool is_trouble(const JournalEvent& event) {
  const bool is_asked_for =
      event.cause.contains("by command") || event.cause.contains("as `belfry kill` asked");
  if (event.kind != EventKind::state || is_asked_for) return false;
  if (event.to == State::backoff || event.to == State::failed) return true;
  return event.from == State::ready && (event.to == State::unready || event.to == State::blocked);
}

std::string of_one(const Trouble& trouble) {
  return trouble.service + " " + std::string(trouble.what) + " " + seconds(trouble.after) +
         " after the command began: " + trouble.cause;
}

// https://docs.github.com/actions: what stands in a property, and what stands behind it.
std::string for_github(std::string_view text, bool in_property) {
  std::string out;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (in_property && (c == ':' || c == ','));
    if (!special) {
      out += c;
      continue;
    }
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += code;
  }
  return out;
}

std::string for_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// The same finding has the same fingerprint in every run (FNV-1a).
std::string fingerprint_of(const Trouble& trouble) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : trouble.service + "\n" + std::string(trouble.what))
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

// Behind the name of the first element `name`, or npos. `testsuites` is not `testsuite`.
std::size_t find_element(std::string_view xml, std::string_view name) {
  const std::string open = "<" + std::string(name);
  for (auto at = xml.find(open); at != std::string_view::npos; at = xml.find(open, at + 1)) {
    const std::size_t behind = at + open.size();
    if (behind < xml.size() && std::string_view(" \t\r\n/>").contains(xml[behind])) return behind;
  }
  return std::string_view::npos;
}

// Of the `>` that ends a tag; a value may hold one.
std::size_t end_of_tag(std::string_view xml, std::size_t at) {
  char quote = 0;
  for (; at < xml.size(); ++at) {
    const char c = xml[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return at;
    }
  }
  return std::string_view::npos;
}

}  // namespace

void look_for_troubles(Verdict& verdict, const Journal& journal, Sequence since, TimePoint begun) {
  if (journal.first() > since)
    verdict.unknown = "so much has happened meanwhile that the beginning is not kept any more";
  for (Sequence at = std::max(since, journal.first()); at < journal.next(); ++at) {
    const JournalEvent event = journal.at(at);
    if (!is_trouble(event)) continue;
    if (verdict.troubles.size() == most_troubles) {
      verdict.unknown = "there is more of this than anybody reads";
      return;
    }
    verdict.troubles.push_back({.service = text::visible(event.service),
                                .what = what_happened(event),
                                .cause = text::visible(event.cause),
                                .after = event.at - begun});
  }
}

std::string summary_of(const Verdict& verdict) {
  if (!verdict.troubles.empty()) {
    std::string text = of_one(verdict.troubles.front());
    if (verdict.troubles.size() > 1)
      text += " (and " + std::to_string(verdict.troubles.size() - 1) + " more)";
    return text;
  }
  if (!verdict.unknown.empty()) return "nobody knows: " + verdict.unknown;
  return "no service died or became unready while the command ran";
}

std::string text_of(const Verdict& verdict) {
  std::string text = verdict.command + " after " + seconds(verdict.lasted);
  if (verdict.troubles.empty()) return text + "; " + summary_of(verdict);
  text += "; the stack was not as it should be:";
  for (const Trouble& trouble : verdict.troubles) text += "\n  " + of_one(trouble);
  if (!verdict.unknown.empty()) text += "\n  " + verdict.unknown;
  return text;
}

std::string github_annotations(const Verdict& verdict) {
  std::string lines;
  for (const Trouble& trouble : verdict.troubles)
    lines += "::error title=" + for_github(trouble.service + " " + std::string(trouble.what), true) +
             "::" + for_github(of_one(trouble) + "; " + verdict.command, false) + "\n";
  return lines;
}

std::string code_quality_report(const Verdict& verdict, std::string_view file) {
  std::string json = "[";
  for (const Trouble& trouble : verdict.troubles) {
    json += json.size() == 1 ? "\n" : ",\n";
    json += R"(  {"description": )" + text::json_string(of_one(trouble) + "; " + verdict.command) +
            R"(, "check_name": "belfry", "fingerprint": ")" + fingerprint_of(trouble) +
            R"(", "severity": "major", "location": {"path": )" + text::json_string(file) +
            R"(, "lines": {"begin": 1}}})";
  }
  return json + (verdict.troubles.empty() ? "]\n" : "\n]\n");
}

Result<std::string> with_junit_property(std::string_view report, const Verdict& verdict) {
  const std::size_t suite = find_element(report, "testsuite");
  const std::size_t end = suite == std::string_view::npos ? suite : end_of_tag(report, suite);
  if (end == std::string_view::npos)
    return std::unexpected(Error(Error::Kind::invalid, "there is no <testsuite> in it"));
  const std::string property =
      "<property name=\"belfry.verdict\" value=\"" +
      for_xml(verdict.command.empty() ? "the command succeeded" : summary_of(verdict)) + "\"/>";
  std::string out(report.substr(0, end));
  if (report[end - 1] == '/') {  // it has no content so far
    out.pop_back();
    return out + "><properties>" + property + "</properties></testsuite>" +
           std::string(report.substr(end + 1));
  }
  const std::string_view rest = report.substr(end + 1);
  constexpr std::string_view list = "<properties>";
  const auto first = rest.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && rest.substr(first).starts_with(list)) {
    const std::size_t in = first + list.size();
    return out + ">" + std::string(rest.substr(0, in)) + property + std::string(rest.substr(in));
  }
  return out + "><properties>" + property + "</properties>" + std::string(rest);
}

}  // namespace belfry::daemon
