#include "config/graph/render.hpp"

#include <algorithm>

#include "config/graph/graph.hpp"
#include "config/model/duration.hpp"
#include "config/model/enum_names.hpp"
#include "text/escape.hpp"

namespace belfry::config {
namespace {

std::string condition_of(const Dependency& edge) {
  std::string text =
      edge.condition == Condition::own_bell ? *edge.bell : std::string(name_of(edge.condition));
  if (edge.require && edge.require->count > 0) text += " of " + std::to_string(edge.require->count);
  return text;
}

std::string type_of(const Service& service) {
  std::string text(name_of(service.type));
  if (service.type == ServiceType::gate && service.require.count > 0)
    text += ", " + std::to_string(service.require.count) + " of " + std::to_string(service.depends_on.size());
  if (!service.enabled) text += ", disabled";
  return text;
}

Path longest(const Stack& stack, const ServiceTime& time) {
  return critical_path(stack, [&](const Service& service) {
    return time ? time(service).value_or(Duration(0)) : Duration(std::chrono::seconds(1));
  });
}

std::string with_time(const Service& service, const ServiceTime& time) {
  const std::optional<Duration> own = time ? time(service) : std::nullopt;
  return service.name + (own ? " " + to_string(*own) : "");
}

std::string waits_for(const Stack& stack, const Service& service) {
  std::string text;
  for (const Dependency& edge : service.depends_on)
    text += (text.empty() ? "" : ", ") + stack.services[edge.target].name + " " + condition_of(edge) +
            (edge.required ? "" : " (if it comes)");
  return text;
}

}  // namespace

std::string graph_text(const Stack& stack, const ServiceTime& time) {
  const std::vector<std::uint32_t> rank = ranks(stack);
  std::vector<Index> order(stack.services.size());
  std::size_t widest = 0;
  for (Index i = 0; i < order.size(); ++i) {
    order[i] = i;
    widest = std::max(widest, stack.services[i].name.size() + type_of(stack.services[i]).size() + 3);
  }
  std::ranges::sort(order, {}, [&](Index i) { return std::pair(rank[i], i); });
  std::string out;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Service& service = stack.services[order[i]];
    const bool first = i == 0 || rank[order[i]] != rank[order[i - 1]];
    std::string line = first ? std::to_string(rank[order[i]]) : "";
    line.resize(std::max<std::size_t>(5, line.size() + 1), ' ');
    const std::string what = service.name + " (" + type_of(service) + ")";
    out += line + what;
    if (const std::string after = waits_for(stack, service); !after.empty())
      out += std::string(widest - what.size() + 2, ' ') + "after " + after;
    out += '\n';
  }
  const Path path = longest(stack, time);
  out += "\nlongest chain: ";
  for (std::size_t i = 0; i < path.services.size(); ++i)
    out += (i == 0 ? "" : " → ") + with_time(stack.services[path.services[i]], time);
  return out + (time ? " (" + to_string(path.length) + ")" : "") + "\n";
}

std::string graph_dot(const Stack& stack) {
  std::string out = "digraph " + text::json_string(stack.name) +
                    " {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n";
  for (const Service& service : stack.services) {
    out += "  " + text::json_string(service.name) +
           " [label=" + text::json_string(service.name + "\n" + type_of(service));
    if (service.type == ServiceType::gate) out += ", shape=diamond";
    if (service.type == ServiceType::external) out += ", shape=ellipse";
    if (service.type == ServiceType::oneshot) out += ", style=rounded";
    out += service.enabled ? "];\n" : ", color=gray, fontcolor=gray];\n";
  }
  for (const Service& service : stack.services)
    for (const Dependency& edge : service.depends_on)
      out += "  " + text::json_string(stack.services[edge.target].name) + " -> " +
             text::json_string(service.name) + " [label=" + text::json_string(condition_of(edge)) +
             (edge.required ? "" : ", style=dashed") + "];\n";
  return out + "}\n";
}

std::string graph_mermaid(const Stack& stack) {
  // Node ids are numbers, because names may contain what mermaid takes for syntax (`end`, `-`).
  std::string out = "flowchart LR\n";
  for (Index i = 0; i < stack.services.size(); ++i) {
    const Service& service = stack.services[i];
    const bool gate = service.type == ServiceType::gate;
    const bool external = service.type == ServiceType::external;
    const std::string_view open = gate ? "{\"" : external ? "([\"" : "[\"";
    const std::string_view close = gate ? "\"}" : external ? "\"])" : "\"]";
    out.append("  s")
        .append(std::to_string(i))
        .append(open)
        .append(service.name)
        .append("<br/>")
        .append(type_of(service))
        .append(close)
        .append("\n");
  }
  for (Index i = 0; i < stack.services.size(); ++i)
    for (const Dependency& edge : stack.services[i].depends_on)
      out += "  s" + std::to_string(edge.target) + (edge.required ? " -->|" : " -.->|") + condition_of(edge) +
             "| s" + std::to_string(i) + "\n";
  return out;
}

namespace {

// As it is written in the file: `"all"`, `"any"` or a number.
std::string quorum_json(const Quorum& quorum) {
  if (quorum.count > 1) return std::to_string(quorum.count);
  return quorum.count == 0 ? "\"all\"" : "\"any\"";
}

std::string seconds_json(Duration time) {
  return std::to_string(std::chrono::duration<double>(time).count());
}

}  // namespace

std::string graph_json(const Stack& stack, const ServiceTime& time) {
  const std::vector<std::uint32_t> rank = ranks(stack);
  std::string out = "{\"name\": " + text::json_string(stack.name) + ", \"services\": [";
  for (Index i = 0; i < stack.services.size(); ++i) {
    const Service& service = stack.services[i];
    out += (i == 0 ? "\n" : ",\n");
    out += "  {\"name\": " + text::json_string(service.name) +
           ", \"type\": " + text::json_string(name_of(service.type)) +
           ", \"enabled\": " + (service.enabled ? "true" : "false") +
           (service.type == ServiceType::gate ? ", \"require\": " + quorum_json(service.require) : "") +
           ", \"rank\": " + std::to_string(rank[i]) + ", \"depends_on\": [";
    for (std::size_t e = 0; e < service.depends_on.size(); ++e) {
      const Dependency& edge = service.depends_on[e];
      out += (e == 0 ? "" : ", ");
      out += "{\"service\": " + text::json_string(stack.services[edge.target].name) + ", \"condition\": " +
             text::json_string(edge.condition == Condition::own_bell ? *edge.bell
                                                                     : std::string(name_of(edge.condition))) +
             ", \"required\": " + (edge.required ? "true" : "false") +
             ", \"on_loss\": " + text::json_string(name_of(edge.on_loss)) +
             (edge.require ? ", \"require\": " + quorum_json(*edge.require) : "") +
             ", \"timeout_seconds\": " + (edge.timeout ? seconds_json(*edge.timeout) : "null") + "}";
    }
    out += "]}";
  }
  const Path path = longest(stack, time);
  out += "\n], \"critical_path\": {\"services\": [";
  for (std::size_t i = 0; i < path.services.size(); ++i)
    out += (i == 0 ? "" : ", ") + text::json_string(stack.services[path.services[i]].name);
  out += "], \"seconds\": " + (time ? seconds_json(path.length) : "null") + "}}\n";
  return out;
}

}  // namespace belfry::config
