#include "daemon/cluster/publisher.hpp"

#include <algorithm>
#include <utility>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

namespace belfry::daemon::cluster {

namespace {

using etcd::Compare;
using etcd::KeyValue;
using etcd::Txn;

constexpr std::size_t most_at_once = 64;  // etcd takes 128 operations in one transaction
constexpr std::uint32_t verified_every = 3;
constexpr Duration least_patience = std::chrono::seconds(1);
constexpr Duration patience_at_the_end = std::chrono::seconds(1);

Compare is_absent(const std::string& key) {
  return {key, Compare::What::create_revision, Compare::How::equal, 0, {}};
}
Compare is_under(const std::string& key, etcd::LeaseId lease) {
  return {key, Compare::What::lease, Compare::How::equal, lease, {}};
}
// Of a key that was put once.
Compare is_untouched(const std::string& key, etcd::Revision generation) {
  return {key, Compare::What::mod_revision, Compare::How::equal, generation, {}};
}
Compare is_still(const KeyValue& found) {
  return {found.key, Compare::What::mod_revision, Compare::How::equal, found.mod_revision, {}};
}

bool is_of_publication(const std::string& key, const Keys& keys) {
  const auto parts = keys.parse(key);
  return parts && parts->kind == KeyKind::publication;
}

}  // namespace

Publisher::Publisher(Context& parent, etcd::Store& store, Keys keys, PublisherOptions options,
                     etcd::Random random)
    : loop_(parent.loop()),
      store_(store),
      keys_(std::move(keys)),
      options_(std::move(options)),
      random_(std::move(random)),
      attention_(loop_, "cluster publisher"),
      life_(parent, "cluster publisher") {}

Publisher::~Publisher() = default;

void Publisher::start() { spawn(life_, live(life_.context())); }

// --- what is wanted

Publisher::Entry& Publisher::entry(KeyKind kind, std::string_view service) {
  const auto [found, is_new] = entries_.try_emplace(keys_.of_host(kind, service, options_.host));
  if (is_new) found->second.service = service;
  return found->second;
}

void Publisher::publish(std::string_view service, Publication publication) {
  publication.boot_id = options_.boot_id;
  entry(KeyKind::publication, service).wanted = std::move(publication);
  entry(KeyKind::words, service).wanted.reset();
  attention_.notify();
}

void Publisher::not_ready(std::string_view service, std::string why, std::int64_t since_ms) {
  Entry& words = entry(KeyKind::words, service);
  words.wanted.reset();
  if (!why.empty())
    words.wanted = Publication{.boot_id = options_.boot_id,
                               .incarnation = 0,
                               .since_ms = since_ms,
                               .outputs = {},
                               .words = std::move(why)};
  attention_.notify();
}

std::shared_ptr<Bell<>> Publisher::withdraw(std::string_view service) {
  Entry& own = entry(KeyKind::publication, service);
  own.wanted.reset();
  if (own.gone == nullptr) own.gone = std::make_shared<Bell<>>(loop_, "withdrawn from etcd");
  std::shared_ptr<Bell<>> gone = own.gone;
  if (!own.there && !own.is_doubtful)
    is_gone(own);
  else if (facts_.trouble)
    std::exchange(own.gone, nullptr)->never(facts_.trouble);
  attention_.notify();
  return gone;
}

Publication Publisher::leave() const {
  return {
      .boot_id = options_.boot_id, .incarnation = 0, .since_ms = 0, .outputs = {}, .words = "restarts it"};
}

void Publisher::keep(std::string_view service, Publication leave, etcd::Revision generation) {
  ++leaves_changed_;
  Entry& own = entry(KeyKind::reservation, service);
  own.wanted = own.there = std::move(leave);
  own.is_doubtful = false;
  is_there(own, generation);
}

void Publisher::give_back(std::string_view service) {
  ++leaves_changed_;
  Entry& own = entry(KeyKind::reservation, service);
  own.wanted.reset();
  if (!own.there) own.is_doubtful = true;
  attention_.notify();
}

bool Publisher::is_given_back(std::string_view service) const {
  const auto found = entries_.find(keys_.of_host(KeyKind::reservation, service, options_.host));
  return found == entries_.end() || !differs(found->second);
}

bool Publisher::is_published(std::string_view service) const {
  const auto found = entries_.find(keys_.of_host(KeyKind::publication, service, options_.host));
  return found != entries_.end() && (found->second.there || found->second.is_doubtful);
}

std::vector<Own> Publisher::all() const {
  std::vector<Own> all;
  for (const auto& [key, entry] : entries_) {
    if (!is_of_publication(key, keys_) || (!entry.wanted && !entry.there)) continue;
    all.push_back({.service = entry.service,
                   .publication = entry.there ? *entry.there : *entry.wanted,
                   .generation = entry.there ? entry.generation : 0,
                   .trouble = entry.trouble});
  }
  return all;
}

std::size_t Publisher::published() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      entries_, [this](const auto& one) { return one.second.there && is_of_publication(one.first, keys_); }));
}

std::vector<std::string> Publisher::kept() const {
  std::vector<std::string> services;
  for (const auto& [key, entry] : entries_) {
    const auto parts = keys_.parse(key);
    if (parts && parts->kind == KeyKind::reservation && entry.wanted) services.push_back(entry.service);
  }
  return services;
}

Duration Publisher::lease_left() const {
  return facts_.lease == 0 ? Duration::zero() : expires_ - options_.since_boot();
}

bool Publisher::differs(const Entry& entry) const {
  return !entry.is_taken && (entry.is_doubtful || entry.wanted != entry.there);
}

bool Publisher::has_work() const {
  return std::ranges::any_of(entries_, [this](const auto& one) { return differs(one.second); });
}

// --- its life

Task<> Publisher::live(Context& ctx) {
  std::uint32_t failures = 0;
  while (!ctx.cancelled()) {
    if (!has_work() && facts_.lease == 0) {
      (void)co_await attention_.wait(ctx);
      continue;
    }
    attention_.consume();
    const Result<void> done = co_await step(ctx);
    if (ctx.cancelled()) break;
    if (!done) {
      in_trouble(done.error());
      // Not longer than a renewal may wait: the lease may still be alive.
      const Duration pause = std::min(etcd::full_jitter(++failures, random_()), options_.ttl / 6);
      auto called = on(attention_);
      auto late = after(loop_, pause);
      (void)co_await select(ctx, called, late);
      continue;
    }
    failures = 0;
    facts_.trouble = {};
    if (has_work() || attention_.pending()) continue;
    auto called = on(attention_);
    auto late = by(loop_, facts_.lease == 0 ? TimePoint::max() : renew_at_);
    (void)co_await select(ctx, called, late);
  }
  co_await let_go(ctx);
}

// What stands there goes at once, and need not run out.
Task<> Publisher::let_go(Context& ctx) {
  if (facts_.lease == 0) co_return;
  Context patience(ctx.loop());
  Context soon = within(patience, patience_at_the_end);
  const Result<void> revoked = co_await store_.revoke(soon, facts_.lease);
  if (revoked) facts_.lease = 0;
}

Task<Result<void>> Publisher::step(Context& ctx) {
  if (facts_.lease != 0 && lease_left() <= Duration::zero()) lose_lease("it has run out", Certain::no);
  std::erase_if(entries_, [](const auto& one) {
    return !one.second.wanted && !one.second.there && !one.second.is_doubtful && one.second.gone == nullptr;
  });
  if (entries_.empty()) {
    if (facts_.lease == 0) co_return Result<void>();
    Context soon = within(ctx, options_.answer);
    const Result<void> revoked = co_await store_.revoke(soon, facts_.lease);
    if (revoked) facts_.lease = 0;
    co_return revoked;
  }
  if (facts_.lease == 0) {
    const Result<void> granted = co_await ensure_lease(ctx);
    if (!granted) co_return granted;
  } else if (loop_.now() >= renew_at_) {
    const Result<void> renewed = co_await renew(ctx);
    if (!renewed) co_return renewed;
    if (facts_.lease == 0) co_return Result<void>();
  }
  const Result<void> settled = co_await settle(ctx);
  co_return settled;
}

// --- the lease

Task<Result<void>> Publisher::ensure_lease(Context& ctx) {
  // A fifth earlier or later than others, so that those who were started together do not stay together.
  const Duration wanted = saturating_scale(options_.ttl, 0.8 + (0.4 * random_()));
  const Duration asked_at = options_.since_boot();
  Context soon = within(ctx, options_.answer);
  const auto seconds = std::max(std::chrono::ceil<std::chrono::seconds>(wanted), std::chrono::seconds(2));
  const Result<etcd::Lease> lease = co_await store_.grant(soon, seconds);
  if (!lease) co_return std::unexpected(lease.error());
  facts_.lease = lease->id;
  facts_.renewed_at = loop_.now();
  ttl_ = lease->ttl;
  expires_ = asked_at + ttl_;
  renew_at_ = saturating_add(loop_.now(), ttl_ / 3);
  renewals_ = 0;
  co_return Result<void>();
}

Task<Result<void>> Publisher::renew(Context& ctx) {
  const Duration asked_at = options_.since_boot();
  Context soon = within(ctx, std::min(options_.answer, std::max(lease_left(), Duration(1))));
  const Result<std::chrono::seconds> left = co_await store_.keep_alive(soon, facts_.lease);
  if (!left) co_return std::unexpected(left.error());
  if (left->count() <= 0) {
    lose_lease("etcd says that it is gone", Certain::yes);
    co_return Result<void>();
  }
  expires_ = asked_at + *left;
  facts_.renewed_at = loop_.now();
  renew_at_ = saturating_add(loop_.now(), ttl_ / 3);
  for (auto& [key, entry] : entries_) entry.is_taken = false;  // whoever has it may have gone
  if (++renewals_ % verified_every != 0) co_return Result<void>();
  const Result<void> verified = co_await verify(ctx);
  co_return verified;
}

// A renewal may be confirmed of a lease that is gone (etcd's issue 20590): what stands there says the truth.
Task<Result<void>> Publisher::verify(Context& ctx) {
  std::vector<std::string> keys;
  for (const auto& [key, entry] : entries_)
    if (entry.there && !entry.is_doubtful) keys.push_back(key);
  for (std::size_t from = 0; from < keys.size(); from += most_at_once) {
    Txn txn;
    const std::size_t end = std::min(keys.size(), from + most_at_once);
    for (std::size_t i = from; i < end; ++i) {
      txn.when.push_back(is_under(keys[i], facts_.lease));
      txn.when.push_back(is_untouched(keys[i], entries_[keys[i]].generation));
    }
    const Result<etcd::TxnResult> answer = co_await ask(ctx, std::move(txn));
    if (!answer) co_return std::unexpected(answer.error());
    if (answer->held) continue;
    // Somebody has taken or changed one of them, or the lease is gone: each is looked at.
    for (std::size_t i = from; i < end; ++i) entries_[keys[i]].is_doubtful = true;
  }
  co_return Result<void>();
}

// By our own clock it is over; etcd may keep it for a while, and what stands under it.
void Publisher::lose_lease(const std::string& why, Certain certain) {
  ++facts_.leases_lost;
  facts_.lease = 0;
  bool had_some = false;
  for (auto& [key, entry] : entries_) {
    had_some = had_some || entry.there.has_value();
    const bool may_stand = certain == Certain::no && (entry.there || entry.is_doubtful);
    if (may_stand) {
      entry.there.reset();
      entry.generation = 0;
      entry.is_doubtful = true;
    } else {
      is_gone(entry);
    }
  }
  if (had_some && on_remark)
    on_remark("belfry", "has lost its lease in etcd (" + why + "): what is ready here is published again");
}

// --- etcd is made equal to what is wanted

Task<Result<etcd::TxnResult>> Publisher::ask(Context& ctx, Txn txn) {
  // Not so long that the renewal, which comes after it, would come too late.
  Context soon = within(ctx, std::min(options_.answer, std::max<Duration>(options_.ttl / 3, least_patience)));
  ++facts_.txns;
  Result<etcd::TxnResult> answer = co_await store_.txn(soon, std::move(txn));
  if (!answer && soon.cancelled() && !ctx.cancelled())
    answer = std::unexpected(Error(Error::Kind::closed, "etcd has not answered"));
  co_return answer;
}

// What is to go goes first and alone: whatever keeps etcd from taking something new must not keep what is not
// so any more. All at once, where nobody is in the way and nothing is doubtful; else one after the other.
Task<Result<void>> Publisher::settle(Context& ctx) {
  Result<void> first;
  for (const Step step : {Step::goes, Step::is_doubtful, Step::comes}) {
    const std::vector<std::string> keys = facts_.lease == 0 ? std::vector<std::string>() : those_that(step);
    if (keys.empty()) continue;
    Result<bool> done = false;
    if (step != Step::is_doubtful) done = co_await settle_at_once(ctx, keys);
    if (!done && done.error().kind() != Error::Kind::failed) co_return std::unexpected(done.error());
    if (done && *done) continue;
    const Result<void> settled = co_await settle_one_by_one(ctx, keys);
    if (!settled && first) first = settled;
    if (!settled && settled.error().kind() != Error::Kind::failed) break;
  }
  co_return first;
}

std::vector<std::string> Publisher::those_that(Step step) const {
  std::vector<std::string> keys;
  for (const auto& [key, entry] : entries_) {
    if (!differs(entry) || keys.size() == most_at_once) continue;
    const Step next = entry.is_doubtful ? Step::is_doubtful : entry.there ? Step::goes : Step::comes;
    if (next == step) keys.push_back(key);
  }
  return keys;
}

// False: somebody is in the way of one of them, and nothing was done.
Task<Result<bool>> Publisher::settle_at_once(Context& ctx, const std::vector<std::string>& keys) {
  Txn txn;
  std::map<std::string, std::optional<Publication>> asked;
  for (const std::string& key : keys) {
    Entry& entry = entries_[key];
    // What is published anew goes first, so that it comes back as another generation.
    asked[key] = entry.there ? std::optional<Publication>() : entry.wanted;
    txn.when.push_back(entry.there ? is_under(key, facts_.lease) : is_absent(key));
    if (entry.there)
      txn.then.emplace_back(etcd::Delete{key});
    else
      txn.then.emplace_back(etcd::Put{key, written(*entry.wanted), facts_.lease});
    entry.is_doubtful = true;
  }
  const Result<etcd::TxnResult> answer = co_await ask(ctx, std::move(txn));
  if (!answer && answer.error().kind() == Error::Kind::closed) co_return std::unexpected(answer.error());
  for (const std::string& key : keys) entries_[key].is_doubtful = false;  // all of it was done, or nothing
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->lease_lost) {
    lose_lease("etcd does not know it", Certain::yes);
    co_return true;
  }
  if (!answer->held) co_return false;
  for (const std::string& key : keys) {
    Entry& entry = entries_[key];
    if (!asked[key]) {
      is_gone(entry);
      continue;
    }
    entry.there = std::move(asked[key]);
    is_there(entry, answer->revision);
  }
  co_return true;
}

// What etcd refuses of one of them is no reason not to do the others.
Task<Result<void>> Publisher::settle_one_by_one(Context& ctx, std::vector<std::string> keys) {
  Result<void> first;
  for (const std::string& key : keys) {
    if (facts_.lease == 0) break;
    const Result<void> settled = co_await settle_one(ctx, key);
    if (!settled && first) first = settled;
    if (!settled && settled.error().kind() != Error::Kind::failed) break;
  }
  co_return first;
}

// One step towards what is wanted, from whatever is found there.
Task<Result<void>> Publisher::settle_one(Context& ctx, const std::string& key) {
  const std::optional<Publication> wanted = entries_[key].wanted;
  Txn txn;
  txn.when.push_back(is_absent(key));
  if (wanted) txn.then.emplace_back(etcd::Put{key, written(*wanted), facts_.lease});
  txn.otherwise.emplace_back(etcd::Get{key});
  entries_[key].is_doubtful = true;
  const Result<etcd::TxnResult> answer = co_await ask(ctx, std::move(txn));
  if (!answer) co_return std::unexpected(answer.error());
  Entry& entry = entries_[key];
  entry.is_doubtful = false;
  if (answer->lease_lost) {
    lose_lease("etcd does not know it", Certain::yes);
    co_return Result<void>();
  }
  if (answer->held) {
    if (wanted) {
      entry.there = wanted;
      is_there(entry, answer->revision);
    } else {
      is_gone(entry);
    }
    co_return Result<void>();
  }
  if (answer->done.empty() || answer->done.front().found.empty())
    co_return std::unexpected(Error::failed("etcd has answered something else than was asked"));
  const KeyValue& found = answer->done.front().found.front();
  if (wanted && found.lease == facts_.lease && found.value == written(*wanted)) {
    entry.there = wanted;  // the answer to an earlier transaction was lost, and not the transaction
    is_there(entry, found.create_revision);
    co_return Result<void>();
  }
  const Result<void> made = co_await make_way(ctx, key, found);
  co_return made;
}

// What stands in the way goes where it is ours: of this belfry, or of one before it that is known to be gone.
Task<Result<void>> Publisher::make_way(Context& ctx, const std::string& key, const KeyValue& found) {
  const Result<Publication> other = read_publication(found.value);
  const std::string boot_id = other ? other->boot_id : std::string();
  const bool is_ours = found.lease == facts_.lease || boot_id == options_.boot_id ||
                       (!options_.predecessor.empty() && boot_id == options_.predecessor);
  if (!is_ours) {
    Entry& entry = entries_[key];
    is_gone(entry);
    entry.is_taken = entry.wanted.has_value();
    remark(entry, "cannot publish " + entry.service + " as host " + options_.host + ": " +
                      (boot_id.empty()
                           ? "somebody who is no belfry has written what stands there"
                           : "the belfry of boot id " + boot_id +
                                 " has published it under this name, and this one is " + options_.boot_id) +
                      " (it is tried again; two hosts need two names, `cluster.host`)");
    co_return Result<void>();
  }
  Txn txn;
  txn.when.push_back(is_still(found));
  txn.then.emplace_back(etcd::Delete{key});
  entries_[key].is_doubtful = true;
  const Result<etcd::TxnResult> answer = co_await ask(ctx, std::move(txn));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->held) {
    entries_[key].is_doubtful = false;
    is_gone(entries_[key]);
  }
  co_return Result<void>();
}

void Publisher::is_there(Entry& entry, etcd::Revision generation) {
  if (on_put && generation > entry.generation) on_put(generation);
  entry.generation = generation;
  entry.trouble.clear();
}

void Publisher::is_gone(Entry& entry) {
  entry.there.reset();
  entry.is_doubtful = false;
  entry.generation = 0;
  if (entry.wanted || entry.gone == nullptr) return;
  std::exchange(entry.gone, nullptr)->ring();
}

void Publisher::remark(Entry& entry, std::string text) {
  const bool is_new = entry.trouble != text;
  entry.trouble = std::move(text);
  if (is_new && on_remark) on_remark(entry.service, entry.trouble);
}

// Whoever waits for the end of a key does not wait for etcd: it ends with the lease.
void Publisher::in_trouble(const Error& why) {
  ++facts_.errors;
  const bool is_new = !facts_.trouble;
  facts_.trouble = why;
  for (auto& [key, entry] : entries_)
    if (entry.gone != nullptr) std::exchange(entry.gone, nullptr)->never(why);
  if (is_new && on_remark) on_remark("belfry", "cannot tell other hosts what is ready here: " + why.text());
}

}  // namespace belfry::daemon::cluster
