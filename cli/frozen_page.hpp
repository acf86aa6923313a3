// The dashboard of one moment as a file: the page, and the answers that it would have got.
#pragma once

#include <string>

#include "cli/options.hpp"
#include "client/client.hpp"

namespace belfry::cli {

// Asks the daemon for everything that the page shows. The answers stand in it as data that no browser takes
// for markup or for a script.
[[nodiscard]] Expected<std::string> frozen_page(client::Client& client);

}  // namespace belfry::cli
