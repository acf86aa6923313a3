// A service as those below know it: what the file says of it, its number, and whom to tell.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/model/model.hpp"
#include "daemon/service/service_events.hpp"

namespace belfry::daemon {

// A name tag: copied freely, valid as long as the service.
class ServiceRef {
 public:
  ServiceRef(const config::Service& spec, std::uint32_t index, ServiceEvents& events)
      : spec_(&spec), events_(&events), index_(index) {}
  [[nodiscard]] const config::Service& spec() const { return *spec_; }
  [[nodiscard]] std::string_view name() const { return spec_->name; }
  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] ServiceEvents& events() const { return *events_; }
  [[nodiscard]] RunFacts facts() const { return events_->facts(); }

 private:
  const config::Service* spec_;
  ServiceEvents* events_;
  std::uint32_t index_;
};

}  // namespace belfry::daemon
