#include "cli/help.hpp"

#include <utility>

namespace belfry::cli {
namespace {

constexpr std::string_view belfry_help = R"(belfry starts services in the order in which they become ready.

usage: belfry COMMAND [OPTION…] [ARGUMENT…]

  run      be the daemon: start the stack, keep it up, take it down
  exec     bring the stack up, run a command once it is ready, take it down
  check    say everything that is wrong with a file
  graph    draw who waits for whom
  status   show who is ready, who waits for what, and since when
  events   what happened to the services of a running belfry
  logs     what the services of a running belfry wrote
  wait     wait for servers, files, names, or services of a running belfry
  start, stop, restart, kill, reload    control services of a running belfry
  shutdown    take the stack down
  import   turn a compose file or a Procfile into a belfry file
  completion, version, help

Without -c FILE, the file is belfry.yaml here, or /etc/belfry/belfry.yaml.

examples:
  belfry check                   # is the file right?
  belfry run                     # in the foreground, until Ctrl-C
  belfry exec -- pytest          # the tests, in a stack that is ready
  belfry help run                # more about one command
)";

constexpr std::string_view run_help = R"(belfry run: start the stack, keep it up, take it down at the end.

usage: belfry run [-c FILE]… [--profile NAME]… [SERVICE…]
       belfry run [OPTION]… -- COMMAND [ARGUMENT…]   an init for one command

  SERVICE          only these, and what they require; default: all enabled ones
  -c, --file FILE  the file; several are merged in their order
  --profile NAME   enable the services of a profile ($BELFRY_PROFILES too)

It stays in the foreground, as PID 1 or not. SIGTERM or Ctrl-C stops the stack
in reverse order; a second one kills at once. So does the loss of its terminal.
Exit: 0 stopped as asked, 65 bad file, 66 no file, 69 an essential service
failed, 71 a socket is taken; otherwise the code of the service that is `main`.

With `--` no file is read. Every signal goes to COMMAND's process group, its
exit code is belfry's, what it leaves behind gets SIGTERM, then SIGKILL.
  --kill-after D   the time between these two (default 10s)
  --single-child   signals go to COMMAND alone
  --rewrite A:B    pass on signal B for A; 0: nothing
  --remap-exit N   exit 0 where COMMAND exits with N
  --parent-death-signal SIGNAL   sent to belfry when its parent dies

examples:
  belfry run -c base.yaml -c dev.yaml --profile debug api
)";

constexpr std::string_view exec_help =
    R"(belfry exec: bring the stack up, run a command once it is ready, take it down.

usage: belfry exec [-c FILE]… [--timeout D] [SERVICE…] -- COMMAND [ARGUMENT…]

  SERVICE          only these, and what they require; default: all enabled ones
  -c, --file FILE  the file; several are merged in their order
  --profile NAME   enable the services of a profile
  --timeout D      give up when the stack is not ready by then (default 5m)
  --logs FILE      append the lines of belfry and its services to a file; `-`:
                   standard output (default: standard error)

The command has the terminal, standard output, $BELFRY_SOCKET for a
`belfry status` in it, and what services have published: PORT of db is
$BELFRY_OUT_DB_PORT, in capitals, every other character `_`.
Several of these may run at once on one host.
Exit: the command's own; 69, with who is to blame, when the stack is not ready;
127 or 126, before anything is started, when the command cannot be run.

examples:
  belfry exec -- pytest -q
  belfry exec --timeout 30s -c ci.yaml api -- ./smoke-test
  belfry exec -- belfry status
)";

constexpr std::string_view check_help = R"(belfry check: say everything that is wrong with a file.

usage: belfry check [FILE…] [--profile NAME]… [--format text|json|sarif]
                    [--strict]

  FILE, -c, --file FILE    the file; several are merged in their order
  --profile NAME   check with a profile enabled
  --format F       text (default), json for editors, sarif for CI services
  --strict         warnings are errors: on the machine that will run it
  --schema         print the JSON Schema of the file format, for editors

Nothing is started. All problems are shown at once, with place and what to do.
What cannot run on this machine is a warning: a program, interpreter, directory
or user that is not there, a port that is taken.
Exit: 0 nothing wrong (warnings are allowed), 65 errors, 66 no such file.

examples:
  belfry check
  belfry check shop.yaml
  belfry check --format json shop.yaml | jq .errors
)";

constexpr std::string_view graph_help = R"(belfry graph: draw who waits for whom.

usage: belfry graph [FILE…] [--profile NAME]… [--format text|dot|mermaid|json]
                    [--times FILE]

  FILE, -c, --file FILE    the file; several are merged in their order
  --profile NAME   draw with a profile enabled
  --format F       text (default), dot for Graphviz, mermaid for Markdown, json
  --times FILE     the longest chain by time: lines `db 1.5s`, or /metrics

Exit: 0, 65 errors in the file, 66 no such file.

examples:
  belfry graph
  belfry graph --format dot shop.yaml | dot -Tsvg > shop.svg
  curl -s http://127.0.0.1:9600/metrics | belfry graph --times -
)";

constexpr std::string_view status_help =
    R"(belfry status: show who is ready, who waits for what, and since when.

usage: belfry status [SERVICE…] [--json] [--socket PATH | -c FILE]

  SERVICE          only these; default: all
  --json           what /v1/services says
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

The daemon is found by --socket, -c, $BELFRY_SOCKET or belfry.yaml here.
Exit: 0 it answered, 64 no such service, 69 no daemon answers.

examples:
  belfry status
  belfry status api db
  belfry status --json | jq '.services[] | select(.ready | not) | .name'
)";

constexpr std::string_view events_help =
    R"(belfry events: what happened to the services of a running belfry, and why.

usage: belfry events [SERVICE…] [-f] [--since N|D] [--kind K]… [--json]

  SERVICE          only of these; default: all, and the stack
  -f, --follow     go on with what happens, until the daemon ends
  --since N|D      behind event number N, or of the last 10m, 1h30m, …
  --kind K         state, bell (started, or an own one), notice, stack
  --json           one JSON object a line, as /v1/events says it
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

A line says when, who, what, and which probe, log line or datagram was the
reason. The daemon keeps the newest events only.
Exit: 0 done, 64 no such service, 69 no daemon answers, 130 Ctrl-C.

examples:
  belfry events api
  belfry events -f --kind state
  belfry events --json --since 10m | jq 'select(.state == "failed") | .cause'
)";

constexpr std::string_view logs_help =
    R"(belfry logs: what the services of a running belfry wrote, merged in time.

usage: belfry logs [SERVICE…] [-f] [-n N] [--since D|TIME] [--grep RE] [--json]

  SERVICE          only these; a gate, or replicas by their bare name: all of
                   them; belfry: its own lines. Default: everything
  -f, --follow     go on with what is written, until the daemon ends
  -n, --lines N    the last N of each service (default: all; with -f: 10)
  --since D|TIME   of the last 10m, 1h30m, … or from 09:30, "2026-11-30 09:30"
  --grep RE        only lines with a match (RE2's regular expressions)
  --stream S       stdout or stderr, where `log` keeps them apart
  -t, --timestamps with the time at which belfry read each line
  --json           one JSON object a line, as /v1/logs says it
  --socket PATH, -c, --file FILE   the socket, or the file, of the daemon

The daemon keeps the newest MiB of each service, of all its runs.
Exit: 0 done, 64 no such service, 69 no daemon answers, 130 Ctrl-C.

examples:
  belfry logs -f api worker
  belfry logs --since 10m --grep '(?i)error|panic'
  belfry logs -n 100 --json db | jq -r .line
)";

constexpr std::string_view wait_help =
    R"(belfry wait: wait for servers, files, names, services of a running belfry.

usage: belfry wait [OPTION…] TARGET… [-- COMMAND [ARGUMENT…]]

  TARGET    host:port, or a URL: tcp tls http https unix file dns postgres mysql
            redis rediss amqp amqps memcached grpc grpcs; or a service's name
  --any     the first is enough            --not   until it is no longer so
  --timeout D, --attempt-timeout D         of the whole (none), of a try (2s)
  --interval D     between tries (default: 1/50 of the wait, 1ms to 250ms)
  --for C          services: started, ready, completed, stopped, or an own bell;
                   --condition: the same; --socket PATH, -c, --file FILE: whose
  --method M, --header K:V, --status 200-399, --body REGEX, --json /path=value
  --ca FILE, --cert FILE, --key FILE, --insecure    TLS; --query SQL   databases
  -q, --quiet      say nothing meanwhile

COMMAND takes its place once all is so. Exit: 0, 124 timed out, 64 not
understood, 69 it can never be so, 127 or 126 no such command.

examples:
  belfry wait db:5432 http://api:8080/health -- ./serve
  belfry wait --timeout 30s --any redis://a redis://b
  belfry wait --for completed migrate && ./report
)";

constexpr std::string_view start_help = R"(belfry start: start services, and what they require.

usage: belfry start [--no-wait | --timeout D] [--only] SERVICE…

  --no-wait        return at once, not when they are ready
  --timeout D      stop waiting after this time (default: never)
  --only           without what they require
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

After 10 s it says whom it waits for, then ever more seldom.
Exit: 0 done, 64 no such service, 69 it could not be done, 77 not permitted,
124 timed out.

examples:
  belfry start api
  belfry start --no-wait worker
)";

constexpr std::string_view stop_help =
    R"(belfry stop: stop services, after everything that depends on them has stopped.

usage: belfry stop [--no-wait | --timeout D] [--only] SERVICE…

  --no-wait        return at once, not when they have stopped
  --timeout D      stop waiting after this time (default: never)
  --only           leave the dependents running
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

After 10 s it says whom it waits for, then ever more seldom.
Exit: 0 done, 64 no such service, 69 it could not be done, 77 not permitted,
124 timed out.

examples:
  belfry stop db            # stops api first
  belfry stop --only cache
)";

constexpr std::string_view restart_help =
    R"(belfry restart: stop services and their dependents, and bring them back.

usage: belfry restart [--no-wait | --timeout D] [--only] SERVICE…

  --no-wait        return at once, not when they are ready again
  --timeout D      stop waiting after this time (default: never)
  --only           leave the dependents running
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

After 10 s it says whom it waits for, then ever more seldom.
Exit: 0 done, 64 no such service, 69 it could not be done, 77 not permitted,
124 timed out.

examples:
  belfry restart api
  belfry restart --only cache
)";

constexpr std::string_view kill_help = R"(belfry kill: kill services with all their processes, now.

usage: belfry kill [--no-wait | --timeout D] SERVICE…

  --no-wait        return at once, not when they are gone
  --timeout D      stop waiting after this time (default: never)
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

A service whose restart policy says so comes back; to keep it down, stop it.
After 10 s it says whom it waits for, then ever more seldom.
Exit: 0 done, 64 no such service, 69 it could not be done, 77 not permitted,
124 timed out.

examples:
  belfry kill api
)";

constexpr std::string_view reload_help = R"(belfry reload: let services read their own configuration again.

usage: belfry reload [--no-wait | --timeout D] SERVICE…

  --no-wait        return at once, not when they are ready again
  --timeout D      stop waiting after this time (default: never)
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

A service is reloaded as its `reload:` says: a signal or a command.
After 10 s it says whom it waits for, then ever more seldom.
Exit: 0 done, 64 no such service, 69 it could not be done, 77 not permitted,
124 timed out.

examples:
  belfry reload nginx
)";

constexpr std::string_view shutdown_help = R"(belfry shutdown: take the whole stack down, in reverse order.

usage: belfry shutdown [--no-wait | --timeout D]

  --no-wait        return at once, not when the daemon has ended
  --timeout D      stop waiting after this time (default: never)
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

After 10 s it says whom it waits for, then ever more seldom.
Exit: 0 done, 69 no daemon answers, 77 not permitted, 124 timed out.

examples:
  belfry shutdown
  belfry shutdown -c shop.yaml
)";

constexpr std::string_view import_help =
    R"(belfry import: turn a file of another tool into a belfry file, on stdout.

usage: belfry import compose|process-compose|procfile FILE     (FILE may be -)

What has no counterpart is said on standard error, with its line.
Exit: 0 done, 65 the file cannot be read as one of that kind, 66 no such file.

examples:
  belfry import compose docker-compose.yml > belfry.yaml
  docker compose config | belfry import compose - > belfry.yaml
  belfry import procfile Procfile > belfry.yaml && belfry check
)";

constexpr std::string_view completion_help =
    R"(belfry completion: print what a shell needs to complete belfry's commands.

usage: belfry completion bash|zsh|fish

examples:
  source <(belfry completion bash)
  belfry completion zsh > ~/.zfunc/_belfry      # a directory of $fpath
  belfry completion fish > ~/.config/fish/completions/belfry.fish
)";

constexpr std::string_view version_help = R"(belfry version: print the version and which build it is.

usage: belfry version

One line: static or dynamic, TLS or none, whose malloc, which compiler. A static
build names the OpenSSL that is in it.

examples:
  belfry version
)";

constexpr std::pair<std::string_view, std::string_view> texts[] = {
    {"", belfry_help},
    {"run", run_help},
    {"exec", exec_help},
    {"check", check_help},
    {"graph", graph_help},
    {"status", status_help},
    {"events", events_help},
    {"logs", logs_help},
    {"wait", wait_help},
    {"start", start_help},
    {"stop", stop_help},
    {"restart", restart_help},
    {"kill", kill_help},
    {"reload", reload_help},
    {"shutdown", shutdown_help},
    {"import", import_help},
    {"completion", completion_help},
    {"version", version_help},
    {"help", belfry_help},
};

}  // namespace

std::string_view help_text(std::string_view command) {
  for (const auto& [name, text] : texts) {
    if (name == command) return text;
  }
  return {};
}

}  // namespace belfry::cli
