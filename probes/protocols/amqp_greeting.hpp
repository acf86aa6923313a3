// The greeting of AMQP 0-9-1: a client names the protocol, a broker that takes clients begins a connection
// (https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, 2.2.4 and 4.2).
#pragma once

#include "probes/protocols/dialogue.hpp"

namespace belfry::probes {

// Ready is who answers with a whole Connection.Start. Nobody logs in: a broker opens its listeners when all
// else is up, and says nothing before.
class AmqpGreeting final : public Dialogue {
 public:
  Result<Step> begin(std::string& say) override;
  Result<Step> hear(std::string_view bytes, std::string& say) override;
  Result<Step> ended() override;

 private:
  std::string unread_;
};

}  // namespace belfry::probes
