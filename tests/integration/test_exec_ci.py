"""`exec` in continuous integration: whose output goes where, and whose fault a failure is."""
import json
import os
import re
import signal
import subprocess
import xml.etree.ElementTree

from harness import BELFRY, PATIENCE, Scenario, free_port
from terminal import Terminal

KILL = "import json,os,subprocess,sys; s=json.loads(subprocess.check_output([sys.argv[1],'status','--json'])); " \
       "os.kill([x['pid'] for x in s['services'] if x['name']==sys.argv[2]][0], int(sys.argv[3]))"


class ExecCi(Scenario):
    def exec(self, stack, *arguments, command=("true",), **options):
        return subprocess.run([BELFRY, "exec", "-c", stack.file, *arguments, "--", *command], cwd=stack.path, env=stack.environment(),
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE * 2, check=False, **options)

    def killing(self, name, number, *then):
        """A command that kills a service, waits until belfry knows, and fails."""
        kill = f"python3 -c \"{KILL}\" {BELFRY} {name} {number}; " if number else ""
        return ("sh", "-c", kill + "; ".join(then) + "; exit 3")

    def test_standard_output_is_the_commands_own(self):
        stack = self.stack("  db: {command: [sh, -c, 'echo noise of db; exec sleep 1000'], ready: {log: noise}}")
        ran = self.exec(stack, command=("echo", "only this"))
        self.assertEqual((ran.returncode, ran.stdout), (0, "only this\n"))
        self.assertIn("db | noise of db", ran.stderr)
        ran = self.exec(stack, "--logs", "stack.log", command=("echo", "only this"))
        self.assertEqual((ran.stdout, ran.stderr), ("only this\n", ""))
        with open(os.path.join(stack.path, "stack.log"), encoding="utf-8") as log:
            self.assertIn("db | noise of db", log.read())
        ran = self.exec(stack, "--logs", "-", command=("echo", "only this"))
        self.assertIn("db | noise of db", ran.stdout)
        self.assertEqual(ran.stderr, "")

    def test_quiet_shows_the_stack_only_when_something_failed(self):
        stack = self.stack("  db: {command: [sh, -c, 'echo noise of db; exec sleep 1000'], ready: {log: noise}}")
        good = self.exec(stack, "--quiet", command=("echo", "fine"))
        self.assertEqual((good.returncode, good.stdout, good.stderr), (0, "fine\n", ""))
        bad = self.exec(stack, "-q", command=("sh", "-c", "echo wrong; exit 4"))
        self.assertEqual((bad.returncode, bad.stdout), (4, "wrong\n"))
        self.assertIn("db | noise of db", bad.stderr)
        stack.write("  db: {command: ./nope}")
        never = self.exec(stack, "-q")
        self.assertEqual(never.returncode, 69)
        self.assertIn("cannot run the command: the stack will not be ready", never.stderr)

    def test_quiet_holds_back_what_memory_is_worth_and_no_more(self):
        stack = self.stack("  db: {command: [sh, -c, 'yes 0123456789012345678901234567890123456789 | head -n 300000; echo the end; exec sleep 1000'], "
                           "ready: {log: the end}}")
        bad = self.exec(stack, "-q", command=("false",))
        self.assertLess(len(bad.stderr), 6 << 20)
        self.assertIn("db | the end", bad.stderr)

    def test_a_failure_of_the_command_alone_is_said_to_be_one(self):
        stack = self.stack("  db: {command: [sleep, '1000']}")
        ran = self.exec(stack, "--verdict-code", "75", command=("sh", "-c", "exit 3"))
        self.assertEqual(ran.returncode, 3)
        self.assertRegex(ran.stderr, r"belfry: sh exited with code 3 after \d+\.\d s; no service died or became unready while the command ran")

    def test_a_service_that_died_meanwhile_is_named_and_has_its_own_code(self):
        stack = self.stack("  db: {command: [sleep, '1000'], restart: {delay: 30s}}\n  api: {command: [sleep, '1000'], depends_on: [db]}")
        ran = self.exec(stack, "--verdict-code", "75", command=self.killing("db", 9, f"{BELFRY} wait --not db"))
        self.assertEqual(ran.returncode, 75, ran.stderr)
        self.assertRegex(ran.stderr, r"the stack was not as it should be:\n  db died \d+\.\d s after the command began: .*SIGKILL")
        self.assertEqual(self.exec(stack, command=self.killing("db", 9, f"{BELFRY} wait --not db")).returncode, 3)

    def test_a_service_whose_death_had_begun_when_the_command_failed_is_named(self):
        stack = self.stack("  db: {command: [sleep, '1000'], restart: {delay: 30s}}\n"
                           "  mq: {command: [sh, -c, 'sleep 1000 & exec sleep 1000'], restart: {delay: 30s}, stop: {timeout: 200ms}}")
        for name in ("db", "mq"):
            for _ in range(2):
                ran = self.exec(stack, "--verdict-code", "75", command=self.killing(name, 9, ":"))
                self.assertEqual(ran.returncode, 75, ran.stderr)
                self.assertIn(f"  {name} died", ran.stderr)

    def test_a_service_that_became_unready_or_lost_its_port_is_named(self):
        port = free_port()
        listener = (f"import os,signal,socket; s=socket.socket(); s.setsockopt(1,2,1); s.bind((\\\"127.0.0.1\\\",{port})); s.listen(); "
                    "os.mkfifo(\\\"close\\\"); open(\\\"close\\\").read(); s.close(); signal.pause()")
        stack = self.stack(f"  web: {{command: [python3, -c, \"{listener}\"], ready: {{port: {port}}}}}\n"
                           "  db: {command: [sleep, '1000'], ready: {exec: [test, '!', -e, gone], recheck: 20ms}}")
        follow = f"{BELFRY} wait --not web db"
        ran = self.exec(stack, "--verdict-code", "75", command=("sh", "-c", f"echo > close; touch gone; {follow}; exit 3"))
        self.assertEqual(ran.returncode, 75, ran.stderr)
        self.assertRegex(ran.stderr, r"  web lost its port \d+\.\d s after the command began")
        self.assertRegex(ran.stderr, r"  db became unready \d+\.\d s after the command began")

    def test_what_the_command_itself_has_stopped_is_nobodys_fault(self):
        stack = self.stack("  db: {command: [sleep, '1000']}\n  api: {command: [sleep, '1000'], depends_on: [db]}")
        ran = self.exec(stack, "--verdict-code", "75", command=("sh", "-c", f"{BELFRY} restart db; {BELFRY} kill api; {BELFRY} stop db; exit 3"))
        self.assertEqual(ran.returncode, 3, ran.stderr)

    def test_annotations_for_github_and_a_report_for_gitlab(self):
        stack = self.stack("  db: {command: [sleep, '1000'], restart: {delay: 30s}}")
        command = self.killing("db", 9, f"{BELFRY} wait --not db")
        ran = self.exec(stack, "--annotate", "github", command=command)
        self.assertRegex(ran.stderr, r"(?m)^::error title=db died::db died .*; sh exited with code 3$")
        ran = self.exec(stack, "--annotate", "gitlab", command=command)
        self.assertEqual(ran.returncode, 3)
        with open(os.path.join(stack.path, "gl-code-quality-report.json"), encoding="utf-8") as file:
            (finding,) = json.load(file)
        self.assertIn("db died", finding["description"])
        self.assertEqual((finding["severity"], finding["location"]["path"]), ("major", stack.file))
        self.assertRegex(finding["fingerprint"], "^[0-9a-f]{16}$")
        self.exec(stack, "--annotate", "gitlab")
        with open(os.path.join(stack.path, "gl-code-quality-report.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file), [])

    def test_the_verdict_stands_in_the_junit_report_of_the_command(self):
        stack = self.stack("  db: {command: [sleep, '1000'], restart: {delay: 30s}}")
        report = '<?xml version="1.0"?><testsuites><testsuite name="a > b" tests="1"><testcase name="x"/></testsuite></testsuites>'
        write = f"echo '{report}' > junit.xml"
        self.exec(stack, "--junit", "junit.xml", command=self.killing("db", 9, f"{BELFRY} wait --not db", write))
        tree = xml.etree.ElementTree.parse(os.path.join(stack.path, "junit.xml"))
        (value,) = [p.get("value") for p in tree.iter("property") if p.get("name") == "belfry.verdict"]
        self.assertIn("db died", value)
        self.assertEqual(len(tree.findall(".//testcase")), 1)
        missing = self.exec(stack, "--junit", "no.xml", command=("false",))
        self.assertEqual(missing.returncode, 1)
        self.assertIn("cannot add the verdict to no.xml: cannot read it: No such file", missing.stderr)

    def test_a_strict_stop_fails_the_job_of_whom_had_to_be_killed(self):
        stack = self.stack("  stubborn: {command: [sh, -c, 'trap \"\" TERM; echo up; while :; do sleep 1; done'], ready: {log: up}, stop: {timeout: 200ms}}")
        self.assertEqual(self.exec(stack).returncode, 0)
        strict = self.exec(stack, "--strict-stop")
        self.assertEqual(strict.returncode, 69)
        self.assertIn("cannot call this a success: stubborn had to be killed", strict.stderr)
        self.assertEqual(self.exec(stack, "--strict-stop", command=("sh", "-c", "exit 3")).returncode, 3)

    def test_a_stack_that_is_kept_can_be_looked_at_until_ctrl_c(self):
        stack = self.stack("  db: {command: [sleep, '1000']}")
        stack.start("--keep", "--", "sh", "-c", "exit 3", command="exec")
        line = stack.output.lines[stack.output.index_of("the stack stays up until Ctrl-C")]
        where = re.search(r"BELFRY_SOCKET=(\S+)", line).group(1)
        status = subprocess.run([BELFRY, "status", "--socket", where], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertRegex(status.stdout, r"(?m)^db +ready")
        self.assertEqual(stack.stop(signal.SIGINT), 3)
        self.assertEqual(stack.survivors(), set())
        self.assertEqual(self.exec(stack, "--keep").returncode, 0)

    def test_ten_jobs_at_once_have_ports_sockets_and_stacks_of_their_own(self):
        serve = "import os,socket; s=socket.socket(); s.bind((\\\"127.0.0.1\\\",int(os.environ[\\\"PORT_web\\\"]))); s.listen(); [s.accept() for _ in iter(int, 1)]"
        stack = self.stack(f"  web: {{command: [python3, -c, \"{serve}\"], environment: {{PORT_web: '${{PORT_web}}'}}, ready: {{port: '${{PORT_web}}'}}}}",
                           top="ports: {web: free}")
        talk = "import os,socket; socket.create_connection((\"127.0.0.1\", int(os.environ[\"PORT_web\"]))); print(os.environ[\"PORT_web\"], os.environ[\"BELFRY_SOCKET\"])"
        jobs = [subprocess.Popen([BELFRY, "exec", "-q", "-c", stack.file, "--", "python3", "-c", talk], cwd=stack.path, env=stack.environment(),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL) for _ in range(10)]
        ports, sockets = set(), set()
        for job in jobs:
            out, err = job.communicate(timeout=PATIENCE * 2)
            self.assertEqual((job.returncode, err), (0, ""))
            port, where = out.split()
            ports.add(port)
            sockets.add(where)
        self.assertEqual((len(ports), len(sockets)), (10, 10))
        self.assertEqual([s for s in sockets if os.path.exists(s)], [])

    def test_the_command_owns_the_terminal(self):
        stack = self.stack("  db: {command: [sh, -c, 'echo noise; exec sleep 1000'], ready: {log: noise}}")
        env = stack.environment(TERM="xterm", LC_ALL="C.UTF-8")
        terminal = Terminal("exec", "-q", "-c", stack.file, "--", "sh", "-c", "read -r line; echo got $line; stty size", cwd=stack.path, env=env)
        self.addCleanup(terminal.close)
        terminal.type("hello\n")
        terminal.until("got hello").until("24 80")
        self.assertEqual(terminal.end(), 0)
        self.assertNotIn("noise", terminal.screen.text())
        terminal = Terminal("exec", "-q", "-c", stack.file, "--", "sh", "-c", "trap 'echo interrupted; exit 7' INT; echo waits; while :; do sleep 0.1; done",
                            cwd=stack.path, env=env)
        self.addCleanup(terminal.close)
        terminal.until("waits")
        terminal.type("\x03")
        terminal.until("interrupted")
        self.assertEqual(terminal.end(), 7)

    def test_options_that_make_no_sense_are_refused(self):
        stack = self.stack("  db: {command: [sleep, '1000']}")
        for arguments, said in ((("--verdict-code", "0"), "a number from 1 to 255"), (("--annotate", "jenkins"), "one of github, gitlab"),
                                (("-q", "--logs", "-"), "nothing would be left to hold back")):
            ran = self.exec(stack, *arguments)
            self.assertEqual(ran.returncode, 64)
            self.assertIn(said, ran.stderr)
