#include "daemon/cluster/watcher.hpp"

#include <algorithm>
#include <utility>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

namespace belfry::daemon::cluster {

namespace {

constexpr std::size_t most_remarks = 100;
constexpr Duration least_age = std::chrono::seconds(1);  // of a list that somebody looks at

// Of a member that was given time enough.
Error unanswered() { return Error::failed("etcd has not answered"); }

}  // namespace

// --- whoever follows a service

class Watcher::Follower final : public probes::RemoteService {
 public:
  Follower(Watcher& watcher, Remote& remote) : watcher_(watcher), remote_(remote) {
    remote_.followers.insert(this);
    ++watcher_.followers_;
    if (remote_.as_of == TimePoint::min())
      remote_.is_to_look = true;  // the last list may have been without it
    watcher_.attention_.notify();
  }
  ~Follower() override {
    remote_.followers.erase(this);
    --watcher_.followers_;
  }

  [[nodiscard]] std::vector<probes::RemoteMember> members() const override {
    std::vector<probes::RemoteMember> all;
    for (const auto& [host, placed] : remote_.ready)
      all.push_back({.host = host, .generation = placed.generation, .outputs = placed.publication.outputs});
    return all;
  }
  [[nodiscard]] TimePoint known_as_of() const override { return remote_.as_of; }
  [[nodiscard]] Error trouble() const override { return watcher_.facts_.trouble; }
  [[nodiscard]] std::string last_words_of(std::string_view host) const override {
    const auto found = remote_.words.find(host);
    return found == remote_.words.end() ? std::string() : found->second.publication.words;
  }
  void look() override {
    remote_.is_to_look = true;
    watcher_.attention_.notify();
  }
  void tell(probes::NewsListener* listener) override { listener_ = listener; }
  void has_news() {
    if (listener_ != nullptr) listener_->on_news();
  }

 private:
  Watcher& watcher_;
  Remote& remote_;
  probes::NewsListener* listener_ = nullptr;
};

Watcher::Watcher(Context& parent, etcd::Store& store, Keys keys, etcd::Random random, WatcherTimes times)
    : loop_(parent.loop()),
      store_(store),
      keys_(std::move(keys)),
      random_(std::move(random)),
      times_(times),
      attention_(loop_, "cluster watcher"),
      life_(parent, "cluster watcher") {}

Watcher::~Watcher() = default;

void Watcher::start() { spawn(life_, live(life_.context())); }

std::unique_ptr<probes::RemoteService> Watcher::follow(std::string_view service) {
  return std::make_unique<Follower>(*this, remote(service));
}

void Watcher::each(const std::function<void(std::string_view, const Hosts&)>& f) const {
  for (const auto& [service, remote] : remotes_)
    if (!remote.ready.empty()) f(service, remote.ready);
}

// --- its life

Task<> Watcher::live(Context& ctx) {
  std::uint32_t failures = 0;
  while (!ctx.cancelled()) {
    if (followers_ == 0) {
      (void)co_await attention_.wait(ctx);
      continue;
    }
    const std::uint64_t lists = facts_.lists;
    const Result<void> ended = co_await list_and_follow(ctx);
    if (ctx.cancelled()) break;
    failures = facts_.lists != lists ? 1 : failures + 1;
    if (ended && !std::exchange(was_compacted_, false)) continue;
    if (!ended) in_trouble(ended.error());
    co_await rest(ctx, failures);
  }
}

bool Watcher::is_waited_for() const {
  return std::ranges::any_of(remotes_, [](const auto& one) {
    return !one.second.followers.empty() && (one.second.is_to_look || one.second.as_of == TimePoint::min());
  });
}

// A thousand hosts lose the same member in one moment. Those on which nobody waits leave room for the others.
Task<> Watcher::rest(Context& ctx, std::uint32_t failures) {
  const TimePoint began = loop_.now();
  const double share = random_();
  while (!ctx.cancelled()) {
    const Duration pause =
        is_waited_for() ? etcd::full_jitter(failures, share) : saturating_scale(times_.spread, share);
    const TimePoint due = saturating_add(began, pause);
    if (due <= loop_.now()) co_return;
    auto called = on(attention_);
    auto late = at(loop_, due);
    (void)co_await select(ctx, called, late);
  }
}

Task<Result<void>> Watcher::refresh(Context& ctx) {
  const bool is_new = facts_.listed_at != TimePoint::min() && loop_.now() - facts_.listed_at < least_age;
  if (followers_ != 0 || is_new || std::exchange(refreshing_, true)) co_return Result<void>();
  const Result<void> listed = co_await list(ctx);
  refreshing_ = false;
  co_return listed;
}

// Without error: it is time to list again.
Task<Result<void>> Watcher::list_and_follow(Context& ctx) {
  const Result<void> listed = co_await list(ctx);
  if (!listed) co_return listed;
  const Result<void> followed = co_await follow_from(ctx, facts_.revision + 1);
  co_return followed;
}

Task<Result<void>> Watcher::list(Context& ctx) {
  const TimePoint asked_at = loop_.now();
  const etcd::Revision known = facts_.revision;
  std::vector<std::string> looked_for;  // it is a look at all of them; what is asked for from here on is not
  for (auto& [service, remote] : remotes_)
    if (std::exchange(remote.is_to_look, false) && !remote.followers.empty()) looked_for.push_back(service);
  Context soon = within(ctx, times_.answer);
  Result<etcd::Range> range = co_await store_.range(soon, keys_.all());
  if (!range) {
    for (const std::string& service : looked_for) remote(service).is_to_look = true;
    co_return std::unexpected(ctx.cancelled() || !soon.cancelled() ? range.error() : unanswered());
  }
  if (const auto good = advance(known, range->revision); !good) co_return good;
  std::map<std::string, std::pair<Hosts, Hosts>, std::less<>> all;
  for (const etcd::KeyValue& one : range->keys) {
    const auto parts = keys_.parse(one.key);
    if (!parts) {
      refuse(one.key, "it is no key of belfry's");
      continue;
    }
    if (parts->kind == KeyKind::reservation) continue;
    auto& [ready, words] = all[std::string(parts->service)];
    if (!place(parts->kind == KeyKind::words ? words : ready, *parts, one)) keep_what_was(ready, *parts);
  }
  ++facts_.lists;
  facts_.listed_at = asked_at;
  facts_.trouble = {};
  for (auto& [service, remote] : remotes_) {
    auto found = all.extract(service);
    adopt(remote, found ? std::move(found.mapped().first) : Hosts(),
          found ? std::move(found.mapped().second) : Hosts(), range->revision, asked_at);
  }
  for (auto& [service, hosts] : all)
    adopt(remote(service), std::move(hosts.first), std::move(hosts.second), range->revision, asked_at);
  std::erase_if(remotes_, [](const auto& one) {
    return one.second.ready.empty() && one.second.words.empty() && one.second.followers.empty();
  });
  tell_all();
  co_return Result<void>();
}

TimePoint Watcher::list_again_at() const {
  return loop_.now() + saturating_scale(times_.list_again, 2.0 / 3.0 + (random_() * 2.0 / 3.0));
}

Task<Result<void>> Watcher::follow_from(Context& ctx, etcd::Revision from) {
  Context soon = within(ctx, times_.answer);
  auto watch = co_await store_.watch(soon, keys_.all(), from);
  if (!watch) co_return std::unexpected(watch.error());
  Context reading(ctx);
  WaitGroup tasks(loop_, "reading a watch");
  std::optional<Result<void>> end;
  spawn(tasks, "watch", read_news(reading, **watch, end));
  const TimePoint due = list_again_at();
  Result<void> looked;
  while (!ctx.cancelled() && followers_ != 0 && !end && loop_.now() < due) {
    looked = co_await look_at_doubtful(ctx);
    if (!looked) break;
    if (attention_.consume() || end) continue;
    auto called = on(attention_);
    auto late = at(loop_, due);
    (void)co_await select(ctx, called, late);
  }
  const Result<void> how = end.value_or(Result<void>());
  reading.cancel();
  Context patience(loop_);  // the task uses what ends with this frame
  const Result<void> joined = co_await tasks.wait(patience);
  if (!joined) co_return joined;
  co_return looked ? how : looked;
}

// Ends with ok where the watch is over and nothing is wrong: what it was to tell has been compacted away.
Task<> Watcher::read_news(Context& ctx, etcd::Watch& watch, std::optional<Result<void>>& end) {
  while (!end) {
    Result<etcd::WatchNews> news = co_await watch.next(ctx);
    if (!news) {
      end = std::unexpected(news.error());
    } else if (news->compacted != 0) {
      was_compacted_ = true;
      end = Result<void>();
    } else {
      take(*news);
    }
  }
  attention_.notify();
}

void Watcher::expect(etcd::Revision revision) {
  if (followers_ == 0 || revision <= facts_.revision || expected_ != 0) return;
  expected_ = revision;
  expected_since_ = loop_.now();
}

// While it is silent, the lag grows.
Duration Watcher::lag() const {
  return expected_ == 0 ? facts_.lag : std::max(facts_.lag, loop_.now() - expected_since_);
}

void Watcher::has_come_to(etcd::Revision revision) {
  facts_.revision = std::max(facts_.revision, revision);
  if (expected_ == 0 || facts_.revision < expected_) return;
  facts_.lag = loop_.now() - expected_since_;
  expected_ = 0;
}

void Watcher::take(const etcd::WatchNews& news) {
  has_come_to(news.revision);
  for (const etcd::Event& event : news.events) take(event);
}

void Watcher::take(const etcd::Event& event) {
  const auto parts = keys_.parse(event.key_value.key);
  if (!parts || parts->kind == KeyKind::reservation) return;
  Remote& kept = remote(parts->service);
  const bool is_words = parts->kind == KeyKind::words;
  if (event.key_value.mod_revision <= (is_words ? kept.words_listed_in : kept.listed_in)) return;
  ++facts_.events;
  Hosts& hosts = is_words ? kept.words : kept.ready;
  const auto found = hosts.find(parts->host);
  if (found != hosts.end() && event.key_value.mod_revision <= found->second.changed_in) return;
  if (event.type == etcd::Event::Type::put) {
    if (place(hosts, *parts, event.key_value)) tell(kept);
  } else if (found == hosts.end()) {
    return;
  } else if (parts->kind == KeyKind::words || kept.followers.empty()) {
    hosts.erase(found);
  } else {
    kept.is_to_look = true;  // it is lost when all agree on it
    attention_.notify();
  }
}

Task<Result<void>> Watcher::look_at_doubtful(Context& ctx) {
  for (;;) {
    const auto next = std::ranges::find_if(remotes_, [](const auto& one) { return one.second.is_to_look; });
    if (next == remotes_.end()) co_return Result<void>();
    next->second.is_to_look = false;
    const Result<void> looked = co_await look(ctx, next->first);
    if (!looked) co_return looked;
  }
}

Task<Result<void>> Watcher::look(Context& ctx, std::string service) {
  const TimePoint asked_at = loop_.now();
  const etcd::Revision known = facts_.revision;
  Context soon = within(ctx, times_.answer);
  Result<etcd::Range> range = co_await store_.range(soon, keys_.of_service(KeyKind::publication, service));
  if (!range) co_return std::unexpected(ctx.cancelled() || !soon.cancelled() ? range.error() : unanswered());
  if (const auto good = advance(known, range->revision); !good) co_return good;
  ++facts_.looks;
  Hosts ready;
  for (const etcd::KeyValue& one : range->keys) {
    const auto parts = keys_.parse(one.key);
    if (parts && !place(ready, *parts, one)) keep_what_was(ready, *parts);
  }
  Remote& looked_at = remote(service);
  const etcd::Revision words_listed_in = looked_at.words_listed_in;
  adopt(looked_at, std::move(ready), std::move(looked_at.words), range->revision, asked_at);
  looked_at.words_listed_in = words_listed_in;
  tell(looked_at);
  co_return Result<void>();
}

// --- what is believed

// What the cluster agrees on is never older than what was known when it was asked; a watch may have told more
// meanwhile. So a revision below that is another history: a backup that was restored, or another cluster, and
// nothing of what was known is of it.
Result<void> Watcher::advance(etcd::Revision known, etcd::Revision revision) {
  if (revision >= known) {
    has_come_to(revision);
    return {};
  }
  const std::string text = "the revision of etcd went back from " + std::to_string(known) + " to " +
                           std::to_string(revision) + " (a backup was restored?): all is read again";
  ++facts_.backwards;
  facts_.revision = expected_ = 0;
  forget_all();
  if (on_remark) on_remark(text);
  return std::unexpected(Error::failed(text));
}

void Watcher::forget_all() {
  for (auto& [service, remote] : remotes_) {
    remote.listed_in = remote.words_listed_in = 0;
    remote.as_of = TimePoint::min();
    for (Hosts* hosts : {&remote.ready, &remote.words})
      for (auto& [host, placed] : *hosts) placed.changed_in = 0;
  }
}

bool Watcher::place(Hosts& hosts, const KeyParts& parts, const etcd::KeyValue& key_value) {
  if (key_value.lease == 0) {
    refuse(key_value.key, "it has no lease, and would never go");
    return false;
  }
  Result<Publication> read = read_publication(key_value.value);
  if (!read) {
    refuse(key_value.key, read.error().text());
    return false;
  }
  hosts.insert_or_assign(std::string(parts.host), Placed{.publication = std::move(*read),
                                                         .generation = key_value.create_revision,
                                                         .changed_in = key_value.mod_revision});
  return true;
}

// A key that is there and cannot be read says neither that its service is ready nor that it is not.
void Watcher::keep_what_was(Hosts& ready, const KeyParts& parts) const {
  const auto known = remotes_.find(parts.service);
  if (parts.kind == KeyKind::words || known == remotes_.end()) return;
  const auto before = known->second.ready.find(parts.host);
  if (before != known->second.ready.end()) ready.insert_or_assign(before->first, before->second);
}

// What the watch has told since the list was made stays: it is not told again.
void Watcher::adopt(Remote& remote, Hosts ready, Hosts words, etcd::Revision revision, TimePoint as_of) {
  if (remote.listed_in != 0) {
    facts_.missed += static_cast<std::uint64_t>(std::ranges::count_if(ready, [&](const auto& one) {
      const auto known = remote.ready.find(one.first);
      return known == remote.ready.end() || known->second.changed_in < one.second.changed_in;
    }));
  }
  for (auto& [host, placed] : remote.ready)
    if (placed.changed_in > revision) ready.insert_or_assign(host, std::move(placed));
  for (auto& [host, placed] : remote.words)
    if (placed.changed_in > revision) words.insert_or_assign(host, std::move(placed));
  remote.ready = std::move(ready);
  remote.words = std::move(words);
  remote.listed_in = remote.words_listed_in = revision;
  remote.as_of = as_of;
}

void Watcher::refuse(std::string_view key, std::string_view why) {
  ++facts_.refused;
  if (remarked_.size() >= most_remarks || !remarked_.insert(std::string(key)).second) return;
  facts_.remark = "does not believe what stands in etcd at " + std::string(key) + ": " + std::string(why);
  if (on_remark) on_remark(facts_.remark);
}

void Watcher::in_trouble(const Error& why) {
  ++facts_.errors;
  const bool is_new = !facts_.trouble;
  facts_.trouble = why;
  if (is_new && on_remark)
    on_remark("does not know any more what other hosts publish: " + why.text() +
              " (what runs goes on, what waits for them waits)");
  tell_all();
}

void Watcher::tell(const Remote& remote) {
  for (Follower* follower : remote.followers) follower->has_news();
}

void Watcher::tell_all() {
  for (const auto& [service, remote] : remotes_) tell(remote);
}

}  // namespace belfry::daemon::cluster
