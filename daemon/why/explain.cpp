#include "daemon/why/explain.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "daemon/why/culprit.hpp"
#include "daemon/why/help.hpp"
#include "daemon/why/sentence.hpp"

namespace belfry::daemon {

namespace {

// What a person reads; the rest is counted.
constexpr std::size_t most_lines = 40;
constexpr std::size_t most_culprits = 8;
constexpr std::size_t most_waiting = 6;
constexpr std::size_t most_names = 6;

// "a → b → … → y → z".
std::string names_of(const StackFacts& stack, const std::vector<std::size_t>& way, std::size_t from) {
  std::string text;
  const std::size_t count = way.size() - from;
  for (std::size_t i = 0; i < count; ++i) {
    const bool left_out = count > most_names && i >= most_names / 2 && i < count - most_names / 2;
    if (left_out && i > most_names / 2) continue;
    text += text.empty() ? "" : " → ";
    text += left_out ? "…" : stack.services[way[from + i]].name;
  }
  return text;
}

// Of a gate that can spare some of its members, and has too few all the same.
std::string quorum_text(const StackFacts& stack, const std::vector<std::size_t>& way) {
  for (const std::size_t one : way) {
    const ServiceFacts& facts = stack.services[one];
    if (facts.members > facts.needed && !facts.waits.empty())
      return "; " + facts.name + " has " + std::to_string(facts.holding) + " of the " +
             std::to_string(facts.needed) + " that it needs";
  }
  return {};
}

std::string headline_of(const StackFacts& stack, const Culprits& culprits,
                        const std::vector<std::size_t>& way) {
  const ServiceFacts& first = stack.services[way.front()];
  const ServiceFacts& last = stack.services[way.back()];
  if (way.size() == 1) return sentence_of(last);
  const WaitFacts* via = culprits.wait_of(way[way.size() - 2]);
  std::string text = first.name;
  const WaitFacts& wait = *culprits.wait_of(way.front());
  if (first.reason == Reason::edge_timeout && first.state == State::failed)
    text += " has failed: " + first.words;
  else if (wait.to_stop)
    text += " is to stop, and waits for " + names_of(stack, way, 1);
  else
    text += " waits for " + names_of(stack, way, 1);
  return text + ": " + sentence_of(last, via) + quorum_text(stack, way);
}

ChainLine line_of(const StackFacts& stack, std::size_t service, std::size_t depth, const WaitFacts* via) {
  const ServiceFacts& facts = stack.services[service];
  return {.depth = depth,
          .service = facts.name,
          .state = facts.state,
          .for_long = facts.for_long,
          .text = facts.waits.empty() ? predicate_of(facts, via) : waiting_text(stack, facts)};
}

// Each service once, in the order of the file.
void draw_tree(const StackFacts& stack, const Culprits& culprits, std::size_t root, Explanation& out) {
  struct Visit {
    std::size_t service, depth;
    const WaitFacts* via;
  };
  const std::size_t culprit = culprits.of(root);
  std::vector<bool> seen(stack.services.size());
  std::vector<Visit> todo = {{root, 0, nullptr}};
  while (!todo.empty()) {
    const Visit visit = todo.back();
    todo.pop_back();
    if (seen[visit.service]) continue;
    seen[visit.service] = true;
    if (out.chain.size() < most_lines || visit.service == culprit) {
      out.chain.push_back(line_of(stack, visit.service, visit.depth, visit.via));
      out.chain.back().is_culprit = visit.service == culprit;
    } else {
      ++out.left_out;
    }
    const auto& waits = stack.services[visit.service].waits;
    for (auto wait = waits.rbegin(); wait != waits.rend(); ++wait)
      todo.push_back({wait->on, visit.depth + 1, &*wait});
  }
}

// Who waits because of whom; the worst first, and of those the one whom most wait for.
struct Blame {
  std::size_t culprit = 0;
  const WaitFacts* via = nullptr;  // of the first who waits for it
  std::vector<std::size_t> waiting;
};

std::vector<Blame> blames_of(const StackFacts& stack, const Culprits& culprits) {
  std::map<std::size_t, Blame> all;
  for (const std::size_t asked : stack.asked) {
    const std::vector<std::size_t> way = culprits.way_from(asked);
    Blame& blame = all[way.back()];
    blame.culprit = way.back();
    if (way.size() == 1) continue;
    if (blame.via == nullptr) blame.via = culprits.wait_of(way[way.size() - 2]);
    blame.waiting.push_back(asked);
  }
  std::vector<Blame> sorted;
  sorted.reserve(all.size());
  for (auto& [culprit, blame] : all) sorted.push_back(std::move(blame));
  std::ranges::sort(sorted, [&](const Blame& a, const Blame& b) {
    return std::tuple(culprits.rank(a.culprit), b.waiting.size(), a.culprit) <
           std::tuple(culprits.rank(b.culprit), a.waiting.size(), b.culprit);
  });
  return sorted;
}

void draw_blames(const StackFacts& stack, const std::vector<Blame>& blames, Explanation& out) {
  for (std::size_t i = 0; i < blames.size(); ++i) {
    const Blame& blame = blames[i];
    if (i >= most_culprits) {
      out.left_out += 1 + blame.waiting.size();
      continue;
    }
    out.chain.push_back(line_of(stack, blame.culprit, 0, blame.via));
    out.chain.back().is_culprit = true;
    for (std::size_t n = 0; n < std::min(blame.waiting.size(), most_waiting); ++n)
      out.chain.push_back(line_of(stack, blame.waiting[n], 1, nullptr));
    out.left_out += blame.waiting.size() - std::min(blame.waiting.size(), most_waiting);
  }
}

void add_evidence(const ServiceFacts& culprit, Explanation& out) {
  const auto add = [&out](std::string label, const std::string& text) {
    if (!text.empty()) out.evidence.push_back({std::move(label), text});
  };
  if (culprit.failures > 1) add("failures", std::to_string(culprit.failures) + " in a row");
  for (std::size_t i = 0; i < culprit.past.size(); ++i) add(i == 0 ? "last run" : "before", culprit.past[i]);
  const bool asks = culprit.state == State::starting || culprit.state == State::unready;
  if (asks) add("known by", culprit.method);
  if (!asks) add("last probe", culprit.probe_error);
  add("it says", culprit.status);
}

// What the way down ends at, from all sides.
void look_at_culprit(const StackFacts& stack, std::size_t culprit, const WaitFacts* via, Explanation& out) {
  const ServiceFacts& facts = stack.services[culprit];
  out.culprit = facts.name;
  add_evidence(facts, out);
  out.log = facts.log;
  out.next = what_comes_next(facts, via);
  out.help = what_would_help(facts, via);
  if (facts.is_hidden) {
    out.help = {"the control socket and the token show why: `belfry why " + facts.name + "`"};
    return;
  }
}

bool is_fine(const ServiceFacts& facts) {
  return facts.waits.empty() && !facts.is_to_stop &&
         (facts.holds || facts.state == State::ready || facts.state == State::completed);
}

std::string fine_text(const ServiceFacts& facts) {
  if (facts.state == State::completed)
    return facts.name + " has completed, " + span_text(facts.for_long) + " ago" +
           (facts.due_in ? "; it runs again in " + span_text(*facts.due_in) : "");
  return facts.name + " is ready, for " + span_text(facts.for_long);
}

void explain_service(const StackFacts& stack, Explanation& out) {
  const std::size_t asked = stack.asked.front();
  const ServiceFacts& facts = stack.services[asked];
  out.service = facts.name;
  out.ready = is_fine(facts);
  if (out.ready) {
    out.headline = fine_text(facts);
    return;
  }
  const Culprits culprits(stack);
  const std::vector<std::size_t> way = culprits.way_from(asked);
  const WaitFacts* via = way.size() > 1 ? culprits.wait_of(way[way.size() - 2]) : nullptr;
  out.headline = headline_of(stack, culprits, way);
  draw_tree(stack, culprits, asked, out);
  look_at_culprit(stack, way.back(), via, out);
  if (way.size() == 1) return;
  for (const WaitFacts& wait : facts.waits) {
    if (wait.given_up)
      out.next.push_back(
          {facts.name + " gives up in " + span_text(*wait.given_up) + " (`timeout` of its edge)",
           wait.given_up});
  }
  const bool starts_by_itself = facts.state == State::waiting || facts.state == State::blocked;
  if (starts_by_itself) out.next.push_back({"once nothing is missing, " + facts.name + " starts by itself"});
}

void explain_stack(const StackFacts& stack, Explanation& out) {
  out.ready = stack.ready;
  if (stack.asked.empty()) {
    out.headline = stack.ready           ? stack.stack + " is ready: nothing is missing"
                   : stack.shutting_down ? stack.stack + " is going down"
                                         : stack.stack + " is not ready yet: nothing has begun";
    return;
  }
  const Culprits culprits(stack);
  const std::vector<Blame> blames = blames_of(stack, culprits);
  const Blame& worst = blames.front();
  out.verdict = sentence_of(stack.services[worst.culprit], worst.via);
  if (blames.size() > 1)
    out.verdict += "; and " + std::to_string(blames.size() - 1) + (blames.size() == 2 ? " other" : " others");
  out.headline = stack.stack + (stack.shutting_down ? " is going down: " : " is not ready: ") + out.verdict;
  draw_blames(stack, blames, out);
  look_at_culprit(stack, worst.culprit, worst.via, out);
}

}  // namespace

Explanation explain(const StackFacts& stack) {
  Explanation out;
  out.stack = stack.stack;
  if (stack.about_stack)
    explain_stack(stack, out);
  else
    explain_service(stack, out);
  return out;
}

}  // namespace belfry::daemon
