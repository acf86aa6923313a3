// The course of a start or a stop: which step began when, after which others, and what follows from that.
//
// The problem: a service begins when the last of its edges holds, and what it waits for is an *event* of
// another one (its bell, the success of a exec), which need not be its end. So the model is a graph of
// events: a step begins a while (`lag`) after the last event that it waits for, and its events come so long
// (`after`) after its own begin. Everything is measured once; critical path, slack and what-if are computed
// from it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "channels/time/time.hpp"

namespace belfry::analyze {

// An event of another step that a step waits for.
struct Wait {
  std::size_t on = 0;
  std::string condition;  // "ready"
  Duration held{0};       // since when, counted from the beginning of the course
};

// Spans are counted from the beginning of the course.
struct Step {
  std::string name;
  Duration wanted{0};  // when somebody asked for it
  Duration begin{0};   // all that it waited for was there, and it began
  Duration end{0};     // it was ready; of a stop: gone
  std::vector<Wait> waits;
};

struct Course {
  std::vector<Step> steps;
};

// One step of the critical path, first to last.
struct Link {
  std::size_t step = 0;
  Duration waited{0};     // from the event that it waited for (the first: from the beginning) to its begin
  Duration took{0};       // from its begin to the event that the next one waited for (the last: to its end)
  std::string condition;  // of that event; of the last one empty
};

// A step that got faster by so much, and how much earlier everything is done then.
struct Gain {
  std::size_t step = 0;
  Duration faster{0}, earlier{0};
};

// Owner: whoever asks. Lifecycle: the course is copied. Cancellation: none, it computes.
class Analysis {
 public:
  // Waits that cannot be the reason of a begin (that held only later, or on a step that began after them)
  // count as fixed moments, or not at all.
  explicit Analysis(Course course);

  [[nodiscard]] const Course& course() const { return course_; }
  // When the last step was done.
  [[nodiscard]] Duration end() const { return end_; }
  [[nodiscard]] const std::vector<Link>& critical_path() const { return path_; }
  [[nodiscard]] bool is_critical(std::size_t step) const { return critical_[step]; }
  // By how much a step could have taken longer without delaying the end.
  [[nodiscard]] Duration slack(std::size_t step) const { return slack_[step]; }
  // When everything is done if one step takes so much less (never less than nothing).
  [[nodiscard]] Duration end_if(std::size_t step, Duration faster) const;
  // What is gained at most by each step of the critical path, the greatest first.
  [[nodiscard]] std::vector<Gain> gains() const;

 private:
  struct Need {
    std::size_t on = 0;
    bool of_its_end = false;  // it moves with the end of the other, and not only with its begin
    Duration after{0};        // from the other's begin, or end, to the event
  };
  struct Rule {
    std::vector<Need> needs;
    Duration not_before{0};  // what it waits for beside other steps
    Duration lag{0};
    Duration took{0};
  };

  void learn();
  void sort();
  void find_path();
  void find_slack();
  [[nodiscard]] Duration event(const Need& need, const std::vector<Duration>& begin,
                               const std::vector<Duration>& end) const;
  [[nodiscard]] Duration simulate(std::size_t changed, Duration faster) const;

  Course course_;
  std::vector<Rule> rules_;
  std::vector<std::size_t> order_;  // each step after those that it waits for
  std::vector<bool> critical_;
  std::vector<Duration> slack_;
  std::vector<Link> path_;
  Duration end_{0};
};

}  // namespace belfry::analyze
