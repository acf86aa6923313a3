#include "config/document/document.hpp"

#include <algorithm>
#include <new>

#include "config/document/document_builder.hpp"

namespace belfry::config {

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries())
    if (entry.key->text() == key) return entry.value;
  return nullptr;
}

std::string_view kind_name(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::scalar: return "text";
    case Node::Kind::sequence: return "a list";
    case Node::Kind::mapping: return "a mapping";
    case Node::Kind::unresolved: break;
  }
  return "nothing";
}

const Node* Document::parse(Diagnostics& diagnostics, std::uint32_t file) {
  const Source& source = diagnostics.sources()[file];
  if (source.text().size() > limits_.bytes) {
    diagnostics.error("too-large", {file, 0, 0},
                      "the file has " + std::to_string(source.text().size()) + " bytes, more than the " +
                          std::to_string(limits_.bytes) + " that are read",
                      "split it into several files and pass each with -c");
    return nullptr;
  }
  if (const auto fault = find_text_fault(source.text())) {
    const std::string_view before = source.text().substr(0, fault->offset);
    const auto line = static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1);
    const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is the start of the text
    diagnostics.error("bad-text", {file, line, static_cast<std::uint32_t>(fault->offset - start + 1)},
                      fault->message, fault->help);
    return nullptr;
  }
  DocumentBuilder builder(*this, diagnostics, file);
  const Node* const root = builder.run();
  written_ += builder.nodes();
  return root;
}

const Node* Document::make_mapping(Place place, std::span<const Entry> entries) {
  auto* const kept = static_cast<Entry*>(
      arena_.allocate(std::max<std::size_t>(1, entries.size()) * sizeof(Entry), alignof(Entry)));
  std::ranges::copy(entries, kept);
  Node* const node = new (arena_.allocate(sizeof(Node), alignof(Node))) Node();
  node->kind = Node::Kind::mapping;
  node->file = static_cast<std::uint16_t>(place.file);
  node->line = place.line;
  node->column = place.column;
  node->size = static_cast<std::uint32_t>(entries.size());
  for (const Entry& entry : entries) node->cost += entry.key->cost + entry.value->cost;
  node->data = kept;
  derive(entries.size());
  return node;
}

const Node* Document::make_scalar(Place place, std::string_view text, bool quoted) {
  auto* const kept = static_cast<char*>(arena_.allocate(text.size() + 1, 1));
  std::ranges::copy(text, kept);
  Node* const node = new (arena_.allocate(sizeof(Node), alignof(Node))) Node();
  node->kind = Node::Kind::scalar;
  node->quoted = quoted;
  node->file = static_cast<std::uint16_t>(place.file);
  node->line = place.line;
  node->column = place.column;
  node->size = static_cast<std::uint32_t>(text.size());
  node->cost = cost_of(text);
  node->data = kept;
  return node;
}

}  // namespace belfry::config
