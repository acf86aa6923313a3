// `update` of a service: how it is replaced by a newer one of itself.
#include <array>
#include <set>

#include "config/decode/decode.hpp"
#include "config/keys/quote.hpp"
#include "config/model/name.hpp"

namespace belfry::config {
namespace {

constexpr std::int64_t most_hosts = 10'000;

void read_hosts(Decoder& decoder, const Entry& entry, Update& out) {
  out.hosts = decoder.texts(*entry.value);
  std::set<std::string_view> seen;
  for (const std::string& host : out.hosts) {
    if (!is_name(host))
      decoder.error("bad-name", *entry.value, quote(host) + " cannot be the name of a host",
                    "use up to 128 letters, digits, `_`, `-` and `.`");
    else if (!seen.insert(host).second)
      decoder.error("bad-value", *entry.value, quote(host) + " stands twice among `hosts`: it counts once",
                    "remove one of them");
  }
}

constexpr std::array<Field<Update>, 2> update_table{{
    {in_place(
         {"max_unavailable", "integer", "nobody counts",
          "Of the hosts that publish it, how many may be without it at once: a restart and a reload wait "
          "for "
          "their turn before they take it down here. A stop, a shutdown and a failure wait for nobody.",
          "1", fits_all, "1", "10000"}),
     [](Decoder& d, const Entry& e, Update& out) {
       if (auto count = d.integer(*e.value, 1, most_hosts))
         out.max_unavailable = static_cast<std::uint32_t>(*count);
     }},
    {in_place({"hosts", "texts", "whoever has published it or says why not",
               "The hosts that should have it, by their `cluster: {host: …}`: one that says nothing at all "
               "counts as "
               "being without it.",
               "[a, b, c]"}),
     read_hosts},
}};

}  // namespace

Fields<Update> update_fields() { return update_table; }

void decode_update(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  Update update;
  if (!decoder.mapping(node, "`update`", update_fields(), update)) return;
  if (!update.hosts.empty() && update.max_unavailable == 0)
    decoder.error("missing-key", node, "`hosts` counts for nothing without `max_unavailable`",
                  "add max_unavailable: 1");
  else if (!update.hosts.empty() && update.max_unavailable > update.hosts.size())
    decoder.error("bad-value", *node.find("max_unavailable"),
                  "`max_unavailable` is more than all " + std::to_string(update.hosts.size()) +
                      " hosts: nobody would ever wait",
                  "make it 1");
  extras_of(draft.service).update = std::move(update);
}

}  // namespace belfry::config
