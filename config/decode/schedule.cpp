// `schedule` of a oneshot: when it runs by itself.

#include <array>

#include "calendar/cron.hpp"
#include "config/decode/decode.hpp"
#include "config/model/enum_names.hpp"

namespace belfry::config {
namespace {

void read_every(Decoder& decoder, const Entry& entry, Schedule& out) {
  constexpr Duration least = std::chrono::milliseconds(1);
  const auto every = decoder.duration(*entry.value);
  if (!every) return;
  if (*every < least)
    return decoder.error("bad-value", *entry.value,
                         "a oneshot that runs every " + to_string(*every) + " would never rest",
                         "write a time such as 10m");
  out.every = *every;
}

void read_cron(Decoder& decoder, const Entry& entry, Schedule& out) {
  auto line = decoder.needed_text(*entry.value, "write five fields, such as \"0 3 * * *\"");
  if (!line) return;
  const auto cron = calendar::parse_cron(*line);
  if (!cron)
    return decoder.error_inside("bad-value", *entry.value, cron.error().at, cron.error().length,
                                cron.error().message, cron.error().help);
  if (calendar::never_comes(*cron))
    return decoder.error("never-comes", *entry.value,
                         "this line never comes: no month that it names has such a day",
                         "write a day that there is, such as 28 for the end of February");
  out.cron = std::move(*line);
}

constexpr std::array<Field<Schedule>, 6> schedule_table{{
    {{"every", "duration", "this or `cron`",
      "How long after the start of one run the next one starts. Counted by a clock that nobody sets, and "
      "that "
      "stands still while the machine sleeps.",
      "10m"},
     read_every},
    {{"cron", "cron", "this or `every`",
      "A line of cron: minute, hour, day of the month, month and weekday; or `@hourly`, `@daily`, `@weekly`, "
      "`@monthly`, `@yearly`.",
      "\"0 3 * * *\""},
     read_cron},
    {{"time_zone", "text", "local",
      "Whose clocks `cron` goes by: a name of tzdata, `UTC`, or `local` for the machine's own ($TZ, "
      "/etc/localtime).",
      "Europe/Zurich"},
     [](Decoder& d, const Entry& e, Schedule& out) {
       if (auto name = d.needed_text(*e.value, "write a zone such as Europe/Zurich, UTC or local"))
         out.time_zone = std::move(*name);
     }},
    {{"jitter", "duration", "0s",
      "Each run starts so much later at most, by chance, so that many machines do not all start at once.",
      "30s"},
     [](Decoder& d, const Entry& e, Schedule& out) {
       out.jitter = d.duration(*e.value).value_or(Duration(0));
     }},
    {{"overlap", "overlap", "skip",
      "When a run is due before the last one has ended: `skip` it, `queue` it (one at most), or `kill` the "
      "last one.",
      "queue"},
     [](Decoder& d, const Entry& e, Schedule& out) {
       out.overlap = d.choice<Overlap>(*e.value, overlap_names()).value_or(Overlap::skip);
     }},
    {{"at_start", "boolean", "false", "It also runs once when the stack starts.", "true"},
     [](Decoder& d, const Entry& e, Schedule& out) { out.at_start = d.boolean(*e.value).value_or(false); }},
}};

void check_jitter(Decoder& decoder, const Node& node, const Schedule& schedule) {
  if (schedule.every == Duration(0) || schedule.jitter < schedule.every) return;
  decoder.error("bad-value", *node.find("jitter"),
                "a jitter of " + to_string(schedule.jitter) + " reaches beyond the next run, which is due " +
                    to_string(schedule.every) + " later",
                "make it shorter than `every`");
}

}  // namespace

Fields<Schedule> schedule_fields() { return schedule_table; }

void decode_schedule(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  Schedule schedule;
  const std::size_t errors = decoder.diagnostics().errors();
  if (!decoder.mapping(node, "`schedule`", schedule_fields(), schedule)) return;
  const Node* const every = node.find("every");
  const Node* const cron = node.find("cron");
  const Node* const zone = node.find("time_zone");
  if (every != nullptr && cron != nullptr)
    decoder.error("contradiction", *cron, "`every` and `cron` both say when it runs", "remove one of them");
  else if (every == nullptr && cron == nullptr && decoder.diagnostics().errors() == errors)
    decoder.error("missing-key", node, "`schedule` does not say when",
                  "add `every: 10m`, or `cron: \"0 3 * * *\"`");
  else if (zone != nullptr && cron == nullptr)
    decoder.error("unfit-key", *zone, "`time_zone` belongs to `cron`: `every` goes by no clock on a wall",
                  "remove it");
  check_jitter(decoder, node, schedule);
  extras_of(draft.service).schedule = std::move(schedule);
}

}  // namespace belfry::config
