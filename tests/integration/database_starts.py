"""Starts of real databases below belfry, with a client beside it that measures when the first query succeeds.

  lateness   from the client's first success to the bell; 0 when the bell was first by a hair
  early      an attempt of the client that began after the bell, and failed: the bell lied. It asks some times more when
             the bell has been heard
"""
import json
import os
import shutil

from database_servers import (MARIADB_ENTRYPOINT, POSTGRES_ENTRYPOINT, MariadbFolder, Measuring, PostgresCluster,
                              ask_mariadb, ask_postgres)
from harness import Stack, free_port

# As in the official images: without systemd's library, so that nobody says READY=1 and all is up to the probe.
ALONE = ["env", "-u", "NOTIFY_SOCKET"]


class Start:
    """What one start was like; times in milliseconds."""

    def __init__(self, service, measuring):
        bell = service["since_monotonic_ns"]
        began = bell - service["time_to_ready_ns"]
        self.start = (measuring.first_success - began) / 1e6
        self.late = max(0.0, (bell - measuring.first_success) / 1e6)
        self.early = measuring.failures_after(bell)
        self.allowed = max(25.0, self.start * 0.02)

    def __str__(self):
        return f"start {self.start:.1f} ms, bell {self.late:.2f} ms late, allowed {self.allowed:.1f}, early: {self.early[:2]}"


AFTER_THE_BELL = 10


def measured(services, ask, folder, patience="60s"):
    """Starts belfry with `services`, of which `db` is measured and has its socket in `folder`, and stops it."""
    stack = Stack(services)
    measuring = Measuring(ask, folder)
    try:
        stack.start().wait_for_control()
        status = stack.wait("db", timeout=patience)
        assert status == 200, f"{status}: {stack.services()}\n{stack.output.text()[-3000:]}"
        for _ in range(AFTER_THE_BELL):
            measuring.attempt()
        assert measuring.succeeded(), measuring.failures[-3:]
        start = Start(stack.services()["db"], measuring)
        assert stack.stop() == 0, stack.output.text()[-3000:]
        start.output = stack.output.text()
        return start
    finally:
        measuring.stop()
        stack.close()


class Postgres:
    """A clean start."""

    tls = ""
    query = ""

    def __init__(self):
        self.port = free_port()
        self.cluster = PostgresCluster(self.port)
        self.number = 0
        self.prepare()

    def prepare(self):
        pass

    def command(self):
        return self.cluster.arguments()

    def service(self, command):
        query = f', query: "{self.query}"' if self.query else ""
        user = "\n    user: postgres" if os.geteuid() == 0 else ""
        return (f"  db:\n    command: {json.dumps([*ALONE, *command])}{user}\n"
                f"    ready: {{postgres: \"host=127.0.0.1 port={self.port}\"{query}}}\n"
                f"    stop: {{signal: SIGINT, timeout: 20s}}\n    restart: no\n")

    def once(self):
        self.number += 1
        return measured(self.service(self.command()), lambda: ask_postgres(self.port), self.cluster.folder)

    def remove(self):
        self.cluster.remove()


class PostgresQuery(Postgres):
    """A clean start, asked with `query: select 1`."""

    query = "select 1"


class PostgresRecovery(Postgres):
    """After kill -9 under write load."""

    megabytes = 150

    def prepare(self):
        self.cluster.crash_under_load(self.megabytes)

    def once(self):
        self.number += 1
        data = self.cluster.copy(f"crashed-{self.number}")
        try:
            return measured(self.service(self.cluster.arguments(data)), lambda: ask_postgres(self.port), self.cluster.folder)
        finally:
            shutil.rmtree(data, ignore_errors=True)


class PostgresStandby(Postgres):
    """A hot standby of a server that runs."""

    def prepare(self):
        self.cluster.start()
        self.cluster.psql("create table t as select g from generate_series(1, 200000) g")
        self.standby_port = free_port()
        self.data = self.cluster.standby("standby", self.standby_port)
        self.cluster.psql("insert into t select g from generate_series(1, 300000) g")

    def once(self):
        main, self.port = self.port, self.standby_port
        try:
            return measured(self.service(self.cluster.arguments(self.data, self.standby_port)),
                            lambda: ask_postgres(self.standby_port, "select pg_is_in_recovery()"),
                            self.cluster.folder)
        finally:
            self.port = main


def script(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(path, 0o755)
    return path


class PostgresTwoPhase(Postgres):
    """The official image's entrypoint: a temporary server on the socket alone, then the real one."""

    def once(self):
        self.number += 1
        data = os.path.join(self.cluster.folder, f"fresh-{self.number}")
        command = " ".join(f"'{word}'" for word in self.cluster.arguments(data))
        entrypoint = script(os.path.join(self.cluster.folder, "entrypoint"), POSTGRES_ENTRYPOINT.format(
            bin=os.path.dirname(self.cluster.arguments()[0]), data=data, folder=self.cluster.folder, port=self.port,
            command=command))
        try:
            return measured(self.service([entrypoint]), lambda: ask_postgres(self.port), self.cluster.folder)
        finally:
            shutil.rmtree(data, ignore_errors=True)


class Mariadb:
    """A clean start."""

    query = ""

    def __init__(self):
        self.port = free_port()
        self.folder = MariadbFolder(self.port)
        self.number = 0
        self.prepare()

    def prepare(self):
        pass

    def service(self, command):
        query = f', query: "{self.query}"' if self.query else ""
        user = "\n    user: mysql" if os.geteuid() == 0 else ""
        return (f"  db:\n    command: {json.dumps([*ALONE, *command])}{user}\n"
                f"    ready: {{mysql: \"mysql://probe:bells@127.0.0.1:{self.port}/shop\"{query}}}\n"
                f"    stop: {{timeout: 30s}}\n    restart: no\n")

    def once(self):
        return measured(self.service(self.folder.arguments()), lambda: ask_mariadb(self.port), self.folder.folder)

    def remove(self):
        self.folder.remove()


class MariadbQuery(Mariadb):
    """A clean start, asked with `query: select 1`."""

    query = "select 1"


class MariadbRecovery(Mariadb):
    """After kill -9 under write load."""

    megabytes = 300

    def prepare(self):
        self.folder.crash_under_load(self.megabytes)

    def once(self):
        self.number += 1
        data = self.folder.copy(f"crashed-{self.number}")
        try:
            return measured(self.service(self.folder.arguments(data=data)), lambda: ask_mariadb(self.port), self.folder.folder)
        finally:
            shutil.rmtree(data, ignore_errors=True)


class MariadbTwoPhase(Mariadb):
    """The official image's entrypoint: a temporary server without a network, then the real one."""

    def once(self):
        quoted = [" ".join(f"'{word}'" for word in self.folder.arguments(*more)) for more in (["--skip-networking"], [])]
        entrypoint = script(os.path.join(self.folder.folder, "entrypoint"), MARIADB_ENTRYPOINT.format(
            temporary=quoted[0], socket=self.folder.socket, command=quoted[1]))
        return measured(self.service([entrypoint]), lambda: ask_mariadb(self.port), self.folder.folder)


SCENARIOS = {"postgres": Postgres, "postgres-query": PostgresQuery, "postgres-recovery": PostgresRecovery,
             "postgres-standby": PostgresStandby, "postgres-two-phase": PostgresTwoPhase, "mariadb": Mariadb,
             "mariadb-query": MariadbQuery, "mariadb-recovery": MariadbRecovery, "mariadb-two-phase": MariadbTwoPhase}
