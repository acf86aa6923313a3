// `outputs`: what a service publishes beside its probes and messages.
#include <array>

#include "config/decode/decode.hpp"
#include "config/keys/quote.hpp"
#include "config/model/output_reference.hpp"

namespace belfry::config {
namespace {

void read_secret(Decoder& decoder, const Entry& entry, Outputs& out) {
  for (std::string& key : decoder.texts(*entry.value)) {
    if (!is_output_key(key))
      decoder.error(
          "bad-name", *entry.value, quote(key) + " cannot be the key of an output",
          "a key has letters, digits and `_`, does not begin with a digit, and is no longer than 64");
    else
      out.secret.push_back(std::move(key));
  }
}

constexpr std::array<Field<Outputs>, 2> outputs_table{{
    {{"file", "path", "none",
      "A file of KEY=VALUE lines, read each time a bell of the service rings: its `ready`, a bell of its "
      "own, of a oneshot without probes its success. What an earlier run has left there is not believed.",
      "run/outputs"},
     [](Decoder& d, const Entry& e, Outputs& out) { out.file = d.needed_text(*e.value).value_or(""); }},
    {{"secret", "texts", "none",
      "Keys whose values are shown to nobody, wherever they come from: `***` in status, `/v1` and messages.",
      "[PASSWORD]"},
     read_secret},
}};

}  // namespace

Fields<Outputs> outputs_fields() { return outputs_table; }

void decode_outputs(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  decoder.mapping(node, "`outputs`", outputs_fields(), extras_of(draft.service).outputs);
}

}  // namespace belfry::config
