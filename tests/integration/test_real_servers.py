"""PostgreSQL, Redis and nginx from Debian's packages, a migration and an application, in one file."""
import glob
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

from harness import PATIENCE, SAMPLE, Scenario, Stack, free_port

STARTS = 50

POSTGRES = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), None)
MISSING = [tool for tool in ("redis-server", "redis-cli", "nginx") if not shutil.which(tool, path="/usr/bin:/usr/sbin")]

NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log stderr notice; {user}
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {dir}/nginx-body; proxy_temp_path {dir}/nginx-proxy; fastcgi_temp_path {dir}/nginx-fastcgi;
  uwsgi_temp_path {dir}/nginx-uwsgi; scgi_temp_path {dir}/nginx-scgi;
  server {{ listen 127.0.0.1:{web}; location / {{ proxy_pass http://127.0.0.1:{app}; }} }}
}}
"""

# The application asks the database exactly once, as the first thing it does, and dies if that fails.
APPLICATION = """#!/bin/sh
{bin}/psql -X -h 127.0.0.1 -p {db} -U postgres -At -v ON_ERROR_STOP=1 -c "SELECT 'first query: ' || text FROM greeting" || exit 3
redis-cli -h 127.0.0.1 -p {cache} ping | grep -q PONG || exit 4
exec {sample} --trace {dir}/trace --name app --port {app} --http --stop-line "app is asked to stop"
"""

SERVICES = """
  db:
    command: [{bin}/postgres, -D, {data}, -p, "{db}", -c, listen_addresses=127.0.0.1, -c, unix_socket_directories=,
              -c, fsync=off, -c, shared_buffers=16MB]
    {user}
    ready: [notify, {{exec: [{bin}/pg_isready, -q, -h, 127.0.0.1, -p, "{db}"]}}]
    stop: {{signal: SIGINT, timeout: 5s}}
  migrate:
    type: oneshot
    command: [{bin}/psql, -X, -h, 127.0.0.1, -p, "{db}", -U, postgres, -v, ON_ERROR_STOP=1, -c,
              "CREATE TABLE IF NOT EXISTS greeting AS SELECT 'bells' AS text"]
    depends_on: [db]
  cache:
    command: [redis-server, --port, "{cache}", --bind, 127.0.0.1, --save, "", --dir, {dir}]
    ready: {{port: {cache}}}
  app:
    command: [sh, {dir}/app.sh]
    depends_on: {{migrate: completed, cache: ready}}
    ready: {{tcp: "127.0.0.1:{app}"}}
    restart: no
  web:
    command: [nginx, -e, stderr, -c, {dir}/nginx.conf]
    environment: {{PATH: "/usr/sbin:/usr/bin:/sbin:/bin"}}
    depends_on: [app]
    ready: {{http: "http://127.0.0.1:{web}/health"}}
    stop: {{signal: SIGQUIT}}
"""


class RealServers(Scenario):
    @classmethod
    def setUpClass(cls):
        if POSTGRES is None or MISSING:
            raise AssertionError(f"cannot run: PostgreSQL or {MISSING} is missing; run deploy/install-deps test")
        cls.root = os.geteuid() == 0
        cls.folder = tempfile.mkdtemp(prefix="belfry-pg-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.data = os.path.join(cls.folder, "data")
        initdb = [f"{POSTGRES}/initdb", "-D", cls.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"]
        if cls.root:  # PostgreSQL refuses to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(cls.folder, owner.pw_uid, owner.pw_gid)
            initdb = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *initdb]
        made = subprocess.run(initdb, cwd=cls.folder, capture_output=True, text=True, check=False,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        if made.returncode:
            raise AssertionError("initdb failed:\n" + made.stdout + made.stderr)

    def real_stack(self):
        ports = {name: free_port() for name in ("db", "cache", "app", "web", "http")}
        stack = self.stack("  placeholder: {command: 'true'}")
        fields = {**ports, "bin": POSTGRES, "data": self.data, "dir": stack.path, "sample": SAMPLE,
                  "user": "user: postgres" if self.root else ""}
        stack.write(SERVICES.format(**fields), top=f"http: {{listen: 127.0.0.1:{ports['http']}}}")
        with open(os.path.join(stack.path, "app.sh"), "w", encoding="utf-8") as out:
            out.write(APPLICATION.format(**fields))
        with open(os.path.join(stack.path, "nginx.conf"), "w", encoding="utf-8") as out:
            out.write(NGINX.format(**{**fields, "user": "user nobody nogroup;" if self.root else ""}))
        stack.ports = ports
        return stack

    def test_come_up_in_order_and_go_down_in_reverse(self):
        stack = self.real_stack().start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db", "migrate", "cache", "app", "web"), 200, stack.output.text())
        self.assertEqual(stack.get("/readyz")[0], 200)
        states = {name: s["state"] for name, s in stack.services().items()}
        self.assertEqual(states, {"db": "ready", "migrate": "completed", "cache": "ready", "app": "ready", "web": "ready"})

        self.assert_clean_end(stack)
        output = stack.output
        self.assert_before(output, "database system is ready to accept connections", "belfry | migrate completed",
                           "app | first query: bells", "start worker processes")
        # nginx is gone before the application is asked, and that before both of its servers are.
        self.assert_before(output, "gracefully shutting down", "app is asked to stop", "received fast shutdown request",
                           "database system is shut down")
        self.assert_before(output, "app is asked to stop", "User requested shutdown")
        exited = [i for i, line in enumerate(output.lines) if re.search(r"web \|.*: exit$", line)]
        self.assertTrue(exited and exited[-1] < output.index_of("app is asked to stop"), output.text())

    def test_the_first_query_succeeds_in_every_one_of_50_starts(self):
        for attempt in range(STARTS):
            stack = self.real_stack().start()
            stack.wait_for_control()
            self.assertEqual(stack.wait("web"), 200, f"start {attempt}: {stack.services()}\n{stack.output.text()}")
            self.assertEqual(stack.get("/readyz")[0], 200)
            self.assert_clean_end(stack)
            self.assertIn("app | first query: bells", stack.output.text())
            self.assertEqual(len(stack.all_events("app", "main")), 1, f"start {attempt}: the application was tried again")

    def test_a_crashed_database_is_recovered_before_anybody_queries_it(self):
        stack = self.real_stack().start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("web"), 200, stack.output.text())
        stack.send(signal.SIGQUIT)  # stop at once: PostgreSQL gets no chance to write its checkpoint
        stack.process.wait(PATIENCE)
        self.assertEqual(stack.survivors(), set())

        again = self.real_stack().start()
        again.wait_for_control()
        self.assertEqual(again.wait("web"), 200, again.output.text())
        self.assert_before(again.output, "database system is ready to accept connections", "first query: bells")
        self.assert_clean_end(again)
