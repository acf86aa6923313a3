#include "report/page.hpp"

#include <algorithm>
#include <cstdio>

#include "analyze/gantt.hpp"
#include "report/graph.hpp"
#include "text/live.hpp"
#include "text/markup.hpp"
#include "text/terminal_line.hpp"
#include "text/utf8.hpp"

namespace belfry::report {

namespace {

using analyze::span_text;
using text::append_markup;
using text::markup;

// The colours are those of the pictures; both schemes have the contrast that WCAG 2.1 asks for.
constexpr std::string_view style =
    R"(:root{color-scheme:light dark;--back:#fff;--ink:#1c2430;--soft:#5a6573;--grid:#e3e7ec;--card:#f5f7f9;--good:#15803d;--bad:#b91c1c;--open:#a16207;--link:#1d5fa8}
@media(prefers-color-scheme:dark){:root{--back:#12161c;--ink:#e8edf3;--soft:#9aa7b5;--grid:#262e38;--card:#1a2028;--good:#4ade80;--bad:#f87171;--open:#facc15;--link:#7db7f5}}
body{margin:0 auto;padding:1.2rem clamp(.8rem,3vw,2.5rem) 3rem;max-width:84rem;background:var(--back);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}a{color:var(--link)}
.verdict{display:inline-block;border:2px solid;border-radius:.4rem;padding:0 .6rem;margin-left:.5rem;font-size:1.1rem}
.lead{font-size:1.05rem;margin:.4rem 0;overflow-wrap:anywhere}
dl{display:flex;flex-wrap:wrap;gap:.2rem 1.6rem;margin:.6rem 0}dt{color:var(--soft)}dl div{display:flex;gap:.4rem}dd{margin:0}
nav a{margin-right:1rem}.note{color:var(--soft)}.scroll{overflow:auto;max-height:44rem}
.good{color:var(--good)}.bad{color:var(--bad)}.open{color:var(--open)}.off{color:var(--soft)}
table{border-collapse:collapse;width:100%;font-size:.92rem}th{text-align:left;color:var(--soft);font-weight:500;white-space:nowrap;position:sticky;top:0;background:var(--back)}
td,th{padding:.15rem .8rem .15rem 0;vertical-align:top;border-bottom:1px solid var(--grid)}td:last-child{width:99%;overflow-wrap:anywhere;min-width:16rem}
td{white-space:nowrap}td:last-child{white-space:pre-wrap}td:first-child{font-variant-numeric:tabular-nums}
#lines td,#rows td,pre{font-family:ui-monospace,monospace;font-size:.82rem}#lines .e td:last-child{color:var(--open)}
pre{margin:0;padding:.6rem .8rem;overflow:auto}details{background:var(--card);border-radius:.4rem;margin:.4rem 0}summary{padding:.4rem .8rem;cursor:pointer;overflow-wrap:anywhere}
input{font:inherit;width:min(100%,24rem);box-sizing:border-box;padding:.2rem .5rem;margin:.2rem 0;background:var(--card);color:var(--ink);border:1px solid var(--soft);border-radius:.3rem}
[hidden]{display:none}.arc{fill:none;stroke:var(--wait);stroke-width:1.3}.maybe{stroke-dasharray:4 3}.tip{fill:var(--wait)}.arc:hover{stroke:var(--hot);stroke-width:2.5}
.node{text-decoration:none}.node rect{fill:var(--back);stroke:currentColor;stroke-width:1.5}.node .sign{fill:currentColor}.node:hover rect{stroke-width:3}
@media(max-width:40rem){td,th{padding-right:.5rem}}@media print{.scroll{max-height:none}input{display:none}}
)";

// A row is shown when it holds every word. Changed, its digest below has to be, too: its test says which.
constexpr std::string_view script =
    R"(for(const f of document.querySelectorAll("input")){f.hidden=false;const o=f.nextElementSibling,r=[...document.querySelectorAll("#"+f.name+" tbody tr")];f.oninput=()=>{const w=f.value.toLowerCase().split(/\s+/);let n=0;for(const e of r){const t=e.textContent.toLowerCase();e.hidden=!w.every(x=>t.includes(x));n+=!e.hidden}o.textContent=f.value?" "+n+" of "+r.length:""}})";
constexpr std::string_view script_digest = "sha256-g+VqWc1+wSkfECEaP+q9Sip5dweYV1eex3EmACJse7c=";

std::string seconds(Duration at) {
  char text[32];
  std::snprintf(text, sizeof text, "%+.3f", std::chrono::duration<double>(at).count());
  return text;
}

// The time of day of a moment as RFC 3339 writes it.
std::string_view time_of_day(std::string_view time) {
  constexpr std::size_t date = 11, length = 12;
  return time.size() > date ? time.substr(date, length) : time;
}

// No longer than the page has room for, and not in the middle of a character.
std::string_view cut(std::string_view line) {
  if (line.size() <= longest_line) return line;
  std::size_t end = longest_line;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;
  return line.substr(0, end);
}

// The last rows for which there is room, in their order; `row` makes the one of a place.
template <class Row>
std::vector<std::string> newest(std::size_t count, std::size_t room, Row row) {
  std::vector<std::string> rows;
  while (rows.size() < count) {
    std::string one = row(count - rows.size() - 1);
    if (one.size() > room) break;
    room -= one.size();
    rows.push_back(std::move(one));
  }
  std::ranges::reverse(rows);
  return rows;
}

class Page {
 public:
  explicit Page(const Run& run) : run_(run) {}

  std::string write() {
    head();
    services();
    whys();
    picture("start", "The start", run_.start);
    picture("stop", "The stop", run_.stop);
    graph();
    journal();
    logs();
    return out_ + "<script>" + std::string(script) + "</script>\n";
  }

 private:
  void head() {
    out_ +=
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; "
        "script-src '";
    out_ += script_digest;
    out_ +=
        "'; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"referrer\" "
        "content=\"no-referrer\">\n<title>";
    append_markup(out_, run_.stack + ": " + run_.verdict);
    ((out_ += "</title>\n<style>\n") += analyze::gantt_style()) += style;
    out_ += "</style>\n<h1>";
    append_markup(out_, run_.stack);
    constexpr std::string_view kinds[] = {"good", "bad", "open"};
    (out_ += " <span class=\"verdict ") += kinds[static_cast<std::size_t>(run_.outcome)];
    out_ += "\">" + markup(run_.verdict) + "</span></h1>\n<p class=\"lead\">" + markup(run_.headline) +
            "</p>\n<dl>";
    for (const auto& [what, value] : run_.facts)
      out_ += "<div><dt>" + markup(what) + "</dt><dd>" + markup(value) + "</dd></div>\n";
    out_ += "</dl>\n";
    for (const std::string& remark : run_.remarks) note(remark);
    out_ += "<nav><a href=\"#services\">services</a>" +
            std::string(run_.whys.empty() ? "" : "<a href=\"#why\">why</a>") +
            "<a href=\"#start\">start</a><a href=\"#stop\">stop</a><a href=\"#graph\">graph</a><a "
            "href=\"#journal\">journal</a><a "
            "href=\"#logs\">logs</a></nav>\n";
  }

  void note(std::string_view text) { out_ += "<p class=\"note\">" + markup(text) + "</p>\n"; }

  void heading(std::string_view id, std::string_view text) {
    ((((out_ += "<h2 id=\"") += id) += "\">") += text) += "</h2>\n";
  }

  // Where a script runs, a field that leaves the rows that hold its words.
  void filter(std::string_view id) {
    ((out_ += "<input hidden type=\"search\" placeholder=\"filter: words\" aria-label=\"filter\" name=\"") +=
     id) += "\"><span class=\"note\"></span>\n";
  }

  void table(std::string_view id, std::string_view head, const std::vector<std::string>& rows) {
    (((out_ += "<div class=\"scroll\"><table id=\"") += id) += "\"><thead><tr>") += head;
    out_ += "<tbody>\n";
    for (const std::string& row : rows) out_ += row;
    out_ += "</table></div>\n";
  }

  void services() {
    heading("services", "Services");
    std::vector<std::string> rows;
    std::size_t size = 0;
    for (std::size_t i = 0; i < run_.services.size() && size < most_of_services; ++i) {
      rows.push_back(service(i));
      size += rows.back().size();
    }
    table("all", "<th>state<th>name<th>type<th>ready after<th>restarts<th>what is known", rows);
    if (rows.size() < run_.services.size())
      note("and " + std::to_string(run_.services.size() - rows.size()) +
           " more, for which there is no room here");
  }

  [[nodiscard]] std::string service(std::size_t i) const {
    const Service& one = run_.services[i];
    std::string row = "<tr id=\"s" + std::to_string(i) + "\"><td class=\"" + std::string(kind_of(one.state)) +
                      "\">" + std::string(text::look_of(one.state).sign) + " " + markup(one.state) + "<td>" +
                      markup(one.name) + "<td>" + markup(one.type) + "<td>";
    const auto came_up = one.ready_at || one.state != "completed" ? one.ready_at : one.stopped;
    if (one.starting && came_up && *came_up >= *one.starting) row += span_text(*came_up - *one.starting);
    row += "<td>" + std::to_string(one.restarts) + "<td>";
    append_markup(row, cut(one.method));
    for (const auto& [key, value] : one.outputs) {
      if (row.size() > longest_line) break;
      row += (row.ends_with('>') ? "" : "; ") + markup(key) + "=" + markup(cut(value));
    }
    if (!one.error.empty()) row += (row.ends_with('>') ? "" : "; ") + markup(cut(one.error));
    return row + "\n";
  }

  void whys() {
    if (run_.whys.empty()) return;
    heading("why", "Why not everything is ready");
    const std::size_t enough = out_.size() + most_of_whys;
    std::size_t shown = 0;
    for (const Why& why : run_.whys) {
      if (out_.size() > enough) break;
      ++shown;
      const std::size_t end = std::min(why.text.find('\n'), why.text.size());
      out_ += (shown == 1 ? "<details open><summary>" : "<details><summary>") +
              (why.service.empty() ? "" : "<b>" + markup(why.service) + "</b>: ") +
              markup(std::string_view(why.text).substr(0, end)) + "</summary><pre>";
      lines_of(std::string_view(why.text).substr(
          std::min(why.text.find_first_not_of('\n', end), why.text.size())));
      out_ += "</pre></details>\n";
    }
    if (shown < run_.whys.size())
      note("and " + std::to_string(run_.whys.size() - shown) + " more, for which there is no room here");
  }

  void lines_of(std::string_view text) {
    constexpr std::size_t longest_why = 16384;
    text = text.substr(0, longest_why);
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      append_markup(out_, text.substr(0, end));
      if (end == std::string_view::npos) return;
      out_ += '\n';
      text.remove_prefix(end + 1);
    }
  }

  void picture(std::string_view id, std::string_view title, const std::optional<Picture>& picture) {
    heading(id, title);
    if (!picture || picture->course.steps.empty()) {
      note(id == "stop" ? "Nothing of it is known: the stack was not stopped, or this is of an earlier run."
                        : "No service has come up.");
    } else {
      out_ += "<div class=\"scroll\">" +
              analyze::gantt(analyze::Analysis(picture->course),
                             {.title = picture->title, .end = picture->end, .in_page = true}) +
              "</div>\n";
    }
    if (!picture) return;
    for (const std::string& remark : picture->remarks) note(remark);
  }

  void graph() {
    heading("graph", "Who waits for whom");
    const std::string drawn = draw_graph(run_);
    if (drawn.empty())
      note("There is no picture of so many services: `belfry graph --format dot` makes one for graphviz.");
    else
      out_ += "<div class=\"scroll\">" + drawn + "</div>\n";
  }

  void journal() {
    heading("journal", "Journal");
    if (run_.events.empty()) return note("Nothing of it is kept.");
    const auto rows =
        newest(run_.events.size(), most_of_journal, [this](std::size_t i) { return row_of(run_.events[i]); });
    const std::size_t left_out = run_.events_missed + run_.events.size() - rows.size();
    if (left_out > 0) note(std::to_string(left_out) + " older events are left out");
    filter("rows");
    table("rows", "<th>second<th>service<th>what<th>evidence, cause", rows);
  }

  static std::string row_of(const Event& event) {
    std::string row = "<tr><td title=\"" + markup(event.time) + "\">" + seconds(event.at) + "<td>" +
                      markup(event.service) + "<td";
    if (event.kind == "state") (row += " class=") += kind_of(event.what);
    return row + ">" + markup(event.what) + "<td>" + markup(event.evidence) +
           (event.evidence.empty() || event.cause.empty() ? "" : ": ") + markup(cut(event.cause)) + "\n";
  }

  void logs() {
    heading("logs", "Logs");
    if (run_.lines.empty()) return note("Nothing of them is kept.");
    const auto rows =
        newest(run_.lines.size(), most_of_logs, [this](std::size_t i) { return row_of(run_.lines[i]); });
    const std::size_t left_out = run_.lines.size() - rows.size();
    note("the last lines of each service" +
         (left_out == 0 ? std::string()
                        : "; " + std::to_string(left_out) + " older ones of them are left out"));
    filter("lines");
    table("lines", "<th>time (UTC)<th>service<th>line", rows);
  }

  static std::string row_of(const Line& line) {
    std::string plain;
    text::append_line_for_terminal(plain, cut(line.text), text::Colours::left_out);
    return std::string(line.stream == "stderr" ? "<tr class=e>" : "<tr>") + "<td title=\"" +
           markup(line.time) + "\">" + markup(time_of_day(line.time)) + "<td>" + markup(line.service) +
           "<td>" + markup(plain) + (line.text.size() > longest_line ? " […]" : "") + "\n";
  }

  const Run& run_;
  std::string out_;
};

}  // namespace

std::string page(const Run& run) { return Page(run).write(); }

}  // namespace belfry::report
