// What `postgres` and `mysql` share: servers that are asked one after the other, and how often.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "channels/loop.hpp"
#include "config/model/database_address.hpp"
#include "config/model/model.hpp"
#include "probes/dialogue_probe.hpp"
#include "probes/factory.hpp"
#include "probes/probe.hpp"

namespace belfry::probes {

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

// What the makers of both kinds share.
[[nodiscard]] std::unique_ptr<Probe> asked_in_turn(Loop& loop, std::vector<std::unique_ptr<Probe>> servers,
                                                   const config::Probe& spec, const ProbeContext& about,
                                                   const config::DatabaseAddress& address);
[[nodiscard]] Target target_of(const config::DatabaseHost& host);
// "127.0.0.1:5432", with the name that was written.
[[nodiscard]] std::string place_of(const config::DatabaseHost& host);
// How TLS is spoken with the host: what `tls:` says, else what the address says.
[[nodiscard]] config::TlsOptions tls_options_for(const config::Probe& spec,
                                                 const config::DatabaseAddress& address,
                                                 const config::DatabaseHost& host);
enum class TlsWish : std::uint8_t { none, preferred, required };
[[nodiscard]] TlsWish tls_wish(const config::Probe& spec, const config::DatabaseAddress& address);

}  // namespace belfry::probes
