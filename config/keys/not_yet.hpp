// Keys that were written and that no version does anything with yet (Key::since), and the words that refuse
// them. Used in silence, such a key would be a promise that nobody keeps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/document/diagnostic.hpp"
#include "config/keys/key.hpp"

namespace belfry::config {

struct NotYet {
  static constexpr std::uint32_t nowhere = 0xFFFFFFFF;
  Span where;
  const Key* key = nullptr;         // of a table that lives as long as the program
  std::string_view owner;           // the mapping it stands in, as messages call it; a literal
  std::uint32_t service = nowhere;  // into Stack::services; nowhere: it stands outside of them
};

// "cannot use `control.token_file`: this version does not support it yet"; and what to do about it.
[[nodiscard]] std::string refusal_of(const NotYet& use);
[[nodiscard]] std::string help_of(const NotYet& use);

}  // namespace belfry::config
