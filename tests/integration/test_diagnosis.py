"""A catalogue of broken services: the first line that belfry says of each names the cause, and not what followed from it."""
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys

import unittest

from harness import BELFRY, PATIENCE, Scenario, free_port

IS_ROOT = os.geteuid() == 0
ROOT_ONLY = unittest.skipUnless(IS_ROOT, "needs root")
SH, PYTHON = "/bin/sh", sys.executable
TRUE = shutil.which("true")
FOREIGN_FORMATS = os.path.exists("/proc/sys/fs/binfmt_misc/register") and len(os.listdir("/proc/sys/fs/binfmt_misc")) > 2


def patched(data, offset, value):
    return data[:offset] + value + data[offset + len(value):]


def replaced(data, old, new):
    """The text in its place, filled up with zeros."""
    if data.count(old + b"\0") == 0 or len(new) > len(old):
        raise unittest.SkipTest(f"{TRUE} does not hold {old!r}")
    return data.replace(old + b"\0", new.ljust(len(old), b"\0") + b"\0")


def interpreter_of(data):
    """What the program header PT_INTERP of a 64-bit program names."""
    offset, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    for at in range(offset, offset + size * count, size):
        if struct.unpack_from("<I", data, at)[0] == 3:
            start, length = struct.unpack_from("<Q", data, at + 8)[0], struct.unpack_from("<Q", data, at + 32)[0]
            return data[start:start + length].rstrip(b"\0")
    raise unittest.SkipTest(f"{TRUE} is static")


def newest_glibc(data):
    return max(re.findall(rb"GLIBC_2\.\d+", data), key=lambda version: int(version.split(b".")[1]))


def make_files(folder):
    """Everything that is broken, in `folder`."""
    with open(TRUE, "rb") as file:
        elf = file.read()
    version = newest_glibc(elf)
    scripts = {
        "script": "#!/bin/sh\nexit 0\n",
        "plain": ("#!/bin/sh\nexit 0\n", 0o644),
        "private": ("#!/bin/sh\nexit 0\n", 0o750),
        "no-interpreter": "#!/opt/no/such/zsh\nexit 0\n",
        "dull-interpreter": f"#!{folder}/plain\nexit 0\n",
        "crlf": "#!/bin/sh\r\nexit 0\r\n",
        "env-crlf": "#!/usr/bin/env python3\r\nprint(1)\r\n",
        "env-missing": "#!/usr/bin/env no-such-interpreter\n",
        "env-words": "#!/usr/bin/env sh -e\nexit 0\n",
        "crlf-inside": "#!/bin/sh\nset -e\r\nexit 0\r\n",
        "empty": "",
        "no-shebang": "echo hello\n",
        "other-machine": patched(elf, 18, struct.pack("<H", 22)),
        "cut-off": elf[:30],
        "object": patched(elf, 16, struct.pack("<H", 1)),
        "no-loader": elf.replace(interpreter_of(elf), b"/lib/ld-none.so.1".ljust(len(interpreter_of(elf)), b"\0")),
        "no-library": replaced(elf, b"libc.so.6", b"libz.so.9"),
        "old-library": replaced(elf, version, b"GLIBC_9" + version[7:]),
    }
    for name, content in scripts.items():
        content, mode = content if isinstance(content, tuple) else (content, 0o755)
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(path, mode)
    os.mkdir(os.path.join(folder, "closed"), 0o700)
    shutil.copy(os.path.join(folder, "script"), os.path.join(folder, "closed", "script"))
    os.mkdir(os.path.join(folder, "noexec"))


# name: (the service, what the first line says of it). $DIR is the folder; AS is somebody else, for root only.
AS = "user: nobody, "
FILES = {
    "missing": ("command: [./absent]", r"exec: No such file or directory: \./absent"),
    "nowhere": ("command: [no-such-program]", r"exec: no-such-program: it is in no directory of PATH \(.*/bin"),
    "gap": ("command: [./none/of/it]", r"the directory \S+/none does not exist"),
    "folder": ("command: [./closed]", r"exec: Permission denied: \./closed: it is a directory"),
    "mode": ("command: [./plain]", r"exec: Permission denied: \./plain: it is not executable \(chmod \+x\)"),
    "interpreter": ("command: [./no-interpreter]", r'exec: \./no-interpreter: its interpreter "/opt/no/such/zsh" does not exist'),
    "dull": ("command: [./dull-interpreter]", r'its interpreter "\S+/plain" cannot be executed: it is not executable'),
    "crlf": ("command: [./crlf]", r'its first line ends with CRLF, so that its interpreter is "/bin/sh\\r"'),
    "envcrlf": ("command: [./env-crlf]", r'code 127: a script ends its lines with CRLF, so that "python3\\r" was looked for'),
    "envmissing": ("command: [./env-missing]", r"code 127: the interpreter no-such-interpreter of a script does not exist"),
    "envwords": ("command: [./env-words]", r'code 127: env looked for a program of the name "sh -e" \(write #!/usr/bin/env -S'),
    "crlfinside": ("command: [./crlf-inside]", r"a script ends its lines with CRLF .*Unix line ends"),
    "empty": ("command: [./empty]", r"exec: Exec format error: \./empty: it is empty"),
    "noshebang": ("command: [./no-shebang]", r"it has no #! line and is no program for this machine"),
    "machine": ("command: [./other-machine]", r"it was built for s390, and this machine is (x86-64|arm64)"),
    "cutoff": ("command: [./cut-off]", r"exec: .*it is cut off: it ends within its first header"),
    "object": ("command: [./object]", r"exec: .*it is an object file, not a program"),
    "loader": ("command: [./no-loader]", r'its loader "/lib/ld-none.so.1" does not exist'),
    "library": ("command: [./no-library]", r"code 127: its loader finds no library libz\.so\.9 \(install it"),
    "oldlibrary": ("command: [./old-library]", r"its loader finds no GLIBC_9\.\d+: it was built for a newer library"),
    "workingdir": ("command: [./script], working_dir: none", r"working_dir: No such file or directory: \S+/none"),
    "toolong": (f'command: [./script, "{"x" * 140000}"]', r"one of its arguments or variables has 137 KiB, and the kernel takes at most 128"),
    "shell": ("command: [sh, -c, no-such-command]", r"code 127: the shell finds no command no-such-command"),
    "shellmode": ("command: [sh, -c, ./plain]", r"code 126: \./plain may not be executed"),
}
OTHERS = {
    "closed": (AS + "command: [./closed/script]", r"user nobody may not enter \S+/closed \(mode 0700, of root:root; chmod o\+x \S+/closed"),
    "private": (AS + "command: [./private]", r"user nobody may not execute it \(mode 0750, of root:root; chmod o\+x"),
    "closedhome": (AS + "command: [./script], working_dir: closed", r"working_dir: Permission denied: \S+: user nobody may not enter \S+/closed"),
    "noexec": ("command: [./noexec/script]", r"its file system is mounted noexec \(at \S+/noexec\)"),
    "cannotfork": (AS + 'command: [sh, -c, "true & wait"], rlimits: {nproc: 1}', r"it could make no further process or thread \(RLIMIT_NPROC"),
}
RUNS = {
    "daemonised": ('type: daemon, command: [sh, -c, "sleep 1000 & exit 0"]', r"daemonised: it forked, left \d+ (sleep|sh) and exited with 0"),
    "early": ("type: daemon, command: [sh, -c, exit], ready: notify", r"code 0 before it was ready: a daemon has to go on in the foreground"),
    "crash": ('command: [sh, -c, "kill -SEGV $$$$"], rlimits: {core: 0}', r"killed by SIGSEGV: no core dump, its limit is 0"),
    "abort": ('command: [sh, -c, "kill -ABRT $$$$"], rlimits: {core: 0}', r"killed by SIGABRT: no core dump"),
    "filtered": ('command: [sh, -c, "kill -SYS $$$$"], rlimits: {core: 0}', r"killed by SIGSYS: a seccomp filter ends who makes"),
    "killed": ('command: [sh, -c, "kill -KILL $$$$"]', r"killed by SIGKILL: belfry has not sent it"),
    "pipe": ('command: [sh, -c, "kill -PIPE $$$$"]', r"killed by SIGPIPE: it wrote to somebody who had gone"),
    "toobig": ('command: [sh, -c, "head -c 4096 /dev/zero > big"], rlimits: {fsize: 1024}', r"it wrote a file beyond its limit|exited with code"),
    "files": (f'command: [{PYTHON}, -c, "import os; [os.open(\'/dev/null\', 0) for _ in range(99)]"], rlimits: {{nofile: 32}}',
              r"it had too many files open"),
    "memory": (f'command: [{PYTHON}, -c, "raise MemoryError"]', r"code 1: it got no more memory"),
}


def first_lines(text):
    """By service: the first line that belfry says of its failure."""
    found = {}
    for line in text.splitlines():
        said = re.match(r"belfry \| ([a-z]+) ", line)
        if said and " is ready after " not in line:
            found.setdefault(said[1], line)
    return found


class Catalogue(Scenario):
    def folder(self, services, top="", name="broken"):
        stack = self.stack("\n".join(f"  {name}: {{type: oneshot, {spec}}}" if "type:" not in spec else f"  {name}: {{{spec}}}"
                                     for name, (spec, _) in services.items()), "defaults: {restart: 'no'}\n" + top, name)
        make_files(stack.path)
        return stack

    def check(self, stack, services, text):
        lines = first_lines(text)
        for name, (_, expected) in services.items():
            with self.subTest(service=name):
                self.assertRegex(lines.get(name, f"nothing was said of {name}:\n" + text), expected)

    def run_to_the_end(self, services, wrapper=()):
        stack = self.folder(services)
        done = subprocess.run([*[word.replace("$DIR", stack.path) for word in wrapper], BELFRY, "run", "-c", stack.file], cwd=stack.path,
                              env=stack.environment(LC_ALL="C.UTF-8", PATH="/usr/bin:/bin"), capture_output=True, text=True, errors="replace", timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 69, done.stdout + done.stderr)
        self.check(stack, services, done.stdout + done.stderr)

    @unittest.skipIf(FOREIGN_FORMATS, "this machine runs programs of other formats")
    def test_files_that_cannot_be_run(self):
        self.run_to_the_end(FILES)

    def test_runs_that_end_by_themselves(self):
        self.run_to_the_end(RUNS)

    @ROOT_ONLY
    def test_what_another_user_may_not(self):
        mount = 'mount -t tmpfs -o noexec,mode=755 none $DIR/noexec && cp -p $DIR/script $DIR/noexec/ && exec "$@"'
        self.run_to_the_end(OTHERS, ("unshare", "-m", "sh", "-c", mount, "sh"))

    @ROOT_ONLY
    def test_without_proc_who_went_to_the_background_is_still_told_of(self):
        self.run_to_the_end({"daemonised": ('type: daemon, command: [sh, -c, "sleep 1000 & exit 0"]',
                                            r"daemonised: it forked, left \d+ and what is left of its process group and exited with 0")},
                            ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc; exec "$@"', "sh"))

    def test_a_core_is_found(self):
        with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
            pattern = file.read().strip()
        expected = r"the core was handed to \S+" if pattern.startswith("|") else r"the core (is|should be) \S+"
        self.run_to_the_end({"core": ('command: [sh, -c, "kill -SEGV $$$$"], rlimits: {core: unlimited}',
                                      r"killed by SIGSEGV \(core dumped\): " + expected)})

    @ROOT_ONLY
    def test_what_is_tried_again_says_why_the_first_time(self):
        services = {"other": ("type: daemon, " + AS + "command: [sleep, '1000']", "nothing was said"),
                    "busy": ("type: daemon, command: [./script]", r"exec: Text file busy: \./script: somebody has it open for writing"),
                    "nproc": ("type: daemon, " + AS + "command: [sleep, '1000'], rlimits: {nproc: 0}, depends_on: [other]",
                              r"exec: Resource temporarily unavailable: sleep: user nobody has as many processes and threads as it may "
                              r"\(RLIMIT_NPROC is 0: `rlimits: \{nproc: …\}` counts the whole user\)(?!.*the limit of processes)")}
        stack = self.folder(services)
        with open(os.path.join(stack.path, "script"), "r+b"):
            stack.start()
            for name in ("busy", "nproc"):
                stack.output.index_of(f"belfry | {name} ")
        self.check(stack, services, stack.output.text())


SERVER = "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); print('up', flush=True); s.accept()"
NODE = "import sys; print(f'Error: listen EADDRINUSE: address already in use :::{sys.argv[1]}', file=sys.stderr); sys.exit(1)"


def python(script, *arguments):
    return f"command: {json.dumps([PYTHON, '-c', script, *map(str, arguments)])}"


class Ports(Scenario):
    def setUp(self):
        self.foreign = socket.create_server(("127.0.0.1", free_port()))
        self.addCleanup(self.foreign.close)
        self.port = self.foreign.getsockname()[1]

    def first_line(self, stack, name):
        return stack.output.lines[stack.output.index_of(f"belfry | {name} failed")]

    def test_whoever_has_the_port_is_named(self):
        taken, activated = free_port(), free_port()
        other = socket.create_server(("127.0.0.1", free_port()))
        self.addCleanup(other.close)
        stack = self.stack(f"""
  holder: {{{python(SERVER, taken)}, ready: {{log: up}}}}
  second: {{{python(SERVER, taken)}, ready: {{port: {taken}}}, depends_on: [holder]}}
  stranger: {{{python(SERVER, self.port)}, ready: {{port: {self.port}}}}}
  node: {{{python(NODE, self.port)}, ready: notify}}
  silent: {{command: [sh, -c, exit 3], ready: {{port: {other.getsockname()[1]}}}}}
  again: {{{python(SERVER, activated)}, ready: {{port: {activated}}}, listen: "127.0.0.1:{activated}"}}
""", "defaults: {restart: 'no'}").start()
        user = "root" if IS_ROOT else r"\S+"
        me = rf"pid {os.getpid()} \(\S+, user {user}\)"
        own = rf"pid {stack.process.pid} \(\S+, user {user}\)"
        for name, expected in {
                "second": rf"port {taken} is taken by pid \d+ \(\S+, user {user}\), which is service 'holder'$",
                "stranger": rf"port {self.port} is taken by {me}$",
                "node": rf"port {self.port} is taken by {me}$",
                "silent": rf"code 3 before it was ready: port {other.getsockname()[1]}, which `ready` waits for, is taken by {me}$",
                "again": rf"port {activated} is taken by {own}, which listens there for it by `listen`"}.items():
            with self.subTest(service=name):
                self.assertRegex(self.first_line(stack, name), expected)
        self.assertEqual(stack.services()["holder"]["state"], "ready")

    def test_a_port_that_belfry_cannot_bind_itself_names_its_holder(self):
        stack = self.stack(f"""
  web: {{command: [sleep, "1000"], listen: "127.0.0.1:{self.port}"}}
""", "defaults: {restart: 'no'}").start()
        self.assertRegex(self.first_line(stack, "web"), rf"cannot listen on 127.0.0.1:{self.port}: Address already in use by {os.getpid()} ")

    @ROOT_ONLY
    def test_a_port_for_the_privileged_is_said_to_be_one(self):
        stack = self.stack(f"""
  web: {{user: nobody, {python(SERVER, 80)}, ready: {{port: 80}}}}
""", "defaults: {restart: 'no'}").start(wrapper=("unshare", "-n"))
        self.assertRegex(self.first_line(stack, "web"), r"it may not listen on port 80: ports below 1024 need CAP_NET_BIND_SERVICE")

    @ROOT_ONLY
    def test_without_proc_the_holder_is_said_to_be_hidden(self):
        stack = self.stack(f"""
  web: {{{python(SERVER, self.port)}, ready: {{port: {self.port}}}}}
""", "defaults: {restart: 'no'}").start(wrapper=("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc; exec "$@"', "sh"))
        self.assertRegex(self.first_line(stack, "web"),
                         rf"port {self.port} is taken by a process of user root that cannot be seen: /proc is not mounted")

    @ROOT_ONLY
    def test_behind_hidepid_the_holder_is_said_to_be_hidden(self):
        stack = self.stack(f"""
  web: {{{python(SERVER, self.port)}, ready: {{port: {self.port}}}}}
""", "defaults: {restart: 'no'}")
        os.chmod(stack.path, 0o777)
        hide = 'mount -t proc -o hidepid=2 proc /proc || exit 99; exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
        stack.start(wrapper=("unshare", "-m", "sh", "-c", hide, "sh"))
        self.assertRegex(self.first_line(stack, "web"), rf"port {self.port} is taken by a process of user root that cannot be seen: "
                         r"/proc hides the processes of other users \(hidepid=(2|invisible)\)")


class OutOfMemory(Scenario):
    GROUP = "/sys/fs/cgroup/memory"  # version 1: on a machine with version 2 the own_kernel tests have a limit of the service's own

    @ROOT_ONLY
    def test_a_kill_by_the_kernel_is_probably_one(self):
        group = os.path.join(self.GROUP, f"belfry-test-{os.getpid()}")
        try:
            os.mkdir(group)
            self.addCleanup(os.rmdir, group)
            with open(os.path.join(group, "memory.limit_in_bytes"), "w", encoding="ascii") as file:
                file.write(str(96 << 20))
        except OSError as error:
            self.skipTest(f"no memory cgroup can be made: {error}")
        eat = "x = [bytearray(1 << 20) for _ in range(400)]"
        stack = self.stack(f"  hungry: {{{python(eat)}, oom_score_adj: 1000, ready: notify}}", "defaults: {restart: 'no'}")
        enter = f'echo $$ > {group}/cgroup.procs; exec "$@"'
        stack.start(wrapper=("sh", "-c", enter, "sh"))
        line = stack.output.lines[stack.output.index_of("belfry | hungry ")]
        self.assertRegex(line, r"killed by SIGKILL before it was ready: belfry has not sent it; it was probably the kernel's, for lack of memory")
        stack.exit_code()


class Accounts(Scenario):
    def test_what_runs_took_is_kept_and_shown(self):
        ballast = b"x" * (128 << 20)  # what whoever starts belfry has is no lower bound of what its services had
        stack = self.stack(f"""
  work: {{type: oneshot, {python("sum(range(3000000)); x = bytearray(64 << 20)")}}}
  keeps: {{command: [sleep, "1000"]}}
""").start().wait_for_control()
        del ballast
        self.assertEqual(stack.wait("work", condition="completed"), 200)
        self.assertEqual(stack.wait("keeps"), 200)
        shown = json.loads(stack.cli("status", "work", "--json").stdout)
        (run,) = shown["past_runs"]
        self.assertEqual((run["incarnation"], run["oom_kills"], run["end"]), (1, 0, "exited with code 0"))
        self.assertGreater(run["cpu_user_ns"] + run["cpu_system_ns"], 5_000_000)
        self.assertGreaterEqual(run["wall_ns"], (run["cpu_user_ns"] + run["cpu_system_ns"]) // 2)
        self.assertGreater(run["peak_memory_bytes"], 64 << 20)
        self.assertFalse(run["peak_memory_is_bound"])
        text = stack.cli("status", "work").stdout
        self.assertRegex(text, r"RUN +STARTED +LASTED +CPU +PEAK MEMORY +OOM KILLS +END\n +1 +\d+s ago +\S+ +\S+ +\S+ MiB +0 +exited with code 0")
        self.assertNotIn("PEAK MEMORY", stack.cli("status", "keeps").stdout)
        metrics = stack.get("/metrics")[1]
        self.assertGreater(float(re.search(r'^belfry_service_cpu_seconds_total\{service="work"\} (\S+)', metrics, re.M)[1]), 0.005)
        self.assertIn('belfry_service_oom_kills_total{service="work"} 0', metrics)

    def test_of_a_service_that_crashes_again_and_again_ten_runs_are_kept(self):
        stack = self.stack("""
  loops: {command: [sh, -c, exit 3], ready: notify, restart: {delay: 1ms, max_delay: 1ms, limit: 14}}
  keeps: {command: [sleep, "1000"]}
""").start()
        stack.output.index_of("loops failed: gave up")
        runs = json.loads(stack.get("/v1/services/loops")[1])["past_runs"]
        self.assertEqual([run["incarnation"] for run in runs], list(range(6, 16)))
        self.assertEqual({run["end"] for run in runs}, {"exited with code 3"})

    @ROOT_ONLY
    def test_below_a_shim_a_run_is_accounted_for_as_well(self):
        stack = self.stack(f"""
  work: {{type: oneshot, isolate: true, {python("sum(range(3000000))")}}}
  keeps: {{command: [sleep, "1000"]}}
""", "cgroups: off").start().wait_for_control()
        self.assertEqual(stack.wait("work", condition="completed"), 200)
        (run,) = json.loads(stack.get("/v1/services/work")[1])["past_runs"]
        self.assertGreater(run["cpu_user_ns"] + run["cpu_system_ns"], 5_000_000)
