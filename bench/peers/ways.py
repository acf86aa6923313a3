"""How each brings the users' stack up, with what it has for waiting.

The commands of the parts are the same everywhere. Whoever hears READY=1 or a descriptor is told by it; whoever does not
asks in a loop, ten times a second (and once a second, which is what most scripts do, in a row of its own). What restarts
what, and after how long, is each manager's default.
"""
import os
import shlex
import signal

from managers import PATH, ROOT_ONLY, which, write

OFTEN, SELDOM = 0.1, 1


class Way:
    """One column of the table."""

    restarts = True  # a service that has crashed
    stop_signal = signal.SIGTERM

    def __init__(self, name, manager=None):
        self.name, self.manager = name, manager

    def environment(self, folder):
        return {"PATH": PATH, "HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": folder, "LC_ALL": "C.UTF-8"}

    def write(self, folder, stack):
        raise NotImplementedError

    def commands(self, folder):
        """The manager's, and of those that run CMD beside it."""
        raise NotImplementedError


def loop_beside(folder, stack, every):
    """What runs CMD where the manager cannot: it asks for the application."""
    write(f"{folder}/then", f"#!/bin/sh\n{stack.loops(every)}until_app\n{stack.cmd()}\n", 0o755)


def waiting_application(stack, every):
    return f"#!/bin/sh\n{stack.loops(every)}until_db\nmigrate\nuntil_cache\nexec {shlex.join(stack.application())}\n"


class BelfryExec(Way):
    def __init__(self, program):
        super().__init__("belfry exec")
        self.program = program

    def write(self, folder, stack):
        def quoted(argv):
            return "[" + ", ".join("'" + word.replace("'", "''") + "'" for word in argv) + "]"
        write(f"{folder}/belfry.yaml", f"""name: users
services:
  db:
    command: {quoted(stack.database())}
    ready: notify
    stop: {{signal: SIGINT}}
  migrate:
    type: oneshot
    command: {quoted(stack.migrate())}
    depends_on: [db]
  cache:
    command: {quoted(stack.redis('systemd'))}
    ready: notify
  app:
    command: {quoted(stack.application())}
    depends_on: {{migrate: completed, cache: ready, db: {{condition: ready, on_loss: restart}}}}
    ready: {{port: {stack.app}}}
""")
        write(f"{folder}/cmd", f"#!/bin/sh\n{stack.cmd()}\nexec sleep 1000000\n", 0o755)

    def commands(self, folder):
        return [[self.program, "exec", "-c", f"{folder}/belfry.yaml", "--", f"{folder}/cmd"]]


class Script(Way):
    """An entrypoint as many write it."""

    restarts = False

    def __init__(self, every):
        super().__init__(f"shell script, asks every {every} s")
        self.every = every

    def write(self, folder, stack):
        write(f"{folder}/entrypoint", f"""#!/bin/bash
{stack.loops(self.every)}
stop() {{ kill $app; wait $app; kill -INT $db; kill $cache; wait; exit 0; }}
trap stop TERM
{shlex.join(stack.database())} & db=$!
{shlex.join(stack.redis())} & cache=$!
until_db
migrate
until_cache
{shlex.join(stack.application())} & app=$!
until_app
{stack.cmd()}
wait
""", 0o755)

    def commands(self, folder):
        return [[f"{folder}/entrypoint"]]


class SystemdUnits(Way):
    def write(self, folder, stack):
        os.makedirs(f"{folder}/units", exist_ok=True)

        def unit(name, argv, needs, service):
            edges = "".join(f"Requires={one}.service\nAfter={one}.service\n" for one in needs)
            words = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"' for word in argv)
            write(f"{folder}/units/{name}.service", "[Unit]\nDefaultDependencies=no\nConflicts=shutdown.target\nBefore=shutdown.target\n"
                  f"{edges}[Service]\n{service}\nExecStart={words}\nStandardOutput=null\nStandardError=null\n")
        unit("db", stack.database(), [], "Type=notify\nKillSignal=SIGINT\nKillMode=mixed\nRestart=on-failure")
        unit("cache", stack.redis("systemd"), [], "Type=notify\nRestart=on-failure")
        unit("migrate", stack.migrate(), ["db"], "Type=oneshot\nRemainAfterExit=yes")
        unit("app", stack.application(), ["db", "migrate", "cache"], "Type=notify\nRestart=on-failure")
        unit("cmd", ["/bin/sh", "-c", stack.cmd()], ["app"], "Type=oneshot\nRemainAfterExit=yes")
        write(f"{folder}/units/all.target", "[Unit]\nDefaultDependencies=no\nWants=cmd.service\n")

    def environment(self, folder):
        return super().environment(folder) | {"SYSTEMD_UNIT_PATH": f"{folder}/units:/usr/lib/systemd/user"}

    def commands(self, folder):
        return [self.manager.command(folder)]


class S6Scripts(Way):
    """s6-notifyoncheck asks in the place of servers that cannot tell; everybody else waits for events."""

    def write(self, folder, stack):
        ask = f"s6-notifyoncheck -n 0 -w {int(OFTEN * 1000)}"
        runs = {"db": f"exec {ask} -c {shlex.quote(shlex.join(stack.ask_database()))} {shlex.join(stack.database())}",
                "cache": f"exec {ask} -c 'redis-cli -p {stack.cache} ping' {shlex.join(stack.redis())}",
                "app": f"s6-svwait -U ../db ../cache && {shlex.join(stack.migrate())} && exec {shlex.join(stack.application(3))}"}
        for name, run in runs.items():
            os.makedirs(f"{folder}/scan/{name}", exist_ok=True)
            write(f"{folder}/scan/{name}/run", f"#!/bin/sh\n{run}\n", 0o755)
            write(f"{folder}/scan/{name}/notification-fd", "3\n")
        write(f"{folder}/scan/db/down-signal", "SIGINT\n")
        # Before the very first start there is nobody to wait for: the supervisor makes its place itself.
        write(f"{folder}/then", f"#!/bin/sh\nuntil s6-svwait -U {folder}/scan/app; do sleep {OFTEN}; done\n{stack.cmd()}\n", 0o755)

    def commands(self, folder):
        return [self.manager.command(folder), [f"{folder}/then"]]


class SupervisordPrograms(Way):
    """Programs of a higher priority are started later and stopped earlier."""

    def write(self, folder, stack):
        write(f"{folder}/app", waiting_application(stack, OFTEN), 0o755)
        loop_beside(folder, stack, OFTEN)
        parts = "".join(f"[program:{name}]\ncommand={command.replace('%', '%%')}\npriority={priority}\nautorestart=true\n"
                        f"stdout_logfile=NONE\nstderr_logfile=NONE\n{more}\n" for name, command, priority, more in (
                            ("db", shlex.join(stack.database()), 1, "stopsignal=INT\n"), ("cache", shlex.join(stack.redis()), 2, ""),
                            ("app", f"{folder}/app", 3, "")))
        write(f"{folder}/supervisord.conf", f"[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
              f"pidfile={folder}/supervisord.pid\nchildlogdir={folder}\n{ROOT_ONLY}\n{parts}")

    def commands(self, folder):
        return [self.manager.command(folder), [f"{folder}/then"]]


class RunitScripts(Way):
    stop_signal = signal.SIGHUP

    def write(self, folder, stack):
        for name, run in (("db", f"#!/bin/sh\nexec {shlex.join(stack.database())}\n"), ("cache", f"#!/bin/sh\nexec {shlex.join(stack.redis())}\n"),
                          ("app", waiting_application(stack, OFTEN))):
            os.makedirs(f"{folder}/service/{name}/control", exist_ok=True)
            write(f"{folder}/service/{name}/run", run, 0o755)
        write(f"{folder}/service/db/control/t", "#!/bin/sh\nexec kill -INT $(cat supervise/pid)\n", 0o755)
        loop_beside(folder, stack, OFTEN)

    def commands(self, folder):
        return [self.manager.command(folder), [f"{folder}/then"]]


def all_ways(belfry, scripts, managers):
    """For whoever is there; `managers` as the first table has them."""
    kinds = {"systemd": SystemdUnits, "s6": S6Scripts, "supervisord": SupervisordPrograms, "runit": RunitScripts}
    ways = [BelfryExec(belfry)] if belfry else []
    if scripts and which("bash"):
        ways += [Script(OFTEN), Script(SELDOM)]
    return ways + [kinds[one.name](one.name, one) for one in managers if one.name in kinds]
