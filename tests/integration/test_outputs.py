"""Outputs: what a service publishes with its bell reaches those who start after it."""
import concurrent.futures
import json
import os
import socket

from harness import Scenario, belfry

# Looks who is at the ports that it was given, then listens on one that the kernel chooses and says who it is.
PEER = """
import os, socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
for name in sys.argv[2:]:
    with socket.create_connection(("127.0.0.1", int(os.environ[name]))) as other:
        print(sys.argv[1], "found", other.makefile().readline().strip(), flush=True)
listener.listen()
while True:
    client, _ = listener.accept()
    client.sendall((sys.argv[1] + "\\n").encode())
    client.close()
"""

# Says what it is given as arguments on its notify socket, and waits to be stopped.
SPEAKER = """
import os, signal, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    notify.sendto("\\n".join(sys.argv[1:] + ["READY=1"]).encode(), os.environ["NOTIFY_SOCKET"])
signal.pause()
"""


class Outputs(Scenario):
    def peers(self, stack, count):
        """`count` services, each of which must find the one before it."""
        with open(os.path.join(stack.path, "peer.py"), "w", encoding="utf-8") as file:
            file.write(PEER)
        text = ""
        for i in range(count):
            text += f"\n  s{i}: {{command: [/usr/bin/python3, peer.py, s{i}"
            text += f", BEFORE], environment: {{BEFORE: \"${{s{i - 1}.PORT}}\"}}, depends_on: [s{i - 1}]" if i else "]"
            text += ", ready: {port: any}}"
        stack.write(text, name=stack_name(stack))

    def speaker(self, stack):
        with open(os.path.join(stack.path, "speaker.py"), "w", encoding="utf-8") as file:
            file.write(SPEAKER)

    def test_ten_services_on_ten_ports_nobody_chose_find_each_other(self):
        stack = self.stack("\n  none: {command: sleep 1}")
        self.peers(stack, 10)
        stack.start()
        stack.wait_for_control()
        self.assertEqual(stack.wait(*[f"s{i}" for i in range(10)]), 200)
        ports = {service["outputs"]["PORT"] for service in stack.services().values()}
        self.assertEqual(len(ports), 10)
        for i in range(1, 10):
            stack.output.index_of(f"s{i} found s{i - 1}")
        for port in ports:
            with socket.create_connection(("127.0.0.1", int(port))) as client:
                self.assertTrue(client.makefile().readline().startswith("s"))
        self.assert_clean_end(stack)

    def test_ten_stacks_at_once_do_not_meet(self):
        stacks = [self.stack("\n  none: {command: sleep 1}", name=f"stack{n}") for n in range(10)]
        for stack in stacks:
            self.peers(stack, 10)

        def run(stack):
            return belfry("exec", "-c", os.path.join(stack.path, "belfry.yaml"), "--", "sh", "-c", "env", cwd=stack.path,
                          timeout=120)

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            ends = list(pool.map(run, stacks))
        ports = set()
        for end in ends:
            self.assertEqual(end.returncode, 0, end.stderr)
            for i in range(1, 10):
                self.assertIn(f"s{i} found s{i - 1}", end.stderr)
            own = dict(line.split("=", 1) for line in end.stdout.splitlines() if line.startswith("BELFRY_OUT_"))
            self.assertEqual(sorted(own), [f"BELFRY_OUT_S{i}_PORT" for i in range(10)])
            ports.update(own.values())
        self.assertGreaterEqual(len(ports), 10)  # a port may be given again once a stack has ended

    def test_a_secret_reaches_the_command_and_is_shown_nowhere(self):
        stack = self.stack("""
  db:
    command: [/usr/bin/python3, speaker.py, X_BELFRY_SET=PASSWORD=hunter2-xyz, "X_BELFRY_SET=URL=db://[::1]/"]
    ready: notify
    outputs: {secret: [PASSWORD]}
  api:
    command: [sh, -c, 'test "$$PASSWORD" = hunter2-xyz && echo right >&2; exec sleep 1000']
    environment: {PASSWORD: "${db.PASSWORD}"}
    depends_on: [db]
    live: {exec: [sh, -c, "echo ${db.PASSWORD}; exit 1"], failure_threshold: 1000, period: 100ms}
  wrong:
    command: ["./${db.PASSWORD}"]
    restart: "no"
    depends_on: [db]
  odd:
    command: sleep 1000
    depends_on: [db]
    ready: {exec: [sh, -c, "echo ${db.PASSWORD} is no port; exit 1"]}
""")
        self.speaker(stack)
        stack.start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("api"), 200)
        stack.output.index_of("api | right")
        self.assertEqual(stack.services()["db"]["outputs"], {"PASSWORD": "***", "URL": "db://[::1]/"})
        self.assertIn("db: PASSWORD=***", stack.cli("status", "db").stdout)
        self.assertEqual(stack.wait("wrong"), 424)
        self.assertIn("${db.PASSWORD}", stack.services()["wrong"]["last_error"])
        shown = stack.cli("status").stdout + json.dumps(stack.services()) + stack.get("/metrics")[1]
        self.assertNotIn("hunter2", shown)
        self.assertNotIn("hunter2", stack.output.text())
        self.assert_clean_end(stack)

    def test_another_value_restarts_who_asks_for_it(self):
        stack = self.stack("""
  db: {command: [/usr/bin/python3, peer.py, db], ready: {port: any}}
  api: {command: [sh, -c, "echo uses ${db.PORT}; exec sleep 1000"], depends_on: {db: {condition: ready, on_loss: restart}}}
""")
        with open(os.path.join(stack.path, "peer.py"), "w", encoding="utf-8") as file:
            file.write(PEER)
        stack.start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("api"), 200)
        first = stack.services()["db"]["outputs"]["PORT"]
        stack.output.index_of(f"api | uses {first}")
        os.kill(stack.services()["db"]["pid"], 9)
        second_line = stack.output.index_of("api | uses", stack.output.index_of(f"api | uses {first}") + 1)
        second = stack.output.lines[second_line].split()[-1]
        self.assertEqual(stack.wait("api"), 200)
        self.assertEqual(stack.services()["db"]["outputs"]["PORT"], second)
        self.assert_clean_end(stack)

    def test_a_line_of_the_log_and_a_file_publish_too(self):
        stack = self.stack(r"""
  log: {command: [sh, -c, "echo listening on 4711; exec sleep 1000"], ready: {log: 'listening on (?P<PORT>\d+)'}}
  prepare:
    type: oneshot
    command: [sh, -c, 'printf "# made by prepare\nexport TOKEN=\"a\$$b c\"\n" > outputs']
    outputs: {file: outputs}
  api: {command: [echo, "got ${log.PORT} ${prepare.TOKEN} $${log.PORT}"], type: oneshot, depends_on: [log, prepare]}
""").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("api", condition="completed"), 200)
        stack.output.index_of("api | got 4711 a$b c ${log.PORT}")
        self.assertEqual(stack.services()["prepare"]["outputs"], {"TOKEN": "a$b c"})
        self.assert_clean_end(stack)

    def test_what_an_earlier_run_has_left_in_the_file_is_not_believed(self):
        stack = self.stack("""
  db: {command: sleep 1000, outputs: {file: outputs}, ready: {exec: ["true"]}}
  api: {command: ["echo", "got ${db.PORT}"], type: oneshot, depends_on: [db]}
  kept: {command: sleep 1000, outputs: {file: kept}, pre_start: [touch, kept], ready: {exec: ["true"]}}
  other: {command: ["echo", "got ${kept.WORD}"], type: oneshot, depends_on: [kept]}
""")
        for name, line in ("outputs", "PORT=4711"), ("kept", "WORD=password"):
            with open(os.path.join(stack.path, name), "w", encoding="utf-8") as file:
                file.write(line + "\n")
        stack.start()
        stack.wait_for_control()
        stack.output.index_of("cannot start api: db has not published PORT: cannot read its outputs")
        self.assertIn("it has not been written since this run began", stack.services()["api"]["last_error"])
        stack.output.index_of("other | got password")
        self.assert_clean_end(stack)

    def test_what_was_not_published_keeps_a_service_from_starting_and_is_named(self):
        stack = self.stack("""
  db: {command: sleep 1000, outputs: {file: nowhere}, ready: {exec: ["true"]}}
  api: {command: ["sleep", "${db.SECONDS}"], depends_on: [db]}
""").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        stack.output.index_of("cannot read its outputs")
        stack.output.index_of("cannot start api: db has not published SECONDS")
        self.assert_clean_end(stack)


def stack_name(stack):
    return os.path.basename(stack.path)
