// The readers of servers' answers: any bytes, in pieces whose sizes the first bytes say.
#include <string>

#include "config_targets.hpp"
#include "probes/protocols/http_exchange.hpp"
#include "probes/protocols/tcp_exchange.hpp"
#include "told.hpp"

namespace belfry::fuzz {

namespace {

using probes::Dialogue;

// Until the dialogue has ended, as a probe does. Twice, because a connection may be used again.
void converse(Dialogue& dialogue, std::string_view bytes) {
  if (bytes.empty()) return;
  const std::size_t longest = 1 + static_cast<unsigned char>(bytes[0]);
  bytes.remove_prefix(1);
  for (int round = 0; round < 2; ++round) {
    std::string say;
    Result<Dialogue::Step> step = dialogue.begin(say);
    while (step && *step != Dialogue::Step::done && !bytes.empty()) {
      const std::string_view piece = bytes.substr(0, 1 + static_cast<unsigned char>(bytes[0]) % longest);
      bytes.remove_prefix(piece.size());
      step = *step == Dialogue::Step::start_tls ? dialogue.secured(say) : dialogue.hear(piece, say);
    }
    if (step && *step != Dialogue::Step::done) step = dialogue.ended();
    if (!step) look_at(step.error().text());
    if (!step || !dialogue.may_go_on()) return;
  }
}

}  // namespace

void http_answer(std::string_view bytes) {
  if (bytes.empty()) return;
  const unsigned kind = static_cast<unsigned char>(bytes[0]);
  probes::HttpExpected expected;
  if ((kind & 1U) != 0) expected.body = std::move(*config::Pattern::compile("up"));
  if ((kind & 2U) != 0) expected.json = config::JsonExpectation{.pointer = "/a", .equals = "b"};
  probes::HttpExchange exchange(
      {.host = "db", .path = "/", .method = (kind & 4U) != 0 ? "HEAD" : "GET", .keep = true},
      std::move(expected));
  converse(exchange, bytes.substr(1));
}

void tcp_answer(std::string_view bytes) {
  probes::TcpExchange exchange("hello", std::move(*config::Pattern::compile("^220 (a|b)*c$")));
  converse(exchange, bytes);
}

}  // namespace belfry::fuzz
