// Where a stack's things stand in etcd. All of one stack is below one prefix, so that one role covers it:
//
//   belfry/NAME/s/SERVICE/h/HOST   it is ready there; there for as long as it is, under the lease of that
//   belfry belfry/NAME/w/SERVICE/h/HOST   why it is not, in the words of that belfry; the same
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace belfry::daemon::cluster {

enum class KeyKind : std::uint8_t { publication, words };

// Views into the key.
struct KeyParts {
  KeyKind kind = KeyKind::publication;
  std::string_view service;
  std::string_view host;
};

class Keys {
 public:
  explicit Keys(std::string_view name) : prefix_("belfry/" + std::string(name) + "/") {}

  [[nodiscard]] const std::string& all() const { return prefix_; }
  [[nodiscard]] std::string of_service(KeyKind kind, std::string_view service) const;
  [[nodiscard]] std::string of_host(KeyKind kind, std::string_view service, std::string_view host) const;
  // Nothing: it is none of belfry's.
  [[nodiscard]] std::optional<KeyParts> parse(std::string_view key) const;

 private:
  std::string prefix_;
};

}  // namespace belfry::daemon::cluster
