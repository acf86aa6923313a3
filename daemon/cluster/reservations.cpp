#include "daemon/cluster/reservations.hpp"

#include <algorithm>
#include <utility>

#include "channels/sleep.hpp"

namespace belfry::daemon::cluster {

namespace {

using etcd::Compare;
using etcd::KeyValue;

constexpr Duration answer = std::chrono::seconds(15);
// A watch is a hint: who is told nothing looks all the same, a third earlier or later.
constexpr Duration look_again_after = std::chrono::seconds(30);
// etcd takes 128 conditions. Beyond that a host that dies in the very moment of the transaction is counted as
// being there, as it would be had it died a moment later.
constexpr std::size_t most_conditions = 100;

// The cause of a wait that has nothing to do with etcd's answer.
Error goes_down() { return Error::closed("this belfry is shutting down"); }

}  // namespace

Reservations::Reservations(etcd::Store& store, Keys keys, Publisher& publisher, std::string host,
                           etcd::Random random)
    : store_(store),
      keys_(std::move(keys)),
      publisher_(publisher),
      host_(std::move(host)),
      random_(std::move(random)) {}

void Reservations::end() {
  is_over_ = true;
  for (Asking* const asking : asking_)
    if (asking->round != nullptr) asking->round->cancel(goes_down());
}

void Reservations::is_down(std::string_view service) {
  for (Asking* const asking : asking_) {
    if (std::erase_if(asking->demands, [&](const Demand& one) { return one.service == service; }) == 0)
      continue;
    publisher_.give_back(service);  // a transaction may be on its way
    waits_.erase(std::string(service));
    if (asking->round != nullptr) asking->round->cancel();
  }
}

void Reservations::waits_for(const std::string& service, const std::string& text) {
  std::string& known = waits_[service];
  if (known == text) return;
  known = text;
  if (on_wait) on_wait(service, text);
}

Task<Result<void>> Reservations::reserve(Context& ctx, std::vector<Demand> demands) {
  if (is_over_) co_return std::unexpected(goes_down());
  Asking asking{.demands = std::move(demands), .round = nullptr};
  asking_.insert(&asking);
  Result<void> given = co_await until_given(ctx, asking);
  asking_.erase(&asking);
  for (const Demand& demand : asking.demands) {
    waits_.erase(demand.service);
    // A transaction may have been done and not been heard of.
    if (!given) publisher_.give_back(demand.service);
  }
  co_return given;
}

Task<Result<void>> Reservations::until_given(Context& ctx, Asking& asking) {
  std::uint32_t failures = 0;
  for (;;) {
    if (asking.demands.empty()) co_return Result<void>();
    const std::vector<Demand> demands = asking.demands;
    Context round(ctx);
    asking.round = &round;
    const bool is_given = co_await is_given_in_a_round(round, demands, failures);
    asking.round = nullptr;
    if (is_given && asking.demands.size() == demands.size()) co_return Result<void>();
    if (is_over_) co_return std::unexpected(goes_down());
    if (ctx.cancelled()) co_return std::unexpected(ctx.cause());
  }
}

// One attempt, and the rest after it.
Task<bool> Reservations::is_given_in_a_round(Context& ctx, const std::vector<Demand>& demands,
                                             std::uint32_t& failures) {
  const Result<Attempt> attempt = co_await try_once(ctx, demands);
  if (attempt && attempt->end == Attempt::End::given) co_return true;
  if (ctx.cancelled()) co_return false;
  if (attempt && attempt->end == Attempt::End::wait) {
    failures = 0;
    co_await until_news(ctx, *attempt);
    co_return false;
  }
  if (!attempt)
    for (const Demand& demand : demands) waits_for(demand.service, attempt.error().text());
  (void)co_await sleep_for(ctx, etcd::full_jitter(++failures, random_()));
  co_return false;
}

Task<Result<Reservations::Attempt>> Reservations::try_once(Context& ctx, const std::vector<Demand>& demands) {
  if (publisher_.facts().lease == 0)
    co_return std::unexpected(publisher_.facts().trouble
                                  ? publisher_.facts().trouble
                                  : Error::failed("nothing of this host stands in etcd yet"));
  const std::uint64_t known_changes = publisher_.leaves_changed();
  std::vector<Look> looks;
  for (const Demand& demand : demands) {
    if (!publisher_.is_given_back(demand.service))
      co_return std::unexpected(Error::failed("what it was given leave for before is still in etcd"));
    Result<Look> look = co_await look_at(ctx, demand);
    if (!look) co_return std::unexpected(look.error());
    if (look->ours == 0 && look->without.size() >= demand.most) {
      std::string who;
      for (const auto& [host, why] : look->without)
        who.append(who.empty() ? "" : ", ").append(host).append(" (").append(why).append(")");
      waits_for(demand.service, "no more than " + std::to_string(demand.most) + " may be without it, and " +
                                    who + (look->without.size() == 1 ? " is" : " are"));
      co_return Attempt{.end = Attempt::End::wait, .service = demand.service, .revision = look->revision};
    }
    looks.push_back(std::move(*look));
  }
  // What was seen as this belfry's own may have been given back meanwhile, by a restart that has ended.
  if (publisher_.leaves_changed() != known_changes) co_return Attempt{};
  Result<Attempt> taken = co_await take(ctx, demands, looks, known_changes);
  co_return taken;
}

Task<Result<Reservations::Look>> Reservations::look_at(Context& ctx, const Demand& demand) {
  Context soon = within(ctx, answer);
  const Result<etcd::Range> words =
      co_await store_.range(soon, keys_.of_service(KeyKind::words, demand.service));
  if (!words) co_return std::unexpected(words.error());
  Result<etcd::Range> range = co_await store_.range(soon, keys_.below(demand.service));
  if (!range) co_return std::unexpected(range.error());
  Look look{.revision = range->revision, .ours = 0, .counted_on = {}, .without = {}};
  std::set<std::string, std::less<>> ready;
  for (KeyValue& one : range->keys) {
    const auto parts = keys_.parse(one.key);
    if (!parts) continue;
    const bool is_leave = parts->kind == KeyKind::reservation;
    if (parts->host == host_) {
      if (is_leave && one.lease == publisher_.facts().lease) look.ours = one.mod_revision;
    } else if (is_leave) {
      look.without.emplace(parts->host, "restarts it");
    } else if (one.lease != 0) {
      ready.emplace(parts->host);
      look.counted_on.push_back(std::move(one));
    }
  }
  for (const KeyValue& one : words->keys) {
    const auto parts = keys_.parse(one.key);
    if (!parts || parts->host == host_ || ready.contains(parts->host)) continue;
    const Result<Publication> said = read_publication(one.value);
    look.without.emplace(parts->host, said ? said->words : "says something that cannot be read");
  }
  for (const std::string& host : demand.hosts)
    if (host != host_ && !ready.contains(host)) look.without.emplace(host, "has not published it");
  co_return look;
}

// All or none, so that two who take several down never wait for each other.
Task<Result<Reservations::Attempt>> Reservations::take(Context& ctx, const std::vector<Demand>& demands,
                                                       const std::vector<Look>& looks,
                                                       std::uint64_t known_changes) {
  const etcd::LeaseId lease = publisher_.facts().lease;
  const Publication leave = publisher_.leave();
  etcd::Txn txn;
  for (std::size_t i = 0; i < demands.size(); ++i) {
    if (looks[i].ours != 0) continue;
    txn.when.push_back({.key = keys_.below(demands[i].service),
                        .what = Compare::What::mod_revision,
                        .how = Compare::How::less,
                        .number = looks[i].revision + 1,
                        .text = {},
                        .of_all = true});
    for (const KeyValue& one : looks[i].counted_on) {
      if (txn.when.size() >= most_conditions) break;
      txn.when.push_back({.key = one.key,
                          .what = Compare::What::create_revision,
                          .how = Compare::How::equal,
                          .number = one.create_revision,
                          .text = {}});
    }
    txn.then.emplace_back(
        etcd::Put{keys_.of_host(KeyKind::reservation, demands[i].service, host_), written(leave), lease});
  }
  etcd::Revision revision = 0;
  if (!txn.then.empty()) {
    Context soon = within(ctx, answer);
    const Result<etcd::TxnResult> done = co_await store_.txn(soon, std::move(txn));
    if (!done) co_return std::unexpected(done.error());
    if (!done->held) co_return Attempt{};
    revision = done->revision;
  }
  // The lease has gone meanwhile, and the leave with it; or another restart has given its leave back.
  if (publisher_.facts().lease != lease || publisher_.leaves_changed() != known_changes) co_return Attempt{};
  for (std::size_t i = 0; i < demands.size(); ++i)
    publisher_.keep(demands[i].service, leave, looks[i].ours != 0 ? looks[i].ours : revision);
  co_return Attempt{.end = Attempt::End::given, .service = {}, .revision = revision};
}

Task<> Reservations::until_news(Context& ctx, const Attempt& attempt) {
  Context bounded = within(ctx, saturating_scale(look_again_after, 2.0 / 3.0 + (random_() * 2.0 / 3.0)));
  const auto watch = co_await store_.watch(bounded, keys_.below(attempt.service), attempt.revision + 1);
  if (!watch) {
    (void)co_await sleep_for(bounded, etcd::full_jitter(1, random_()));
    co_return;
  }
  for (;;) {
    const Result<etcd::WatchNews> news = co_await (*watch)->next(bounded);
    if (!news || !news->events.empty() || news->compacted != 0) co_return;
  }
}

}  // namespace belfry::daemon::cluster
