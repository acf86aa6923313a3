// The values of a service and of a stack by the names of their keys, as texts that are the same when, and
// only when, the values are.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/model.hpp"

namespace belfry::config {

// A secret is compared and never shown.
struct Value {
  std::string key;   // dotted
  std::string text;  // never empty: what is at its default is left out
  bool secret = false;
};
using Values = std::vector<Value>;

// One key of a service, or several that are read together. `key` names it in the table of keys.
struct ServiceRow {
  std::string_view key;
  void (*read)(const Service& service, Values& out);
  // Nothing to read where a service has no extras; most have none.
  bool of_extras = false;
};
[[nodiscard]] std::span<const ServiceRow> service_rows();

struct StackRow {
  std::string_view key;
  void (*read)(const Stack& stack, Values& out);
};
[[nodiscard]] std::span<const StackRow> stack_rows();

// --- texts of values (value_text.cpp)
// As a reader of the file would write it: quoted where a space would mislead.
[[nodiscard]] std::string quoted(std::string_view text);
[[nodiscard]] std::string list_of(const std::vector<std::string>& texts);
// What makes a probe true, without its tuning.
[[nodiscard]] std::string text_of(const ProbeSet& set);
// Each tuning of the probes under its key: "ready.period".
void read_tuning(const std::string& key, const ProbeSet& set, Values& out);
[[nodiscard]] std::string text_of(const Dependency& edge);
[[nodiscard]] std::string text_of(const ListenSocket& socket);
[[nodiscard]] std::string text_of(const Log& log);
[[nodiscard]] std::string text_of(const TlsOptions& tls);

}  // namespace belfry::config
