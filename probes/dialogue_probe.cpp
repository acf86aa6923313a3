#include "probes/dialogue_probe.hpp"

#include <array>
#include <utility>

namespace belfry::probes {

using Step = Dialogue::Step;

TlsStart tls_of(const config::Probe& spec, bool url_asks) {
  return url_asks || spec.tls ? TlsStart::first : TlsStart::never;
}

DialogueProbe::DialogueProbe(NetMeans means, Conversation conversation, LocalOwner owner)
    : means_(means), conversation_(std::move(conversation)), owner_(std::move(owner)) {}

Task<CheckResult> DialogueProbe::check(Context& ctx) {
  std::unique_ptr<Connection> connection = std::move(kept_);
  if (connection) {
    CheckResult outcome = co_await converse(ctx, *connection);
    if (outcome || heard_ > 0 || ctx.cancelled()) {
      keep(outcome, std::move(connection));
      co_return outcome;
    }
    // Not a word: the server has closed what was kept, as it may at any time.
  }
  connection = std::make_unique<Connection>(ctx.loop());
  CheckResult outcome = co_await open(ctx, *connection);
  if (outcome) outcome = co_await converse(ctx, *connection);
  keep(outcome, std::move(connection));
  co_return outcome;
}

void DialogueProbe::keep(const CheckResult& outcome, std::unique_ptr<Connection> connection) {
  if (outcome && conversation_.dialogue && conversation_.dialogue->may_go_on()) kept_ = std::move(connection);
}

Task<CheckResult> DialogueProbe::open(Context& ctx, Connection& connection) {
  CheckResult opened = co_await connection.connect(ctx, means_.resolver, conversation_.target);
  if (!opened) co_return opened;
  if (owner_.judges())
    if (const auto ends = connection.ends(); ends) {
      CheckResult ours = co_await owner_.judge(ctx, ends->own, ends->peer);
      if (!ours) co_return ours;
    }
  if (conversation_.tls != TlsStart::first) co_return opened;
  CheckResult secured = co_await secure(ctx, connection);
  co_return secured;
}

Task<CheckResult> DialogueProbe::secure(Context& ctx, Connection& connection) {
  auto client = means_.tls.get(conversation_.tls_options);
  if (!client) co_return std::unexpected(client.error());
  std::string name = conversation_.tls_options.server_name;
  if (name.empty()) name = conversation_.target.host;
  if (conversation_.any_name) name.clear();
  auto session = std::make_unique<TlsSession>(std::move(*client), name, &resumption_, conversation_.alpn);
  CheckResult secured = co_await connection.start_tls(ctx, std::move(session));
  if (!secured) co_return std::unexpected(failed(secured.error()));
  co_return secured;
}

Task<CheckResult> DialogueProbe::converse(Context& ctx, Connection& connection) {
  Dialogue* const dialogue = conversation_.dialogue.get();
  if (dialogue == nullptr) co_return CheckResult{};
  heard_ = 0;
  std::string say;
  Result<Step> step = dialogue->begin(say);
  while (step && *step != Step::done) {
    if (!say.empty()) {
      Result<void> said = co_await connection.write(ctx, say);
      say.clear();
      if (!said) co_return std::unexpected(failed(said.error()));
    }
    if (*step == Step::start_tls) {
      CheckResult secured = co_await secure(ctx, connection);
      if (!secured) co_return secured;
      step = dialogue->secured(say);
    } else {
      step = co_await listen(ctx, connection, say);
    }
  }
  if (!step) co_return std::unexpected(failed(step.error()));
  if (const auto farewell = dialogue->farewell(); !farewell.empty())
    (void)co_await connection.write(ctx, farewell);
  co_return CheckResult{};
}

Task<Result<Step>> DialogueProbe::listen(Context& ctx, Connection& connection, std::string& say) {
  std::array<char, 4096>
      buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into before it is read
  Result<std::size_t> got = co_await connection.read_some(ctx, buffer);
  if (!got) co_return std::unexpected(got.error());
  if (*got == 0) co_return conversation_.dialogue->ended();
  heard_ += *got;
  if (heard_ > most_heard)
    co_return std::unexpected(Error::failed("the answer does not end: more than 2 MiB have come"));
  co_return conversation_.dialogue->hear({buffer.data(), *got}, say);
}

}  // namespace belfry::probes
