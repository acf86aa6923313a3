#include "cli/help.hpp"

#include <utility>

namespace belfry::cli {
namespace {

constexpr std::string_view belfry_help = R"(belfry starts services in the order in which they become ready.

usage: belfry COMMAND [OPTION…] [ARGUMENT…]

  up, down start the stack in the background; take it down again
  run      the same in the foreground, as a container's entrypoint or a unit
  exec     bring the stack up, run a command once it is ready, take it down
  ls, attach, dashboard    the stacks that run here; one's screen; in a browser
  check, graph  what is wrong with a file; who waits for whom
  status   show who is ready, who waits for what, and since when
  why      why a service is not up, or the stack not ready: the root of it
  events, logs  what happened to the services; what they wrote
  analyze, report   what a start or a stop took its time for; a page of a run
  wait     wait for servers, files, names, or services of a running belfry
  start, stop, restart, kill, reload, shutdown    control a running belfry
  init, import  write a first file for a project; turn another tool's into one
  completion, version, help

Without -c FILE, the file is belfry.yaml here, or /etc/belfry/belfry.yaml.

examples:
  belfry up && belfry status     # in the background, until `belfry down`
  belfry exec -- pytest          # the tests, in a stack that is ready
  belfry help run                # more about one command
)";

constexpr std::string_view run_help = R"(belfry run: start the stack, keep it up, take it down at the end.

usage: belfry run [-c FILE]… [--profile NAME]… [SERVICE…]
       belfry run [OPTION]… -- COMMAND [ARGUMENT…]   an init for one command

  SERVICE          only these, and what they require; default: all enabled ones
  -c, --file FILE  the file; several are merged in their order
  --profile NAME   enable the services of a profile ($BELFRY_PROFILES too)
  --logs FILE      lines go there; at 8 MiB on in a new one beside one FILE.1
  --report FILE, --trace FILE    written at the end: belfry help report, exec

It stays in the foreground, as PID 1 or not. SIGTERM or Ctrl-C stops the stack
in reverse order; a second one kills at once. So does the loss of its terminal.
Exit: 0 stopped as asked, 65 bad file, 66 no file, 69 an essential service
failed, 71 a socket is taken; otherwise the code of the service that is `main`.
With `--` no file is read. Every signal goes to COMMAND's process group, its
exit code is belfry's, what it leaves behind gets SIGTERM, then SIGKILL.
  --kill-after D   the time between these two (default 10s)
  --single-child   signals go to COMMAND alone; --remap-exit N: exit 0 for its N
  --rewrite A:B    pass on signal B for A; 0: nothing
  --parent-death-signal SIGNAL   sent to belfry when its parent dies

examples:
  belfry run -c base.yaml -c dev.yaml --profile debug api
)";

constexpr std::string_view exec_help =
    R"(belfry exec: bring the stack up, run a command once it is ready, take it down.

usage: belfry exec [OPTION…] [SERVICE…] -- COMMAND [ARGUMENT…]

  SERVICE          only these, and what they require; default: all enabled ones
  -c, --file FILE, --profile NAME    as for `belfry run`
  --timeout D      give up when the stack is not ready by then (default 5m)
  --logs FILE      the stack's lines go there; `-`: standard output (default:
                   standard error); -q, --quiet: shown only if something fails
  --keep           when COMMAND fails, the stack stays up until Ctrl-C
  --strict-stop    a service that had to be killed at the end is a failure
  --verdict-code N exit N if COMMAND fails and a service died, lost its port or
                   became unready meanwhile; --junit FILE: into this report, too
  --annotate CI    the same as annotations: github, or gitlab (code quality)
  --report FILE    a page of the run at its end (belfry help report);
  --trace FILE     its start as an OpenTelemetry trace (OTLP in JSON)

COMMAND has the terminal, standard output, $BELFRY_SOCKET, and what services
publish: PORT of db is $BELFRY_OUT_DB_PORT. Several may run at once.
Exit: COMMAND's own; 69, with who is to blame, when the stack is not ready; 127
or 126 when COMMAND cannot be run, before anything is started.

examples:
  belfry exec --quiet --verdict-code 75 -- pytest -q
)";

constexpr std::string_view dashboard_help =
    R"(belfry dashboard: what the stack does, in a browser.

usage: belfry dashboard [--port N]

  --port N         the port of 127.0.0.1; without it, or 0: any that is free
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

Prints a link and waits until Ctrl-C. Whoever opens the link first sees the
stack and may command it: what it needs is waited for, the graph, services
with the evidence of each bell, logs, the start and the stop on a line of
time, and any moment of the journal. The link is good once; the browser that
has used it stays let in until this command ends. Nothing is loaded from
elsewhere. On another host: ssh -L 9700:127.0.0.1:9700 HOST belfry dashboard
--port 9700. Where the file says `http:`, its address shows the same without
this command, and takes commands only with the token.
Exit: 0 closed, 64 wrong options, 69 no daemon, 71 cannot listen.

examples:
  belfry dashboard
  belfry dashboard -c shop.yaml --port 9700
)";

constexpr std::string_view report_help =
    R"(belfry report: one page of a run, for whoever was not there.

usage: belfry report [--html FILE] [--dashboard FILE]

  --html FILE      where it goes; `-`: standard output
  --dashboard FILE the dashboard of a daemon that runs, with all that it knows
                   now, as one file that asks nobody; it needs its script
  --history FILE   this history, and not that of the stack
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

The page holds the verdict, every service, why what is not ready is not, the
start and the stop as pictures, who waits for whom, the journal, and the last
lines of each log. It needs no other file, no network and no script, and is
never larger than 4 MiB. Secret outputs are not in it; what services have
written to their logs is.
Of a run that is over only the history is left; `run` and `exec` write the
whole page at their end with --report FILE.
Exit: 0 done, 64 wrong options, 69 no daemon and no history, 71 cannot write.

examples:
  belfry report --html run.html --dashboard moment.html
  belfry exec --report run.html --trace start.json -- pytest
)";

constexpr std::string_view up_help =
    R"(belfry up: start the stack in the background; back when it is ready.

usage: belfry up [-c FILE]… [--profile NAME]… [--timeout D] [SERVICE…]

  SERVICE          only these, and what they require; default: all enabled ones
  -c, --file FILE  the file; several are merged in their order
  --profile NAME   enable the services of a profile ($BELFRY_PROFILES too)
  --timeout D      stop waiting after this time (default 5m); it goes on
  --json           name, pid and log file as JSON

It is `belfry run` in a session of its own. What that writes goes to NAME.log
in $XDG_STATE_HOME/belfry, /var/lib/belfry, or beside its control socket.
Ctrl-C while it waits takes the stack down again.
Exit: 0 ready, 65 bad file, 66 no file, 69 not ready, with who is to blame,
71 it runs already, 124 timed out.

examples:
  belfry up && ./smoke-test; belfry down
  belfry up -c shop.yaml --timeout 30s db
)";

constexpr std::string_view down_help = R"(belfry down: take the whole stack down, in reverse order.

usage: belfry down [--no-wait | --timeout D]

  --no-wait        return at once, not when the daemon has ended
  --timeout D      stop waiting after this time (default: never)
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

The same as `belfry shutdown`, but a stack that is not up is no failure.
It says whom it waits for: at once on a terminal, elsewhere after 10 s.
Exit: 0 it is down, 77 not permitted, 124 timed out.

examples:
  belfry down
  belfry down -c shop.yaml --timeout 1m
)";

constexpr std::string_view ls_help = R"(belfry ls: the stacks of this user that run here.

usage: belfry ls [--json]

  --json           one object with all of them

They are found by their control sockets: at the usual places, and wherever else
one of this host listens. Root sees those of all users.
Exit: 0, also when there is none.

examples:
  belfry ls
  belfry ls --json | jq -r '.stacks[] | select(.state != "ready") | .name'
)";

constexpr std::string_view attach_help =
    R"(belfry attach: go back to the screen of a stack that runs in the background.

usage: belfry attach [STACK] [--socket PATH | -c FILE]

  STACK            its name in `belfry ls`; default: the one of the file here
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

A line for each service stays where it is, and what happens scrolls above it.
Ctrl-C asks whether to leave the stack running or to stop it. Without a
terminal, a line for each change.
Exit: 0 left, or the daemon has ended; 69 no daemon answers.

examples:
  belfry attach
  belfry attach shop
)";

constexpr std::string_view check_help = R"(belfry check: say everything that is wrong with a file.

usage: belfry check [FILE…] [--profile NAME]… [--format text|json|sarif]
                    [--strict]

  FILE, -c, --file FILE    the file; several are merged in their order
  --profile NAME   check with a profile enabled
  --format F       text (default), json for editors, sarif for CI services
  --strict         warnings are errors: on the machine that will run it (but for
                   what the user who checks may not do)
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

usage: belfry status [SERVICE…] [-w|--ready|--cluster] [--json]
                     [--socket PATH | -c FILE]

  SERVICE          only these; default: all
  -w, --watch      go on looking, on a terminal in one place; Ctrl-C leaves
  --ready          exit 1 while not everything is ready: for a HEALTHCHECK
  --cluster        who publishes what on which host, and how etcd is
  --json           what /v1/services, or /v1/cluster, says
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

The daemon is found by --socket, -c, $BELFRY_SOCKET or belfry.yaml here.
A file that has changed since the daemon has read it is named.
Exit: 0 it answered, 1 not ready (--ready), 64 no such service, 69 no daemon
answers.

examples:
  belfry status -w
  belfry status --ready api db
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

constexpr std::string_view why_help =
    R"(belfry why: why a service is not up, or why the stack is not ready.

usage: belfry why [SERVICE…] [--json]

  SERVICE          of whom; default: everything that keeps the stack from ready
  --json           what /v1/why says
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

The first line names the culprit. Below it: who waits for whom and for how
long, what is known of the culprit, its last lines, what comes next, and what
would help. `belfry exec` prints the same when its stack does not get ready.
Exit: 0 it answered, 64 no such service, 69 no daemon answers.

examples:
  belfry why
  belfry why api
  belfry why api --json | jq -r .culprit
)";

constexpr std::string_view analyze_help =
    R"(belfry analyze: what a start took its time for, or a stop.

usage: belfry analyze [--stop] [--faster SERVICE=D]… [--svg FILE] [--json]
       belfry analyze [--stop] --compare A B [--json]

  --stop           the last stop, and not the last start
  --faster S=D     what if S took D less; several are answered one by one
  --svg FILE       a picture of it too; `-`: the picture alone, to stdout
  --trace FILE     the start as an OpenTelemetry trace (OTLP in JSON) too
  --compare A B    two starts of the history, counted back: 1 is the newest
  --history FILE   this history, and not that of the stack
  --json           for programs
  --socket PATH, -c, --file FILE    the daemon by its socket, or by its file

It says which services everything waited for, one behind the other; how much
earlier all would be ready if one of them were faster; how much longer the
others could take; and what was slower than it is as a rule. Without a daemon,
and for stops, it goes by the history that `belfry run` keeps, and by the file.
Exit: 0 done, 64 wrong options, 66 no history, 69 nothing to analyze.

examples:
  belfry analyze
  belfry analyze --faster db=1s --svg start.svg
  belfry analyze --compare 2 1
)";

constexpr std::string_view wait_help =
    R"(belfry wait: wait for servers, files, names, services of a running belfry.

usage: belfry wait [OPTION…] [TARGET…] [-- COMMAND [ARGUMENT…]]

  TARGET    host:port, or a URL: tcp tls http https unix file dns postgres mysql
            redis rediss amqp amqps memcached grpc grpcs; or a service's name;
            none: every service of the stack
  --any     the first is enough            --not   until it is no longer so
  --timeout D, --attempt-timeout D         of the whole (none), of a try (2s)
  --interval D     between tries (default: 1/50 of the wait, 1ms to 250ms)
  --for C          services: started, ready, completed, stopped, or an own bell;
                   --condition: the same; --socket PATH, -c, --file FILE: whose
  --method M, --header K:V, --status 200-399, --body REGEX, --json /path=value
  --ca FILE, --cert FILE, --key FILE, --insecure    TLS; --query SQL   databases
  -q, --quiet      say nothing meanwhile

COMMAND takes its place once all is so. Exit: 0, 124 timed out, 64 not
understood, 69 never so, 127 or 126 no such command.

examples:
  belfry wait db:5432 http://api:8080/health -- ./serve
  belfry wait --for completed migrate && ./report
)";

constexpr std::string_view start_help = R"(belfry start: start services, and what they require.

usage: belfry start [--no-wait | --timeout D] [--only] [--json] SERVICE…

  --no-wait        return at once, not when they are ready
  --timeout D      stop waiting after this time (default: never)
  --only           without what they require
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

It says whom it waits for: at once on a terminal, elsewhere after 10 s.
Exit: 0 done, 64 no such service, 69 it could not be done, 77 not permitted,
124 timed out.

examples:
  belfry start api
  belfry start --no-wait worker
)";

constexpr std::string_view stop_help =
    R"(belfry stop: stop services, after everything that depends on them has stopped.

usage: belfry stop [--no-wait | --timeout D] [--only] [--json] SERVICE…

  --no-wait        return at once, not when they have stopped
  --timeout D      stop waiting after this time (default: never)
  --only           leave the dependents running
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

It says whom it waits for: at once on a terminal, elsewhere after 10 s.
Exit: 0 done, 64 no such service, 69 it could not be done, 77 not permitted,
124 timed out.

examples:
  belfry stop db            # stops api first
  belfry stop --only cache
)";

constexpr std::string_view restart_help =
    R"(belfry restart: stop services and their dependents, and bring them back.

usage: belfry restart [--no-wait | --timeout D] [--only | --rolling] [--json]
                      SERVICE…

  --no-wait        return at once, not when they are ready again
  --timeout D      stop waiting after this time (default: never)
  --only           leave the dependents running
  --rolling        its replicas one after the other, and no dependent
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

It says whom it waits for: at once on a terminal, elsewhere after 10 s.
Exit: 0 done, 64 no such service, 69 it could not be done, 77 not permitted,
124 timed out.

examples:
  belfry restart api
  belfry restart --rolling api
)";

constexpr std::string_view kill_help = R"(belfry kill: kill services with all their processes, now.

usage: belfry kill [--no-wait | --timeout D] [--json] SERVICE…

  --no-wait        return at once, not when they are gone
  --timeout D      stop waiting after this time (default: never)
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

A service whose restart policy says so comes back; to keep it down, stop it.
It says whom it waits for: at once on a terminal, elsewhere after 10 s.
Exit: 0 done, 64 no such service, 69 it could not be done, 77 not permitted,
124 timed out.

examples:
  belfry kill api
)";

constexpr std::string_view reload_help =
    R"(belfry reload: take a changed file over, or let services reload theirs.

usage: belfry reload [--dry-run] [--no-wait | --timeout D] [--json]
       belfry reload [--no-wait | --timeout D] [--json] SERVICE…

  --dry-run        only say what has changed, and whom it would touch
  --no-wait        return at once, not when what was started is ready again
  --timeout D      stop waiting after this time (default: never); it goes on
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

Without a SERVICE the stack becomes what its files say now: services come and
go, those with another command, environment or the like are restarted, after
whoever depends on them has stopped; edges, restart policies and the tuning of
probes change in place; all others keep their processes. With a mistake in the
file nothing is touched. SIGHUP does the same.
With a SERVICE, that one is told as its `reload:` says: a signal or a command.
It says whom it waits for: at once on a terminal, elsewhere after 10 s.
Exit: 0 done, 64 no such service, 65 refused: a bad file, or a key that takes a
restart of belfry; 69 not all came up, 77 not permitted, 124 timed out.

examples:
  belfry reload --dry-run && belfry reload
  belfry reload nginx
)";

constexpr std::string_view shutdown_help = R"(belfry shutdown: take the whole stack down, in reverse order.

usage: belfry shutdown [--no-wait | --timeout D]

  --no-wait        return at once, not when the daemon has ended
  --timeout D      stop waiting after this time (default: never)
  --socket PATH    the control socket of the daemon
  -c, --file FILE  the file that the daemon runs

It says whom it waits for: at once on a terminal, elsewhere after 10 s.
Exit: 0 done, 69 no daemon answers, 77 not permitted, 124 timed out.

examples:
  belfry shutdown
  belfry shutdown -c shop.yaml
)";

constexpr std::string_view import_help =
    R"(belfry import: turn a file of another tool into a belfry file, on stdout.

usage: belfry import compose|process-compose|procfile FILE     (FILE may be -)
       belfry import supervisord FILE…                and those it includes
       belfry import systemd|quadlet FILE|DIRECTORY…  with drop-ins and sockets

What has no counterpart is said on standard error, with its line. The first line
of what is written tells editors where the schema is (docs/how-to/editors.md).
Exit: 0 done, 65 the file cannot be read as one of that kind, 66 no such file.

examples:
  belfry import compose docker-compose.yml > belfry.yaml
  docker compose config | belfry import compose - > belfry.yaml
  belfry import procfile Procfile > belfry.yaml && belfry check
  belfry import supervisord /etc/supervisor/conf.d/*.conf > belfry.yaml
  belfry import systemd api.service worker@.service > belfry.yaml
  belfry import quadlet ~/.config/containers/systemd > belfry.yaml
)";

constexpr std::string_view init_help =
    R"(belfry init: write a first belfry file for a project.

usage: belfry init [DIRECTORY] [-o FILE] [--force]

  DIRECTORY          where the project is (default: here)
  -o, --output FILE  where the file goes; `-`: stdout (default: belfry.yaml)
  --force            replace a file that is there

It looks for process-compose.yaml, Procfile.dev, Procfile, compose.yaml and
docker-compose.yml: the first of them becomes the file. Scripts of package.json,
recipes of a justfile and targets of a Makefile that are called dev, serve,
start, run or worker are added where those do not say what runs. Where there is
nothing, a small file is written that can be run and explains itself. What was
found, and what was left, is said on standard error.
Exit: 0 done, 66 no such directory, 71 there is a file already.

examples:
  belfry init && belfry check
  belfry init --output - ../shop
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

usage: belfry version [--json]

One line: static or dynamic, TLS or none, whose malloc, which compiler. A static
build names the OpenSSL that is in it.

examples:
  belfry version
)";

constexpr std::string_view help_help = R"(belfry help: explain belfry, or one of its commands.

usage: belfry help [COMMAND | --man]

  --man            the manual page, for man(1)

examples:
  belfry help exec
  belfry help --man | man -l -
)";

constexpr std::pair<std::string_view, std::string_view> texts[] = {
    {"", belfry_help},         {"run", run_help},
    {"up", up_help},           {"down", down_help},
    {"ls", ls_help},           {"attach", attach_help},
    {"exec", exec_help},       {"check", check_help},
    {"graph", graph_help},     {"status", status_help},
    {"events", events_help},   {"wait", wait_help},
    {"start", start_help},     {"stop", stop_help},
    {"restart", restart_help}, {"kill", kill_help},
    {"reload", reload_help},   {"shutdown", shutdown_help},
    {"import", import_help},   {"completion", completion_help},
    {"version", version_help}, {"help", help_help},
    {"logs", logs_help},       {"why", why_help},
    {"analyze", analyze_help}, {"report", report_help},
    {"init", init_help},       {"dashboard", dashboard_help},
};

}  // namespace

std::string_view help_text(std::string_view command) {
  for (const auto& [name, text] : texts) {
    if (name == command) return text;
  }
  return {};
}

}  // namespace belfry::cli
