#include "cli/manual.hpp"

#include <string_view>

#include "cli/help.hpp"
#include "cli/options.hpp"
#include "cli/version.hpp"

namespace belfry::cli {
namespace {

constexpr std::string_view beginning = R"(.SH NAME
belfry \- start services in the order in which they become ready
.SH SYNOPSIS
.B belfry
.I COMMAND
.RI [ OPTION ...]
.RI [ ARGUMENT ...]
.SH DESCRIPTION
.B belfry
reads a file of services and of what each of them depends on, starts every service the moment what it depends on is
.IR ready ,
keeps them running, and stops them in reverse order.
.SH COMMANDS
)";

// What no command's help has room for.
constexpr std::string_view ending = R"troff(.SH OPTIONS OF EVERY COMMAND
.TP
.BR \-h ", " \-\-help
The text of this command, as above.
.SH ENVIRONMENT
.TP
.B BELFRY_SOCKET
The control socket; set for the command of
.BR "belfry exec" .
.TP
.B BELFRY_OUT_DB_PORT
What the service
.I db
has published as
.IR PORT ,
secrets included; set for the command of
.BR "belfry exec" .
Both names are in capitals, every other character is
.BR _ .
.TP
.B BELFRY_PROFILES
Profiles, separated by commas.
.TP
.B TRACEPARENT
The trace and the span that a trace of the start is a part of (W3C Trace Context).
.TP
.I any other
Variables that the file names as
.BR ${NAME} .
What the environment lacks is looked for in a file
.I .env
beside the (first) file.
.TP
.B XDG_RUNTIME_DIR
Where the control socket is made, before
.I /run/belfry
and a directory of the user's own below
.BR $TMPDIR .
.TP
.B XDG_STATE_HOME
Where
.B up
writes what
.B run
would show
.RI ( belfry/NAME.log ),
and where
.B run
keeps the history of a stack's starts and stops,
.IR belfry/NAME.history ,
before
.IR /var/lib/belfry .
.TP
.B NO_COLOR
No colour, even on a terminal. With
.B TERM=dumb
nothing is drawn in the same place again either.
.TP
.BR LC_ALL ", " LC_CTYPE ", " LANG
Whether the signs of the live view may be more than ASCII.
.SH SIGNALS
.BR run " and " exec :
TERM and INT stop the stack in order; a second one kills what is left at once, and so does QUIT.
The same signal within half a second is the same request: wrappers and
.BR timeout (1)
signal twice.
HUP stops it in order, too, when belfry's terminal has gone (unless HUP was ignored at the start, as
.BR nohup (1)
does); sent by anybody else it makes belfry take its changed file over, as
.B belfry reload
does.
USR1 makes belfry say what each of its own tasks waits for and since when, a line each; under
.B exec
the command gets it instead.
USR2 opens the log files again (of
.BR run ,
as for USR1).
.SH OUTPUT
belfry never waits for who reads its output, and neither do services. What cannot be written is held, 1 MiB for each service; then the
oldest lines go, and a line
.RB \(lq "NAME | [belfry: 12 lines lost here: \fR...\fB]" \(rq
says how many. At the end a reader who is late is given two seconds without progress, and ten in all; a pipe is made larger (up to 1 MiB),
so that it holds the last lines when belfry has gone. The second signal ends that at once.
On a terminal nothing that a service writes is obeyed but its colours.
.SH RESOURCE LIMITS
belfry raises its own soft limit of open files to the hard one; services get back what belfry was given.
A running service holds one descriptor for its output, one more for each socket or pipe on which it says that it is ready
.RB ( notify ", " port ", " unix ", " fd ),
and those of
.B listen
and
.BR fd_store .
A stack that needs more than the limit is told so at the start. What cannot start for it is tried again (a service whose
.B listen
sockets cannot be made fails), and a few descriptors are kept back, so that
.BR status " and " stop
are answered all the same. Raise the hard limit with
.B LimitNOFILE=
in a unit,
.B \-\-ulimit nofile=
of a container, or
.B ulimit \-Hn
in a shell.
.SH EXIT STATUS
.TP
.B 0
Done; stopped as asked.
.TP
.B 1
.BR "status \-\-ready" :
not everything is ready.
.TP
.B 64
Usage; no such service.
.TP
.B 65
The file has errors.
.TP
.B 66
The file cannot be read.
.TP
.B 69
Not ready, can never be so, or no daemon answers.
.TP
.B 71
The system refused something, such as a port that is taken.
.TP
.B 77
Not permitted.
.TP
.B 124
.B wait
timed out.
.TP
.BR 126 ", " 127
The command of
.BR exec ", " wait " or " run
cannot be executed, or is not there; of
.B exec
nothing was started.
.PP
Otherwise the code of the command of
.BR exec " or " run ,
or of the service that is
.BR main ;
128+n after signal n.
)troff";

// Text as it stands, for troff: nothing of it is a request, an escape or a ligature.
std::string literal(std::string_view text) {
  std::string out;
  bool begins = true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    begins = c == '\n';
    switch (c) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '\'': out += "\\(aq"; break;
      case '`': out += "\\(ga"; break;
      case '^': out += "\\(ha"; break;
      case '~': out += "\\(ti"; break;
      default: out += c;
    }
  }
  constexpr std::string_view ellipsis = "…";
  for (auto at = out.find(ellipsis); at != std::string::npos; at = out.find(ellipsis, at))
    out.replace(at, ellipsis.size(), "...");
  return out;
}

// "belfry run: start the stack, …" is the heading and the first line.
std::string section_of(const std::string& command) {
  const std::string_view text = help_text(command);
  const std::size_t end = text.find('\n');
  const std::string_view first = text.substr(0, end);
  const std::size_t colon = first.find(": ");
  std::string out = ".SS belfry " + literal(command) + "\n";
  std::string sentence(colon == std::string_view::npos ? first : first.substr(colon + 2));
  if (!sentence.empty() && sentence.front() >= 'a' && sentence.front() <= 'z')
    sentence.front() = static_cast<char>(sentence.front() - 'a' + 'A');
  out += literal(sentence) + "\n.PP\n.EX\n";
  std::string_view rest = text.substr(end == std::string_view::npos ? text.size() : end + 1);
  while (rest.starts_with('\n')) rest.remove_prefix(1);
  return out + literal(rest) + ".EE\n";
}

}  // namespace

std::string manual_page() {
  std::string page =
      ".\\\" Made by `belfry help --man` from what --help shows (cli/help.cpp, cli/manual.cpp).\n";
  page += ".TH BELFRY 1 \"\" \"belfry " + std::string(version()) + "\" \"User commands\"\n";
  page += beginning;
  for (const CommandOptions& command : all_commands()) page += section_of(command.command);
  return page + std::string(ending);
}

}  // namespace belfry::cli
