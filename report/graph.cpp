#include "report/graph.hpp"

#include <algorithm>
#include <map>

#include "report/layout.hpp"
#include "report/svg.hpp"
#include "text/live.hpp"
#include "text/markup.hpp"
#include "text/paint.hpp"
#include "text/width.hpp"

namespace belfry::report {

namespace {

constexpr double row = 36, box = 26, between = 60, margin = 10;
constexpr std::size_t longest_name = 26;  // columns
constexpr std::size_t longest_told = 64;
constexpr double widest_page = 1100;

struct Line {
  std::size_t service = 0, edge = 0;
};

class Drawing {
 public:
  explicit Drawing(const Run& run) : services_(run.services) {
    std::map<std::string_view, std::size_t> numbers;
    for (std::size_t i = 0; i < services_.size(); ++i) numbers[services_[i].name] = i;
    std::vector<std::size_t> place(services_.size(), nowhere);
    const auto placed = [&](std::size_t i) {
      if (place[i] == nowhere) {
        place[i] = drawn_.size();
        drawn_.push_back(i);
      }
      return place[i];
    };
    for (std::size_t i = 0; i < services_.size(); ++i) {
      for (std::size_t edge = 0; edge < services_[i].edges.size(); ++edge) {
        const auto on = numbers.find(services_[i].edges[edge].on);
        if (on == numbers.end() || on->second == i) continue;
        arcs_.push_back({.from = placed(on->second), .to = placed(i)});
        lines_.push_back({.service = i, .edge = edge});
      }
    }
    for (std::size_t i = 0; i < services_.size(); ++i) {
      if (place[i] == nowhere) alone_.push_back(i);
    }
  }

  std::string draw() {
    if (services_.empty() || services_.size() > most_drawn_services || arcs_.size() > most_drawn_edges)
      return {};
    layout_ = lay_out(drawn_.size(), arcs_, row);
    measure();
    for (std::size_t i = 0; i < arcs_.size(); ++i) draw_arc(i);
    for (std::size_t i = 0; i < drawn_.size(); ++i) {
      const Spot& at = layout_.nodes[i];
      draw_box(drawn_[i], left_[at.layer], at.y + margin, wide_[at.layer]);
    }
    draw_alone();
    return svg_open(width_, height_, "who waits for whom") +
           R"(<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>)" +
           "\n" + out_ + "</svg>\n";
  }

 private:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  [[nodiscard]] double wide(std::size_t service) const {
    return 36 +
           static_cast<double>(text::display_width(text::cut(services_[service].name, longest_name))) * 7.4;
  }

  void measure() {
    wide_.assign(layout_.layers, 0);
    for (std::size_t i = 0; i < drawn_.size(); ++i) {
      double& widest = wide_[layout_.nodes[i].layer];
      widest = std::max(widest, wide(drawn_[i]));
    }
    double x = margin;
    for (const double one : wide_) {
      left_.push_back(x);
      x += one + between;
    }
    width_ = wide_.empty() ? 0 : x - between + margin;
    height_ = layout_.height + 2 * margin;
  }

  // Those that neither wait nor are waited for, in rows below the others.
  void draw_alone() {
    if (alone_.empty()) return;
    double widest = 0;
    for (const std::size_t i : alone_) widest = std::max(widest, wide(i));
    const double room = std::max(width_, widest_page);
    double x = margin, y = height_ + row / 2;
    for (const std::size_t i : alone_) {
      if (x > margin && x + widest + margin > room) {
        x = margin;
        y += row;
      }
      draw_box(i, x, y, widest);
      x += widest + margin;
      width_ = std::max(width_, x);
    }
    height_ = y + row / 2 + margin;
  }

  void draw_box(std::size_t i, double x, double y, double width) {
    const Service& service = services_[i];
    const std::string link = std::to_string(i);
    out_ += "<a href=\"#s" + link + "\" class=\"node " + std::string(kind_of(service.state)) + "\"><title>" +
            text::markup(text::cut(service.name, longest_told) + ": " + service.state + " (" + service.type +
                         ")") +
            "</title><rect x=\"" + decimal(x) + "\" y=\"" + decimal(y - box / 2) + "\" width=\"" +
            decimal(width) + "\" height=\"" + decimal(box) + "\" rx=\"5\"/><text class=\"sign\" x=\"" +
            decimal(x + 9) + "\" y=\"" + decimal(y + 4.5) + "\">" +
            std::string(text::look_of(service.state).sign) + "</text><text x=\"" + decimal(x + 26) +
            "\" y=\"" + decimal(y + 4.5) + "\">" + text::markup(text::cut(service.name, longest_name)) +
            "</text></a>\n";
  }

  void draw_arc(std::size_t i) {
    const Arc& arc = arcs_[i];
    const Service& service = services_[lines_[i].service];
    const Edge& edge = service.edges[lines_[i].edge];
    const Spot& from = layout_.nodes[arc.from];
    const Spot& to = layout_.nodes[arc.to];
    double x = left_[from.layer] + wide_[from.layer], y = from.y + margin;
    std::string way = "M" + decimal(x) + " " + decimal(y);
    const auto curve = [&](const Spot& next) {
      const double next_x = left_[next.layer], next_y = next.y + margin, middle = (x + next_x) / 2;
      way += "C" + decimal(middle) + " " + decimal(y) + " " + decimal(middle) + " " + decimal(next_y) + " " +
             decimal(next_x) + " " + decimal(next_y);
      x = next_x + wide_[next.layer];
      y = next_y;
    };
    for (const Spot& bend : layout_.bends[i]) {
      curve(bend);
      way += "H" + decimal(x);
    }
    curve(to);
    out_ += std::string("<path class=\"") + (edge.required ? "arc" : "arc maybe") +
            "\" marker-end=\"url(#tip)\" d=\"" + way + "\"><title>" +
            text::markup(text::cut(service.name, longest_told) + " waits for " +
                         text::cut(edge.on, longest_told) + " " + text::cut(edge.condition, longest_told) +
                         (edge.required ? "" : " (optional)")) +
            "</title></path>\n";
  }

  const std::vector<Service>& services_;
  std::vector<std::size_t> drawn_, alone_;
  std::vector<Arc> arcs_;
  std::vector<Line> lines_;  // parallel to the arcs
  Layout layout_;
  std::vector<double> wide_, left_;  // of the layers
  double width_ = 0, height_ = 0;
  std::string out_;
};

}  // namespace

std::string_view kind_of(std::string_view state) {
  if (state == "ready" || state == "completed") return "good";
  switch (text::look_of(state).colour) {
    case text::Colour::red: return "bad";
    case text::Colour::yellow: return "open";
    default: return "off";
  }
}

std::string draw_graph(const Run& run) { return Drawing(run).draw(); }

}  // namespace belfry::report
