// `json` of an `http` probe.
#include <array>

#include "config/decode/decode.hpp"

namespace belfry::config {
namespace {

// RFC 6901, 3: empty, or each token behind a `/`, with `~` only as `~0` and `~1`.
bool is_json_pointer(std::string_view text) {
  if (!text.empty() && text.front() != '/') return false;
  for (std::size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1))
    if (at + 1 == text.size() || (text[at + 1] != '0' && text[at + 1] != '1')) return false;
  return true;
}

void read_pointer(Decoder& decoder, const Entry& entry, JsonExpectation& out) {
  auto value = decoder.free_text(*entry.value);
  if (!value) return;
  if (!is_json_pointer(*value))
    return decoder.error(
        "bad-value", *entry.value, "`" + *value + "` is not a JSON pointer",
        "write /status, or /checks/0/state for what stands deeper; `~` is ~0, `/` in a name ~1");
  out.pointer = std::move(*value);
}

constexpr std::array<Field<JsonExpectation>, 2> json_table{{
    {{"pointer", "json_pointer", "the whole answer", "Where to look: a JSON pointer (RFC 6901).", "/status"},
     read_pointer},
    {{"equals", "text", "anything there",
      "What must stand there: a text, a number, `true`, `false` or `null`.", "ok"},
     [](Decoder& d, const Entry& e, JsonExpectation& out) { out.equals = d.free_text(*e.value); }},
}};

}  // namespace

Fields<JsonExpectation> json_fields() { return json_table; }

}  // namespace belfry::config
