// A YAML text as a tree of plain nodes that remember where they were written.
//
// The tree is built from yaml-cpp's events and not from its nodes, because its nodes keep duplicate
// keys, accept cycles and lose the places of aliases. Here duplicate keys, second documents,
// unclosed quotes, unknown tags, bad text and bombs are errors, anchors and merge keys (`<<`) are
// resolved, and no exception leaves.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>

#include "config/document/diagnostic.hpp"

namespace belfry::config {

struct Node;

struct Entry {
  const Node* key = nullptr;
  const Node* value = nullptr;
};

// One value. Immutable once built; shared by every alias and every merge that names it.
struct Node {
  // `unresolved`: an alias that names nothing. That is reported where it stands, and nothing else about it.
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping, unresolved };

  Kind kind = Kind::null;
  bool quoted = false;  // a scalar in quotes or a block: never null, never a number by accident
  std::uint16_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;  // bytes, from 1
  std::uint32_t size = 0;    // bytes of a scalar, items of a sequence, entries of a mapping
  // Nodes below it, counting a shared one as often as it is used, and a long text as several.
  std::uint64_t cost = 1;
  const void* data = nullptr;

  [[nodiscard]] std::string_view text() const {
    return kind == Kind::scalar ? std::string_view(static_cast<const char*>(data), size) : std::string_view();
  }
  [[nodiscard]] std::span<const Node* const> items() const {
    if (kind != Kind::sequence) return {};
    return {static_cast<const Node* const*>(data), size};
  }
  [[nodiscard]] std::span<const Entry> entries() const {
    if (kind != Kind::mapping) return {};
    return {static_cast<const Entry*>(data), size};
  }
  // The value under `key`, or null.
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Place place() const { return {file, line, column}; }
  // The token, its length to be found in the source text when it is printed.
  [[nodiscard]] Span span() const { return Span(place()); }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_mapping() const { return kind == Kind::mapping; }
  [[nodiscard]] bool is_sequence() const { return kind == Kind::sequence; }
  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_unresolved() const { return kind == Kind::unresolved; }
};

// Of a scalar: texts are copied when they are read.
[[nodiscard]] constexpr std::uint64_t cost_of(std::string_view text) { return 1 + text.size() / 64; }

// What a text may cost before it is refused.
struct DocumentLimits {
  std::size_t bytes = 32U << 20U;
  std::size_t nodes = 4'000'000;
  std::uint32_t depth = 64;
  // Brackets, commas and colons in one value: 50 000 services in JSON, 300 MiB and a second or two at worst.
  std::size_t marks_in_a_value = 1'000'000;
  // Aliases and merges may multiply the tree by `growth`, beyond a free allowance.
  std::uint64_t free_growth = 1'000'000;
  std::uint64_t growth = 4;
  // So may what is put together from trees (defaults, `extends`, several files) and read from them again
  // (replicas): 10 000 services of 400 values, however short they are written.
  std::uint64_t free_derived = 4'000'000;
  // Files of other tools: a tag is warned of and ignored (compose has `!reset` and `!override`).
  bool foreign_tags = false;
};

// Owns the nodes of one or more texts; nodes live as long as it does.
class Document {
 public:
  explicit Document(DocumentLimits limits = {}) : limits_(limits) {}

  // The root of `sources()[file]`; null for an empty text, and null when the rest of the text cannot be
  // understood. Mistakes are added to `diagnostics`; keys that are there twice keep both entries.
  const Node* parse(Diagnostics& diagnostics, std::uint32_t file);

  // For trees that are put together from others (merged files, defaults, extends).
  const Node* make_mapping(Place place, std::span<const Entry> entries);
  const Node* make_scalar(Place place, std::string_view text, bool quoted = true);

  // `values` more were made from, or will be read besides, what was written.
  void derive(std::uint64_t values) { derived_ += values; }
  // Whether that is more than the limits allow; trees are no longer merged then.
  [[nodiscard]] bool overgrown() const { return derived_ > limits_.free_derived + limits_.growth * written_; }

  [[nodiscard]] const DocumentLimits& limits() const { return limits_; }
  [[nodiscard]] std::pmr::memory_resource& memory() { return arena_; }

 private:
  DocumentLimits limits_;
  std::uint64_t written_ = 0;
  std::uint64_t derived_ = 0;
  std::pmr::monotonic_buffer_resource arena_;
};

[[nodiscard]] std::string_view kind_name(const Node& node);  // "a mapping", "a list", "text", "nothing"

}  // namespace belfry::config
