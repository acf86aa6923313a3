// A probe while it is read, and which keys are options of one kind of it only.
#pragma once

#include <string_view>

#include "config/decode/decode.hpp"
#include "config/model/enum_names.hpp"

namespace belfry::config {

[[nodiscard]] inline bool is_probe_kind(std::string_view name) { return probe_kind_named(name).has_value(); }
// Whether `key` only means something beside one kind (`method` beside `http`).
[[nodiscard]] bool is_kind_option(std::string_view key);

// A probe while it is read: the kind may come after its options.
struct ProbeDraft {
  Probe probe;
  HttpExpectation http;
  bool http_written = false;
  std::optional<Quorum> require;  // cluster
  unsigned kinds = 0;
};

// Readers of what some kinds take beside their target (probe_options.cpp).
void read_method(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_headers(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_status(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_body(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_json(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_tls(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_send(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_expect(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_query(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_exists(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_socket(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_contains(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_on_failure(Decoder& decoder, const Entry& entry, ProbeDraft& out);
// Of `cluster` (cluster.cpp).
void read_cluster(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_hosts(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_require(Decoder& decoder, const Entry& entry, ProbeDraft& out);
void read_confirm(Decoder& decoder, const Entry& entry, ProbeDraft& out);
// What `require` asks for where it was not written, and whether it can be.
void settle_cluster(Decoder& decoder, const Node& node, ProbeDraft& draft);
// Compiled for its syntax; length bounds what a pattern may cost.
void check_regex(Decoder& decoder, const Node& node, const std::string& pattern);

}  // namespace belfry::config
