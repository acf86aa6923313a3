// What a key of the file is: its description, once. The decoder reads by it, and what editors, readers of the
// reference page and users of what does not work yet are told is printed from it.
// This room reads values and prints descriptions; it knows no key by name, no service and no other file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "config/model/model.hpp"

namespace belfry::config {

// Which types of service a key makes sense for; a bit set.
using Fits = std::uint8_t;
inline constexpr Fits fits_daemon = 1, fits_oneshot = 2, fits_external = 4, fits_gate = 8;
inline constexpr Fits fits_process = fits_daemon | fits_oneshot;
inline constexpr Fits fits_probed = fits_process | fits_external;
inline constexpr Fits fits_all = fits_probed | fits_gate;

[[nodiscard]] constexpr Fits fit_of(ServiceType type) {
  return static_cast<Fits>(1U << static_cast<unsigned>(type));
}

// What a reload of the running stack does where the value of a key has changed. Whoever says nothing of a new
// key gets what is always right.
enum class OnReload : std::uint8_t {
  restarts,    // the service is stopped, and started as the file says now
  in_place,    // what runs goes on, and from then on by the new value
  is_refused,  // belfry itself would have to be started anew
};

[[nodiscard]] constexpr std::string_view name_of(OnReload what) {
  constexpr std::string_view names[] = {"restart", "in place", "refused"};
  return names[static_cast<std::size_t>(what)];
}

// All texts are literals.
struct Key {
  std::string_view name;
  std::string_view type;      // the name of a ValueType or of another table
  std::string_view fallback;  // the default, as text
  std::string_view meaning;   // one or two sentences, markdown
  std::string_view example;   // YAML of the value
  Fits fits = fits_all;
  std::string_view least = {};  // of numbers: the bounds that the reader knows, for the schema
  std::string_view most = {};
  bool may_refer = false;     // its texts may refer to outputs of services, `${db.PORT}`
  bool may_be_empty = false;  // written with nothing behind it, it says nothing, and is no mistake
  // The version from which on the key does what it says. Empty: not yet; whoever uses it is told so.
  std::string_view since = "0.1";
  std::string_view only = {};  // not yet: the one value that works all the same, because it asks for nothing
  std::string_view instead = {};            // not yet: what to use meanwhile
  OnReload on_reload = OnReload::restarts;  // inside of a key that is applied in place: that, too
  [[nodiscard]] constexpr bool works() const { return !since.empty(); }
};

// `key`, which no version does anything with yet.
[[nodiscard]] constexpr Key not_yet(Key key, std::string_view instead = {}, std::string_view only = {}) {
  key.since = {};
  key.instead = instead;
  key.only = only;
  return key;
}

// `key`, in whose texts outputs of services may stand.
[[nodiscard]] constexpr Key may_refer(Key key) {
  key.may_refer = true;
  return key;
}

// `key`, behind which there may be nothing.
[[nodiscard]] constexpr Key or_nothing(Key key) {
  key.may_be_empty = true;
  return key;
}

// `key`, whose change a reload applies to what runs.
[[nodiscard]] constexpr Key in_place(Key key) {
  key.on_reload = OnReload::in_place;
  return key;
}

// `key`, whose change a reload refuses.
[[nodiscard]] constexpr Key refused_by_reload(Key key) {
  key.on_reload = OnReload::is_refused;
  return key;
}

// One mapping of the file.
struct Table {
  std::string_view name;  // `service`; also the name in schema.json's $defs
  std::string_view title;
  std::string_view meaning;
  std::vector<const Key*> keys;
  std::vector<std::string_view> one_of = {};  // of these keys there must be exactly one: the kinds of probes
  bool says_reload = false;  // what stands outermost: the others go by the key that they are inside of
};

// What a value may look like where it is not a mapping of its own.
struct ValueType {
  std::string_view name;
  std::string_view meaning;
  std::string_view schema;  // JSON
};

}  // namespace belfry::config
