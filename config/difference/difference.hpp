// What a changed file changes: which services come and go, and of the others every key whose value is another
// one, with what a reload makes of it (`on_reload` in the tables of keys).
//
// The problem: what must be stopped, and what must not, hangs on it. So values are compared as they are used
// and not as they are written (variables replaced, defaults filled in), every key of a service has its row
// (values.hpp; a test goes through all of them), and a key that nobody has thought about is one that
// restarts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/keys/key.hpp"
#include "config/model/model.hpp"

namespace belfry::config {

struct KeyChange {
  std::string key;            // dotted: "environment.PORT", "restart.delay"
  std::string before, after;  // as they may be shown; empty: it is not there, or at its default
  OnReload effect = OnReload::restarts;
};

// One service that was there and stays.
struct ServiceChange {
  std::string name;
  std::uint32_t before = 0, after = 0;  // its places among the services
  std::vector<KeyChange> keys;          // never empty
  [[nodiscard]] bool restarts() const;
  [[nodiscard]] bool is_refused() const;
};

struct Difference {
  std::vector<KeyChange> stack;  // keys of the top level
  std::vector<ServiceChange> changed;
  std::vector<std::uint32_t> added;    // places among the services after
  std::vector<std::uint32_t> removed;  // places among the services before
  std::vector<std::string> unfit;      // what no reload can bring or take with a service that comes or goes
  [[nodiscard]] bool empty() const;
  // Every key that no reload can change, as "http.listen: … → …"; with its service in front.
  [[nodiscard]] std::vector<std::string> refusals() const;
};

// `settings` without its services, which stand beside it: those that run are not all of one file.
[[nodiscard]] Difference difference(const Stack& settings, const std::vector<const Service*>& before,
                                    const Stack& after);
[[nodiscard]] Difference difference(const Stack& before, const Stack& after);

// "port: 80 → 81", "user: postgres (new)", "user: postgres (gone)".
[[nodiscard]] std::string text_of(const KeyChange& change);

}  // namespace belfry::config
