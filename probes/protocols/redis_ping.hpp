// PING to a Redis server, behind a password and a choice of database where they are given (RESP,
// https://redis.io/docs/reference/protocol-spec).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "probes/protocols/dialogue.hpp"
#include "probes/protocols/server_words.hpp"

namespace belfry::probes {

struct RedisLogin {
  std::string user = {}, password = {};  // a user without a password, and the other way round, is possible
  std::uint32_t database = 0;
};

// Ready is who answers PONG as the user that is given. All is said in one piece, so that a check costs one
// trip; what is said to each is told apart by its order.
class RedisPing final : public Dialogue {
 public:
  explicit RedisPing(RedisLogin login);
  Result<Step> begin(std::string& say) override;
  Result<Step> hear(std::string_view bytes, std::string& say) override;
  Result<Step> ended() override;

 private:
  enum class Asked : std::uint8_t { auth, select, ping };
  [[nodiscard]] Result<Step> judge(Asked asked, std::string_view reply) const;
  [[nodiscard]] Error refusal(Asked asked, std::string_view words) const;

  RedisLogin login_;
  std::string request_;
  std::vector<Asked> asked_;
  std::size_t answered_ = 0;
  Lines lines_;
};

}  // namespace belfry::probes
