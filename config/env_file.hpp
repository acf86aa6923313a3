// Files of `KEY=VALUE` lines, as compose reads them.
#pragma once

#include <string>

#include "config/decoder.hpp"

namespace belfry::config {

// Lines are `KEY=VALUE`, optionally behind `export `; blank lines and `#` comments are skipped. Double
// quotes know \n \t \\ \" \$ and variables, single quotes nothing, and an unquoted value ends before
// ` #`. Variables are those of belfry and those further up in the file. Mistakes carry their place in
// the file, which is added to the sources.
void read_env_text(Decoder& decoder, std::uint32_t source, Pairs& out);

}  // namespace belfry::config
