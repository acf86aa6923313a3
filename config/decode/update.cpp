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

void read_wait(Decoder& decoder, const Entry& entry, Update& out) {
  using Known = std::pair<std::string_view, Condition>;
  static constexpr std::array<Known, 2> known{{{"ready", Condition::ready}, {"started", Condition::started}}};
  if (auto value = decoder.choice<Condition>(*entry.value, known)) out.wait = *value;
}

void read_on_failure(Decoder& decoder, const Entry& entry, Update& out) {
  using OnFailure = Update::OnFailure;
  static constexpr std::array<std::string_view, 2> names{"stop", "roll_back"};
  if (auto value = decoder.choice<OnFailure>(*entry.value, names)) out.on_failure = *value;
}

constexpr std::array<Field<Update>, 5> update_table{{
    {in_place({"parallel", "integer", "1",
               "Of replicas: how many are replaced at once, by `restart --rolling` and by a reload. With "
               "`update` a "
               "reload replaces them one after the other, and stops nobody who depends on them.",
               "2", fits_all, "1", "10000"}),
     [](Decoder& d, const Entry& e, Update& out) {
       if (auto count = d.integer(*e.value, 1, most_hosts)) out.parallel = static_cast<std::uint32_t>(*count);
     }},
    {in_place({"wait", "update_wait", "ready", "Of replicas: what each has to be before the next goes.",
               "started"}),
     read_wait},
    {in_place(
         {"on_failure", "update_on_failure", "stop",
          "Of replicas, when one of them does not come up after a reload: `stop` leaves the others as they "
          "were; `roll_back` puts those that were replaced back to what they were as well.",
          "roll_back"}),
     read_on_failure},
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
