#include "daemon/state/notify_refusal.hpp"

#include <utility>

namespace belfry::daemon {

namespace {

struct Words {
  std::string_view name, text;
};

constexpr std::array<Words, notify_refusal_count> words = {{
    {"too_long", "longer than 4096 bytes"},
    {"has_nul", "with a NUL inside"},
    {"not_utf8", "with a STATUS that is not UTF-8"},
    {"bad_barrier", "with a BARRIER=1 that is not alone with one descriptor"},
    {"cut_off", "cut off by the kernel"},
    {"no_credentials", "without credentials"},
    {"stranger", "from no process of the service"},
    {"not_allowed", "from a process that notify_access keeps silent"},
    {"after_stopping", "READY=1 after STOPPING=1"},
    {"bad_main_pid", "MAINPID of no process of the service"},
    {"bad_output", "an output that is not KEY=VALUE in UTF-8, or too long"},
    {"late_output", "an output after its bell"},
    {"too_many_outputs", "an output beyond 64 of them or 16 KiB"},
}};

}  // namespace

std::string_view name_of(NotifyRefusal why) { return words[std::to_underlying(why)].name; }
std::string_view text_of(NotifyRefusal why) { return words[std::to_underlying(why)].text; }

}  // namespace belfry::daemon
