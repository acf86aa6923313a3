// When memory runs out, a service should go and its supervisor should stay.
#pragma once

#include <optional>

namespace belfry::system {

// Makes this process one of the last that the kernel kills for memory (CAP_SYS_RESOURCE; without it a raised
// score is taken back). To be called when the stack is up and not before: children inherit the score, and
// what is started later puts the old one back, which costs each of them some microseconds that the first
// start should not.
void lower_oom_score();

// The score before lower_oom_score() changed it; empty when it did not. Source: proc(5), oom_score_adj.
std::optional<int> entry_oom_score();

}  // namespace belfry::system
