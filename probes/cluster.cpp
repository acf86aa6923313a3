// `cluster: name`: the service of that name is ready on so many hosts, as they have published it themselves.
//
// What is known of them is told (remote_services.hpp), and may be of an earlier time: who is to start by it
// asks for a fresh look. A host that is gone stays there until its lease has run out; `confirm` closes that
// hole, as it is asked of each host at the moment of the ring. A failure of it keeps others from starting,
// and takes nothing from those who run: only what is agreed on can be lost.
#include <algorithm>
#include <map>
#include <vector>

#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "config/model/output_reference.hpp"
#include "probes/kinds.hpp"
#include "probes/remote_services.hpp"

namespace belfry::probes {

namespace {

using Outputs = std::vector<std::pair<std::string, std::string>>;
using Members = std::vector<RemoteMember>;

constexpr std::size_t most_at_once = 32;  // hosts that are asked

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

std::string plural(const std::string& key) { return key + (key.ends_with('S') ? "ES" : "S"); }

bool is_among(const Members& members, const RemoteMember& one) {
  return std::ranges::any_of(members, [&one](const RemoteMember& other) {
    return other.host == one.host && other.generation == one.generation;
  });
}

// Those by whom the level holds: who was among them stays, for as long as he is there without a break, so
// that whoever the quorum can spare comes and goes unnoticed.
Members quorum_of(const Members& there, const Members& before, std::size_t size) {
  Members chosen;
  for (const RemoteMember& one : there)
    if (is_among(before, one) && chosen.size() < size) chosen.push_back(one);
  for (const RemoteMember& one : there)
    if (!is_among(chosen, one) && chosen.size() < size) chosen.push_back(one);
  return chosen;
}

// Of the quorum: FENCE, and each key as its first member has it. Of all who are there: HOSTS, the list of
// what they have of each key, and, where hosts are named, the value of each.
Outputs outputs_of(const Members& quorum, const Members& there, bool hosts_are_named) {
  Outputs all;
  std::int64_t fence = 0;
  std::map<std::string, std::string> first, lists;
  const auto is_own = [](const std::string& key) { return key == "FENCE" || key == "HOSTS"; };
  for (const RemoteMember& member : quorum) {
    fence = std::max(fence, member.generation);
    for (const auto& [key, value] : member.outputs)
      if (!is_own(key)) first.try_emplace(key, value);
  }
  std::string hosts;
  for (const RemoteMember& member : there) {
    hosts += (hosts.empty() ? "" : ",") + member.host;
    for (const auto& [key, value] : member.outputs) {
      std::string& list = lists[plural(key)];
      list += (list.empty() ? "" : ",") + value;
      if (hosts_are_named) all.emplace_back(config::key_of_host(member.host, key), value);
    }
  }
  Outputs sorted{{"FENCE", std::to_string(fence)}, {"HOSTS", std::move(hosts)}};
  sorted.insert(sorted.end(), first.begin(), first.end());
  for (auto& [key, list] : lists)
    if (!first.contains(key) && !is_own(key)) sorted.emplace_back(key, std::move(list));
  std::ranges::move(all, std::back_inserter(sorted));
  return sorted;
}

// Followed from the first check to the end of the probe.
class ClusterProbe final : public Probe, NewsListener {
 public:
  ClusterProbe(RemoteServices& others, Factory& factory, const config::Probe& spec, const ProbeContext& about)
      : factory_(factory),
        name_(spec.target),
        wanted_(*spec.cluster),
        about_(about),
        others_(others.follow(spec.target)) {}

  void tell(NewsListener* listener) override {
    listener_ = listener;
    NewsListener& self = *this;
    others_->tell(listener == nullptr ? nullptr : &self);
  }
  // What fails to be confirmed has to be asked again.
  bool is_told() const override { return listener_ != nullptr && !is_refuted_; }
  TimePoint known_as_of() const override { return as_of_; }
  Error doubt() const override { return others_->trouble(); }
  // One that fails to be confirmed is asked by its period.
  void look_afresh() override {
    is_to_confirm_ = true;
    if (!is_refuted_) others_->look();
  }
  std::string method() const override { return "cluster " + name_ + ": told by etcd"; }

  Task<CheckResult> check(Context& ctx) override {
    if (others_->known_as_of() == TimePoint::min())
      co_return is_up_ ? CheckResult() : std::unexpected(unknown());
    Members there = counted();
    if (there.size() < wanted_.require) co_return down(too_few(there));
    if (is_up_ && has_begun_anew(there)) co_return down(begun_anew());
    TimePoint as_of = others_->known_as_of();
    if (wanted_.confirm) {
      const TimePoint asked_at = ctx.loop().now();
      const bool is_for_somebody = !is_up_ || is_to_confirm_;
      Members asked = there;
      if (!is_for_somebody)
        std::erase_if(asked, [this](const auto& one) { return is_among(confirmed_, one); });
      Error why;
      co_await confirm(ctx, asked, why);
      there = counted();  // what has happened meanwhile
      if (there.size() < wanted_.require) co_return down(too_few(there));
      std::erase_if(asked, [&there](const auto& one) { return !is_among(there, one); });
      if (is_for_somebody) {
        is_refuted_ = asked.size() < wanted_.require;
        if (is_refuted_) co_return is_up_ ? CheckResult() : std::unexpected(std::move(why));
      }
      note_confirmed(there, asked);
      as_of = is_for_somebody ? std::min(others_->known_as_of(), asked_at) : std::min(as_of, as_of_);
    }
    up(std::move(there), as_of);
    co_return CheckResult();
  }

 private:
  struct Answer {
    bool is_there = false;
    Error why;
  };

  void on_news() override {
    if (listener_ != nullptr) listener_->on_news();
  }

  [[nodiscard]] bool counts(std::string_view host) const {
    return wanted_.hosts.empty() || std::ranges::find(wanted_.hosts, host) != wanted_.hosts.end();
  }
  [[nodiscard]] Members counted() const {
    Members all = others_->members();
    std::erase_if(all, [this](const RemoteMember& member) { return !counts(member.host); });
    return all;
  }

  // Where all of the hosts are needed, another generation of one of them proves that they were not all there
  // for a moment that nobody has told of. Where some can be spared, the others may have been there then.
  [[nodiscard]] bool has_begun_anew(const Members& there) const {
    return wanted_.hosts.size() == wanted_.require &&
           !std::ranges::all_of(told_, [&there](const auto& one) { return is_among(there, one); });
  }

  // Who was once confirmed stays so, for as long as he is there: a host that does not answer for a moment
  // takes nothing from those who run.
  void note_confirmed(const Members& there, const Members& now) {
    for (const RemoteMember& one : now)
      if (!is_among(confirmed_, one)) confirmed_.push_back(one);
    std::erase_if(confirmed_, [&there](const auto& one) { return !is_among(there, one); });
  }

  void up(Members there, TimePoint as_of) {
    is_up_ = true;
    is_to_confirm_ = false;
    as_of_ = as_of;
    if (wanted_.confirm && confirmed_.size() >= wanted_.require)
      std::erase_if(there, [this](const auto& one) { return !is_among(confirmed_, one); });
    if (there != told_) {
      quorum_ = quorum_of(there, quorum_, wanted_.require);
      if (about_.publisher != nullptr)
        about_.publisher->publish_anew(outputs_of(quorum_, there, !wanted_.hosts.empty()));
    }
    told_ = std::move(there);
  }

  CheckResult down(Error why) {
    is_up_ = is_refuted_ = false;
    as_of_ = TimePoint::min();
    told_.clear();
    quorum_.clear();
    confirmed_.clear();
    return std::unexpected(std::move(why));
  }

  [[nodiscard]] Error begun_anew() const {
    return Error::failed(name_ + " has begun anew on a host that it takes");
  }

  [[nodiscard]] Error unknown() const {
    const Error trouble = others_->trouble();
    const std::string text = "cannot tell yet on which hosts " + name_ + " is ready";
    return trouble ? Error(Error::Kind::refused, text, trouble) : Error(Error::Kind::refused, text);
  }

  // "1 host of the 2 that it takes".
  [[nodiscard]] std::string how_many(std::size_t hosts) const {
    if (wanted_.require == 1) return "no host";
    return std::to_string(hosts) + (hosts == 1 ? " host" : " hosts") + " of the " +
           std::to_string(wanted_.require) + " that it takes";
  }

  [[nodiscard]] Error too_few(const Members& there) const {
    std::vector<std::string> present, absent;
    for (const RemoteMember& member : there) present.push_back(member.host);
    for (const std::string& host : wanted_.hosts) {
      if (std::ranges::find(present, host) != present.end()) continue;
      const std::string words = others_->last_words_of(host);
      absent.push_back(words.empty() ? host : host + " (" + words + ")");
    }
    std::string text = name_ + " is ready on " + how_many(there.size());
    if (!present.empty()) text += ": " + listed(present);
    if (!absent.empty()) text += (present.empty() ? ": not on " : "; not on ") + listed(absent);
    const Error trouble = others_->trouble();
    return trouble ? Error(Error::Kind::failed, std::move(text) + ", as far as is known", trouble)
                   : Error::failed(std::move(text));
  }

  // Leaves those in `there` that are confirmed. Many are asked at once, and a part of the time is left for
  // whoever has to say what came of it.
  Task<void> confirm(Context& ctx, Members& there, Error& why) {
    const TimePoint now = ctx.loop().now();
    Context limited(ctx, now + (ctx.deadline().value_or(TimePoint::max()) - now) / 4 * 3);
    std::vector<Answer> answers(there.size());
    Context patience(ctx.loop());  // each of them ends with `limited`
    for (std::size_t from = 0; from < there.size(); from += most_at_once) {
      WaitGroup asked(ctx.loop(), "confirm");
      for (std::size_t i = from; i < std::min(there.size(), from + most_at_once); ++i)
        spawn(asked, "confirm", ask(limited, there[i], answers[i]));
      [[maybe_unused]] const Result<void> all = co_await asked.wait(patience);
    }
    Members confirmed;
    std::string refusals;
    for (std::size_t i = 0; i < there.size(); ++i) {
      if (answers[i].is_there)
        confirmed.push_back(std::move(there[i]));
      else if (refusals.size() < 512)
        refusals += "; " + there[i].host + ": " + answers[i].why.text();
    }
    there = std::move(confirmed);
    why = Error::failed(name_ + " says that it is ready, and is confirmed on " + how_many(there.size()) +
                        refusals);
  }

  Task<void> ask(Context& ctx, const RemoteMember& member, Answer& answer) {
    config::Probe question = *wanted_.confirm;
    bool is_whole = true;
    config::put_outputs_into(question, [&](config::OutputName name) {
      const auto found =
          std::ranges::find(member.outputs, name.key, [](const auto& one) { return one.first; });
      if (found != member.outputs.end()) return found->second;
      is_whole = false;
      answer.why = Error::failed("has published no " + std::string(name.key));
      return std::string();
    });
    if (!is_whole) co_return;
    ProbeContext about{.service = about_.service, .tree = {}};
    auto probe = factory_.make(question, about);
    if (!probe) {
      answer.why = probe.error();
      co_return;
    }
    const CheckResult outcome = co_await (*probe)->check(ctx);
    answer.is_there = outcome.has_value();
    if (!outcome) answer.why = outcome.error();
  }

  Factory& factory_;
  std::string name_;
  config::ClusterExpectation wanted_;
  ProbeContext about_;
  std::unique_ptr<RemoteService> others_;
  NewsListener* listener_ = nullptr;
  bool is_up_ = false;
  bool is_refuted_ = false;     // they are there, and what was to confirm it failed
  bool is_to_confirm_ = false;  // for somebody who wants to start
  TimePoint as_of_ = TimePoint::min();
  Members confirmed_;
  Members told_;    // who were there, the last time that it was up
  Members quorum_;  // of these, by whom it is
};

}  // namespace

Made make_cluster(RemoteServices& others, Factory& factory, const config::Probe& spec,
                  const ProbeContext& about) {
  return std::make_unique<ClusterProbe>(others, factory, spec, about);
}

}  // namespace belfry::probes
