// Asking memcached for its version, which it tells once it takes commands (protocol.txt of memcached).
#pragma once

#include "probes/protocols/dialogue.hpp"
#include "probes/protocols/server_words.hpp"

namespace belfry::probes {

class MemcachedVersion final : public Dialogue {
 public:
  Result<Step> begin(std::string& say) override;
  Result<Step> hear(std::string_view bytes, std::string& say) override;
  Result<Step> ended() override;
  [[nodiscard]] std::string_view farewell() const override { return "quit\r\n"; }

 private:
  Lines lines_;
};

}  // namespace belfry::probes
