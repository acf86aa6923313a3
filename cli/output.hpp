// The end of standard output: what could not be written is an error, as of any other program.
#pragma once

namespace belfry::cli {

// The exit code: `code`, unless what was printed could not be written. A reader who has gone is no failure to
// talk about: 128 + SIGPIPE, as if the signal had ended us.
int finish_output(int code);

}  // namespace belfry::cli
