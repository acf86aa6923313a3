// What `postgres` and `mysql` share: servers that are asked one after the other, without a password or with a
// query, and how often.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "channels/loop.hpp"
#include "config/model/database_address.hpp"
#include "config/model/model.hpp"
#include "probes/kinds.hpp"
#include "probes/probe.hpp"
#include "probes/protocols/session_terms.hpp"
#include "probes/query_probe.hpp"

namespace belfry::probes {

// What makes the one differ from the other.
struct DatabaseKind {
  std::string_view name;  // of messages: "PostgreSQL"
  std::expected<config::DatabaseAddress, config::Malformed> (*parse)(std::string_view target);
  std::unique_ptr<Dialogue> (*session)(const config::DatabaseAddress& address, TlsWish tls);
  ClientMaker client;  // for `query:`
};

Made make_database(const DatabaseKind& kind, NetMeans means, const config::Probe& spec,
                   const ProbeContext& about);

// True when one of the servers is ready; else what is wrong with the last.
// Owner: the incarnation it asks about. Lifecycle and Cancellation: as every Probe.
class DatabaseProbe final : public Probe {
 public:
  struct Terms {
    Duration each{0};         // how long one server may take; 0: as long as the whole check
    TimePoint began = {};     // the run
    bool has_period = false;  // the file says how often it is asked
  };
  DatabaseProbe(Loop& loop, std::vector<std::unique_ptr<Probe>> servers, Terms terms)
      : loop_(loop), servers_(std::move(servers)), terms_(terms) {}

  Task<CheckResult> check(Context& ctx) override;
  // Twice as often as others: who is asked answers in some milliseconds, not at once, and both together must
  // not be more than a fiftieth of the start.
  [[nodiscard]] std::optional<Duration> next_look(std::uint32_t) const override;

 private:
  Loop& loop_;
  std::vector<std::unique_ptr<Probe>> servers_;
  Terms terms_;
};

}  // namespace belfry::probes
