// A command that waits for an answer.
#pragma once

#include <functional>

#include "client/wait_schedule.hpp"

namespace belfry::client {

struct Waiting {
  WaitSchedule schedule;
  std::function<void()> remind;  // says who is waited for; empty: nothing is said
};

}  // namespace belfry::client
