// What the last lines that a run has written say of its end, where its exit code says nothing. Pure.
//
// Nobody has agreed on what a program says when its port is taken or a library is missing, but there are few
// who say it first: loaders, shells, env, the C library and the runtimes of languages. Their wordings are
// here. Of what else was written nothing is repeated: it may hold anything, a password too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::daemon {

enum class Complaint : std::uint8_t {
  none,
  library_missing,      // `thing`: the library
  library_too_old,      // the version that is missing: "GLIBC_2.38"
  symbol_missing,       // the symbol
  library_foreign,      // the library: of another processor or word size
  interpreter_missing,  // the interpreter; env did not find it in PATH, or a shell where a script says
  interpreter_words,    // what env was given as one name: "python3 -u"
  carriage_return,      // a script with CRLF line ends; the name that was looked for, or empty
  command_missing,      // the command that a shell has not found
  command_forbidden,    // the command that a shell or env may not execute
  command_foreign,      // the command that is no program for this machine
  port_taken,           // `ports`: of which, the likeliest first; empty: it did not say
  port_forbidden,       // the same
  process_limit,        // no process or thread could be made
  descriptor_limit,
  memory_short,
  disk_full,
};

struct LastWords {
  Complaint complaint = Complaint::none;
  std::string thing{};  // fit for a message, and of bounded length
  std::vector<std::uint16_t> ports{};
};

// `tail`: what was written last, from anywhere in a line on.
[[nodiscard]] LastWords read_last_words(std::string_view tail);

// What it means and what to do, as half a sentence: "its loader finds no library libpq.so.5 (…)". Empty for
// `none`, and for ports, where the machine has to be asked.
[[nodiscard]] std::string text_of(const LastWords& words);

}  // namespace belfry::daemon
