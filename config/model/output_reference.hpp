// Outputs of services in the texts of others: `${db.PORT}`.
//
// The problem: what a service publishes is known when its bell rings, long after the file was read. So a
// reference stays in its text, and is replaced at the start of each run of whoever uses it. It stands there
// as NUL `db.PORT` NUL: no text of a file holds a NUL, so what was written as `$${db.PORT}` is never taken
// for one.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace belfry::config {

struct Probe;

// One output of one service; a view into the text that refers to it.
struct OutputName {
  std::string_view service;
  std::string_view key;
};

// Bounds of what one run may publish.
inline constexpr std::size_t most_outputs = 64;
inline constexpr std::size_t longest_output_key = 64;
inline constexpr std::size_t longest_output_value = 4096;

// What stands for the host itself in a text that is asked of each host of a cluster: `${address}` in
// `confirm`.
inline constexpr std::string_view of_that_host;
// `address` is published as ADDRESS: keys of outputs that belfry itself makes are in upper case.
[[nodiscard]] std::string upper_case(std::string_view key);
// The key of one host's output among those of all: "a.ADDRESS".
[[nodiscard]] std::string key_of_host(std::string_view host, std::string_view key);

// A letter or `_`, then letters, digits and `_`; not too long.
[[nodiscard]] bool is_output_key(std::string_view key);

// The variable that the command of `exec` finds it in: BELFRY_OUT_DB_PORT. Names that differ in nothing but
// case and punctuation have the same one.
[[nodiscard]] std::string output_variable(OutputName output);

[[nodiscard]] std::string reference_to(OutputName output);
[[nodiscard]] bool has_reference(std::string_view text);
[[nodiscard]] bool has_reference(const Probe& probe);

// `text` with what `value` says in the place of each reference.
using OutputValue = std::function<std::string(OutputName output)>;
[[nodiscard]] std::string with_outputs(std::string_view text, const OutputValue& value);
// The same of all texts of the probe that may refer to outputs.
void put_outputs_into(Probe& probe, const OutputValue& value);
// As it stands in the file, for people: ${db.PORT}.
[[nodiscard]] std::string written_out(OutputName output);
[[nodiscard]] std::string with_references_written_out(std::string_view text);

}  // namespace belfry::config
