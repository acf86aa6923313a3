// What a `tcp` probe says, and what must come back.
#pragma once

#include <optional>
#include <string>

#include "config/model/pattern.hpp"
#include "probes/protocols/dialogue.hpp"

namespace belfry::probes {

// Bounded: the first 16 KiB of what is answered are looked at, and with each piece all of it so far.
class TcpExchange final : public Dialogue {
 public:
  static constexpr std::size_t most_kept = 16 << 10;

  // Without `expected` it is enough that `said` could be sent.
  TcpExchange(std::string said, std::optional<config::Pattern> expected)
      : said_(std::move(said)), expected_(std::move(expected)) {}
  Result<Step> begin(std::string& say) override;
  Result<Step> hear(std::string_view bytes, std::string& say) override;
  Result<Step> ended() override;

 private:
  [[nodiscard]] std::string shown() const;

  std::string said_;
  std::optional<config::Pattern> expected_;
  std::string heard_;
};

}  // namespace belfry::probes
