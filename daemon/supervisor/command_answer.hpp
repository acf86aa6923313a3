// How the wait of a command ended, as whoever has asked is told.
#pragma once

#include <string_view>

#include "channels/error.hpp"
#include "daemon/view/command.hpp"

namespace belfry::daemon {

// "NAME DONE", or "cannot VERB NAME: why" with the outcome that the error stands for.
void answer(CommandResult& result, const Result<void>& waited, std::string_view verb, std::string_view name,
            std::string_view done);

}  // namespace belfry::daemon
