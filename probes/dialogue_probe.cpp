#include "probes/dialogue_probe.hpp"

#include <array>
#include <utility>

namespace belfry::probes {

using Step = Dialogue::Step;

TlsStart tls_of(const config::Probe& spec, bool url_asks) {
  return url_asks || spec.tls ? TlsStart::first : TlsStart::never;
}

bool is_asked_often(const ProbeContext& about) {
  constexpr Duration often = std::chrono::seconds(5);  // as long as servers keep one that says nothing
  return about.asked_every && *about.asked_every <= often;
}

DialogueProbe::DialogueProbe(NetMeans means, Conversation conversation, LocalOwner owner)
    : means_(means), conversation_(std::move(conversation)), owner_(std::move(owner)) {}

Task<CheckResult> DialogueProbe::check(Context& ctx) {
  if (!connection_) connection_.emplace(ctx.loop());
  if (stands(ctx.loop().now())) {
    CheckResult outcome = co_await converse(ctx);
    if (outcome || heard_ > 0 || ctx.cancelled()) {
      part(outcome);
      co_return outcome;
    }
    // Not a word: the server has closed what was kept, as it may at any time.
  }
  CheckResult outcome = co_await open(ctx);
  if (outcome) outcome = co_await converse(ctx);
  part(outcome);
  co_return outcome;
}

bool DialogueProbe::stands(TimePoint now) {
  return connection_->is_open() && now - connected_at_ < longest_kept && connection_->is_quiet();
}

void DialogueProbe::part(const CheckResult& outcome) {
  const Dialogue* const dialogue = conversation_.dialogue.get();
  if (outcome && conversation_.keep && dialogue != nullptr && dialogue->may_go_on()) return;
  // Where nothing was said a reset takes nothing from the server.
  says_nothing() ? connection_->abort() : connection_->close();
}

Error DialogueProbe::failed(const Error& why) const {
  const bool late = why.kind() == Error::Kind::deadline_exceeded;
  if (!late || heard_ == 0) return why.wrap(conversation_.what);
  return why.wrap(conversation_.what + ": " + std::to_string(heard_) + " bytes of an answer have come");
}

Task<CheckResult> DialogueProbe::open(Context& ctx) {
  heard_ = 0;
  // Whose the listener is, the kernel can say only of a connection that stands.
  const auto handshake =
      says_nothing() && !owner_.judges() ? system::Handshake::unanswered : system::Handshake::whole;
  CheckResult opened = co_await connection_->connect(ctx, means_.resolver, conversation_.target, handshake);
  if (!opened) co_return opened;
  connected_at_ = ctx.loop().now();
  if (owner_.judges())
    if (const auto ends = connection_->ends(); ends) {
      CheckResult ours = co_await owner_.judge(ctx, ends->own, ends->peer);
      if (!ours) co_return ours;
    }
  if (conversation_.tls != TlsStart::first) co_return opened;
  CheckResult secured = co_await secure(ctx);
  co_return secured;
}

Task<CheckResult> DialogueProbe::secure(Context& ctx) {
  const Target& target = conversation_.target;
  auto client = means_.tls.get(conversation_.tls_options);
  if (!client) co_return std::unexpected(client.error());
  std::string name = conversation_.tls_options.server_name;
  if (name.empty()) name = target.socket_path.empty() ? target.host : "localhost";
  if (conversation_.any_name) name.clear();
  auto session =
      std::make_unique<tls::ClientSession>(std::move(*client), name, &resumption_, conversation_.alpn);
  CheckResult secured = co_await connection_->start_tls(ctx, std::move(session));
  // Also of one that is not to be believed: that is when somebody looks.
  if (const tls::ClientSession* const tls = connection_->tls(); tls != nullptr && tls->expiry())
    expiry_ = tls->expiry();
  if (!secured) co_return std::unexpected(failed(secured.error()));
  co_return secured;
}

Task<CheckResult> DialogueProbe::converse(Context& ctx) {
  Dialogue* const dialogue = conversation_.dialogue.get();
  if (dialogue == nullptr) co_return CheckResult{};
  heard_ = 0;
  say_.clear();
  Result<Step> step = dialogue->begin(say_);
  for (;;) {
    if (step && !say_.empty()) {
      Result<void> said = co_await connection_->write(ctx, say_);
      say_.clear();
      if (!said) co_return std::unexpected(failed(said.error()));
    }
    if (!step || *step == Step::done) break;
    if (*step == Step::start_tls) {
      CheckResult secured = co_await secure(ctx);
      if (!secured) co_return secured;
      step = dialogue->secured(say_);
    } else {
      step = co_await listen(ctx, say_);
    }
  }
  if (!step) co_return std::unexpected(failed(step.error()));
  if (const auto farewell = dialogue->farewell(); !farewell.empty())
    (void)co_await connection_->write(ctx, farewell);
  co_return CheckResult{};
}

Task<Result<Step>> DialogueProbe::listen(Context& ctx, std::string& say) {
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into first
  Result<std::size_t> got = co_await connection_->read_some(ctx, buffer);
  if (!got) co_return std::unexpected(got.error());
  if (*got == 0) co_return conversation_.dialogue->ended();
  heard_ += *got;
  if (heard_ > most_heard)
    co_return std::unexpected(Error::failed("the answer does not end: more than 2 MiB have come"));
  co_return conversation_.dialogue->hear({buffer.data(), *got}, say);
}

}  // namespace belfry::probes
