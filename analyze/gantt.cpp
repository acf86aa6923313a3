#include "analyze/gantt.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <tuple>
#include <utility>

#include "text/markup.hpp"
#include "text/paint.hpp"
#include "text/width.hpp"

namespace belfry::analyze {

namespace {

constexpr std::size_t most_rows = 200;
constexpr std::size_t longest_name = 32;  // columns
constexpr double row_height = 24, bar_height = 14, top = 74, chart_width = 760, right = 96;
constexpr double column_width = 7.4;

// Both colour schemes have at least the contrast that WCAG 2.1 asks for (4.5 of text, 3 of bars).
constexpr std::string_view style =
    R"(svg{font:13px system-ui,sans-serif;background:#fff;--back:#fff;--ink:#1c2430;--soft:#5a6573;--grid:#e3e7ec;--wait:#aab4c0;--bar:#4c86c6;--hot:#c2410c;--room:#8fa7c2}
@media (prefers-color-scheme:dark){svg{background:#12161c;--back:#12161c;--ink:#e8edf3;--soft:#9aa7b5;--grid:#262e38;--wait:#5b6775;--bar:#5b9be0;--hot:#fb923c;--room:#5d7796}}
text{fill:var(--ink)}.soft{fill:var(--soft);font-size:11px}.took{paint-order:stroke;stroke:var(--back);stroke-width:5px}.title{font-size:16px;font-weight:600}.hot{fill:var(--hot);font-weight:600}
.grid{stroke:var(--grid)}.wait{stroke:var(--wait);stroke-width:2}.bar{fill:var(--bar)}.crit{fill:var(--hot)}
.room{stroke:var(--room);stroke-width:2;stroke-dasharray:2 4}.link{fill:none;stroke:var(--hot);stroke-width:1.5}
.end{stroke:var(--hot);stroke-dasharray:4 3}
)";

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// Ten of them at most, at 1, 2 or 5 times a power of ten.
Duration tick_of(Duration end) {
  const double nanoseconds = std::max<double>(static_cast<double>(end.count()) / 8, 1);
  const double power = std::pow(10, std::floor(std::log10(nanoseconds)));
  const double leading = nanoseconds / power;
  const double step = leading <= 1 ? 1 : leading <= 2 ? 2 : leading <= 5 ? 5 : 10;
  return Duration(std::llround(step * power));
}

class Drawing {
 public:
  Drawing(const Analysis& analysis, const GanttText& text) : analysis_(analysis), text_(text) {
    choose_rows();
    std::size_t columns = 0;
    for (const std::size_t step : rows_)
      columns = std::max(columns, text::display_width(text::cut(steps()[step].name, longest_name)));
    left_ = 28 + static_cast<double>(columns) * column_width;
  }

  std::string draw() {
    const double width = left_ + chart_width + right;
    const double height = bottom() + 40;
    out_ = R"(<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 )" + number(width) + " " +
           number(height) + "\" width=\"" + number(width) + "\" height=\"" + number(height) + "\">\n" +
           (text_.in_page ? "" : "<style>\n" + std::string(style) + "</style>\n") + "<title>" +
           text::markup(text_.title) + "</title>\n";
    draw_head();
    draw_grid();
    for (std::size_t row = 0; row < rows_.size(); ++row) draw_row(row);
    draw_links();
    return out_ + "</svg>\n";
  }

 private:
  [[nodiscard]] const std::vector<Step>& steps() const { return analysis_.course().steps; }
  [[nodiscard]] double bottom() const { return top + static_cast<double>(rows_.size()) * row_height; }
  [[nodiscard]] double x(Duration at) const {
    const double whole = std::max<double>(static_cast<double>(analysis_.end().count()), 1);
    return left_ + static_cast<double>(at.count()) / whole * chart_width;
  }
  [[nodiscard]] static double y(std::size_t row) { return top + static_cast<double>(row) * row_height; }

  void choose_rows() {
    for (std::size_t i = 0; i < steps().size(); ++i) rows_.push_back(i);
    const auto rank = [this](std::size_t i) {
      return std::pair(!analysis_.is_critical(i), -(steps()[i].end - steps()[i].begin).count());
    };
    if (rows_.size() > most_rows) {
      std::ranges::nth_element(rows_, rows_.begin() + most_rows, {}, rank);
      rows_.resize(most_rows);
    }
    std::ranges::sort(rows_, {},
                      [this](std::size_t i) { return std::tuple(steps()[i].begin, steps()[i].end, i); });
  }

  void draw_head() {
    out_ += R"(<text class="title" x="16" y="28">)" + text::markup(text_.title) + "</text>\n";
    std::string below = text_.end + " after " + span_text(analysis_.end());
    if (rows_.size() < steps().size())
      below += "; " + std::to_string(rows_.size()) + " of " + std::to_string(steps().size()) + " are shown";
    out_ += R"(<text class="soft" x="16" y="46">)" + text::markup(below) + "</text>\n";
    const std::pair<std::string_view, std::string_view> legend[] = {
        {"crit", "critical"}, {"bar", "at work"}, {"wait", "waits"}, {"room", "slack"}};
    double at = left_ + chart_width - 320;
    for (const auto& [kind, words] : legend) {
      if (kind == "crit" || kind == "bar")
        out_ += "<rect class=\"" + std::string(kind) + "\" x=\"" + number(at) +
                R"(" y="36" width="16" height="10" rx="2"/>)";
      else
        out_ += "<line class=\"" + std::string(kind) + "\" x1=\"" + number(at) + R"(" x2=")" +
                number(at + 16) + R"(" y1="41" y2="41"/>)";
      out_ +=
          "<text class=\"soft\" x=\"" + number(at + 21) + R"(" y="45">)" + std::string(words) + "</text>\n";
      at += 80;
    }
  }

  void draw_grid() {
    const Duration tick = tick_of(analysis_.end());
    for (Duration at{0}; at <= analysis_.end(); at += tick) {
      out_ += "<line class=\"grid\" x1=\"" + number(x(at)) + "\" x2=\"" + number(x(at)) + "\" y1=\"" +
              number(top - 6) + "\" y2=\"" + number(bottom()) + "\"/>";
      out_ += "<text class=\"soft\" text-anchor=\"middle\" x=\"" + number(x(at)) + "\" y=\"" +
              number(bottom() + 16) + "\">" + span_text(at) + "</text>\n";
    }
    const std::string end = number(x(analysis_.end()));
    out_ += "<line class=\"end\" x1=\"" + end + "\" x2=\"" + end + "\" y1=\"" + number(top - 6) + "\" y2=\"" +
            number(bottom()) + "\"/>\n";
  }

  void draw_row(std::size_t row) {
    const std::size_t i = rows_[row];
    const Step& step = steps()[i];
    const bool critical = analysis_.is_critical(i);
    const double middle = y(row) + row_height / 2;
    out_ += "<g><title>" + text::markup(told(i)) + "</title>";
    out_ += "<text" + std::string(critical ? " class=\"hot\"" : "") + " text-anchor=\"end\" x=\"" +
            number(left_ - 10) + "\" y=\"" + number(middle + 4.5) + "\">" +
            text::markup(text::cut(step.name, longest_name)) + "</text>";
    draw_line("wait", step.wanted, step.begin, middle);
    const Duration slack = analysis_.slack(i);
    if (slack > Duration{0}) draw_line("room", step.end, step.end + slack, middle);
    const double width = std::max(x(step.end) - x(step.begin), 2.0);
    out_ += "<rect class=\"" + std::string(critical ? "crit" : "bar") + "\" x=\"" + number(x(step.begin)) +
            "\" y=\"" + number(middle - bar_height / 2) + "\" width=\"" + number(width) + "\" height=\"" +
            number(bar_height) + "\" rx=\"3\"/>";
    out_ += "<text class=\"soft took\" x=\"" + number(x(step.begin) + width + 6) + "\" y=\"" +
            number(middle + 4) + "\">" + span_text(step.end - step.begin) + "</text></g>\n";
  }

  void draw_line(std::string_view kind, Duration from, Duration to, double at) {
    if (x(to) - x(from) < 1) return;
    out_ += "<line class=\"" + std::string(kind) + "\" x1=\"" + number(x(from)) + "\" x2=\"" + number(x(to)) +
            "\" y1=\"" + number(at) + "\" y2=\"" + number(at) + "\"/>";
  }

  // From each link of the critical path down to the next one.
  void draw_links() {
    const auto& path = analysis_.critical_path();
    for (std::size_t n = 0; n + 1 < path.size(); ++n) {
      const auto from = std::ranges::find(rows_, path[n].step),
                 to = std::ranges::find(rows_, path[n + 1].step);
      if (from == rows_.end() || to == rows_.end()) continue;
      const double y1 = y(static_cast<std::size_t>(from - rows_.begin())) + row_height / 2;
      const double y2 = y(static_cast<std::size_t>(to - rows_.begin())) + row_height / 2;
      const double half = y2 > y1 ? bar_height / 2 : -bar_height / 2;
      const std::string at = number(x(steps()[path[n].step].begin + path[n].took));
      out_ +=
          "<path class=\"link\" d=\"M" + at + " " + number(y1 + half) + "V" + number(y2 - half) + "\"/>\n";
    }
  }

  [[nodiscard]] std::string told(std::size_t i) const {
    const Step& step = steps()[i];
    std::string text =
        step.name + ": begins at " + span_text(step.begin) + ", takes " + span_text(step.end - step.begin);
    if (step.begin > step.wanted) text += ", after " + span_text(step.begin - step.wanted) + " of waiting";
    if (analysis_.is_critical(i)) return text + ", critical";
    return text + ", slack " + span_text(analysis_.slack(i));
  }

  const Analysis& analysis_;
  const GanttText& text_;
  std::vector<std::size_t> rows_;
  double left_ = 0;
  std::string out_;
};

}  // namespace

std::string_view gantt_style() { return style; }

std::string gantt(const Analysis& analysis, const GanttText& text) { return Drawing(analysis, text).draw(); }

std::string span_text(Duration span) {
  const double seconds = std::chrono::duration<double>(span).count();
  const double size = std::abs(seconds);
  const long long whole = std::llround(size);
  const char* const sign = span < Duration{0} ? "-" : "";
  char text[48];
  if (size < 0.00995 && span != Duration{0})
    std::snprintf(text, sizeof text, "%s%.1f ms", sign, size * 1000);
  else if (size < 0.9995)
    std::snprintf(text, sizeof text, "%s%.0f ms", sign, size * 1000);
  else if (size < 59.995)
    std::snprintf(text, sizeof text, "%s%.2f s", sign, size);
  else if (whole < 3600)
    std::snprintf(text, sizeof text, "%s%lld min %lld s", sign, whole / 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%s%lld h %lld min", sign, whole / 3600, whole / 60 % 60);
  return text;
}

}  // namespace belfry::analyze
