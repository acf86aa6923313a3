"""A service really has what its file promised it, and not what it did not: read from inside."""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import BELFRY, Scenario, until

ROOT_ONLY = unittest.skipUnless(os.geteuid() == 0, "needs root")


def namespaces_work():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "--net", "true"], check=False,
                                                stderr=subprocess.DEVNULL).returncode == 0


NAMESPACES = unittest.skipUnless(namespaces_work(), "needs CAP_SYS_ADMIN")
NAME = f"belfry-it-{os.getpid()}"
AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


class Sandbox(Scenario):
    def lines_of(self, stack, name):
        """What the service has written, once it has written `done`."""
        stack.output.index_of(f"{name} | done")
        start = f"{name} | "
        return [line[len(start):] for line in stack.output.text().splitlines() if line.startswith(start)]

    def said_by(self, keys, script, top="", wrapper=(), **environment):
        stack = self.stack(f'  one:\n    command: [sh, -c, "{script}; echo done; exec sleep 1000"]\n'
                           + "".join(f"    {key}\n" for key in keys), top)
        if wrapper:
            os.chown(stack.path, 65534, 65534)
        stack.start(wrapper=wrapper, **environment)
        return stack, self.lines_of(stack, "one")

    @ROOT_ONLY
    def test_identity_and_limits_are_those_of_the_file(self):
        _, said = self.said_by(
            ["user: nobody", "supplementary_groups: [audio, \"4711\"]", "umask: \"027\"", "nice: 3", "oom_score_adj: 77",
             "rlimits: {nofile: 333, core: 0}", "no_new_privileges: true", "cpu_affinity: 0", "io_priority: {class: best-effort, level: 6}",
             "capabilities: {drop: [all], ambient: [NET_BIND_SERVICE]}"],
            "id -u; id -G; umask; ulimit -n; nice; cat /proc/self/oom_score_adj; ionice -p $$$$; "
            "grep -E '^(Cap|NoNewPrivs|Cpus_allowed_list)' /proc/self/status")
        self.assertEqual(said[0], "65534")
        self.assertEqual(set(said[1].split()) - {"65534"}, {"29", "4711"})
        self.assertEqual(said[2:7], ["0027", "333", "3", "77", "best-effort: prio 6"])
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertIn(f"{name}:\t0000000000000400", said)
        self.assertIn("NoNewPrivs:\t1", said)
        self.assertIn("Cpus_allowed_list:\t0", said)

    def test_only_the_named_variables_are_inherited(self):
        _, said = self.said_by(["environment_from: [PATH, LANG]", "environment: {OWN: here}"], "env",
                               LANG="C.UTF-8", SECRET_OF_BELFRY="hidden", HOME="/nowhere")
        names = {line.split("=", 1)[0] for line in said}
        self.assertLessEqual({"PATH", "LANG", "OWN", "BELFRY_SERVICE"}, names)
        self.assertFalse({"SECRET_OF_BELFRY", "HOME", "XDG_RUNTIME_DIR"} & names, names)

    @ROOT_ONLY
    def test_directories_are_its_own_and_go_or_stay_as_they_should(self):
        self.addCleanup(shutil.rmtree, f"/var/lib/{NAME}", True)
        stack, said = self.said_by(
            ["user: nobody", f"runtime_directory: [{NAME}, {NAME}-more/deep]", f"state_directory: {{name: {NAME}, mode: \"0700\"}}",
             "pre_start: [sh, -c, \"touch $${RUNTIME_DIRECTORY%%:*}/from-hook\"]"],
            "echo $$RUNTIME_DIRECTORY $$STATE_DIRECTORY; touch $$STATE_DIRECTORY/kept; ls /run/" + NAME)
        self.assertEqual(said[0], f"/run/{NAME}:/run/{NAME}-more/deep /var/lib/{NAME}")
        self.assertIn("from-hook", said)
        self.assertEqual(os.stat(f"/run/{NAME}").st_uid, 65534)
        self.assertEqual(os.stat(f"/run/{NAME}").st_mode & 0o7777, 0o755)
        self.assertEqual(os.stat(f"/var/lib/{NAME}").st_mode & 0o7777, 0o700)
        self.assertEqual(stack.stop(), 0)
        self.assertFalse(os.path.exists(f"/run/{NAME}"))
        self.assertFalse(os.path.exists(f"/run/{NAME}-more/deep"))
        self.assertTrue(os.path.exists(f"/var/lib/{NAME}/kept"))
        os.rmdir(f"/run/{NAME}-more")

    def test_without_root_directories_lie_in_the_places_of_its_user(self):
        wrapper = AS_NOBODY if os.geteuid() == 0 else ()
        stack, said = self.said_by([f"runtime_directory: {NAME}", f"state_directory: {NAME}"],
                                   "echo $$RUNTIME_DIRECTORY; echo $$STATE_DIRECTORY", wrapper=wrapper)
        self.assertEqual(said[:2], [f"{stack.path}/{NAME}", f"{stack.path}/{NAME}"])

    @ROOT_ONLY
    def test_a_link_that_somebody_planted_is_no_directory(self):
        os.symlink("/etc", f"/run/{NAME}-link")
        self.addCleanup(os.unlink, f"/run/{NAME}-link")
        stack = self.stack(f"  one: {{command: [sleep, \"1000\"], user: nobody, runtime_directory: {NAME}-link}}").start()
        stack.output.index_of(f"one failed: cannot use /run/{NAME}-link: it is a symbolic link or a file, not a directory")
        self.assertEqual(os.stat("/etc").st_uid, 0)

    @NAMESPACES
    def test_a_sandbox_hides_and_protects_what_it_was_asked_to(self):
        stack, said = self.said_by(
            ["user: nobody", "working_dir: /", "ready: notify", f"runtime_directory: {NAME}",
             "sandbox: {read_only_root: true, private_tmp: true, private_network: true, protect_home: true}",
             "pre_start: [touch, /tmp/of-the-hook]", "notify_access: all"],
            f"ls /tmp; ls -A /home /root; touch /tmp/mine /run/{NAME}/mine && echo own; touch /var/tmp/x && echo vartmp; "
            "sed 1,2d /proc/net/dev | cut -d: -f1; sh -c 'echo x > /etc/belfry-x' || true; "
            f"{BELFRY} notify --ready 2>/dev/null || systemd-notify --ready || true; grep -c ' / / ' /proc/self/mountinfo; "
            "grep ' / / ' /proc/self/mountinfo | cut -d' ' -f6")
        self.assertIn("of-the-hook", said)
        self.assertIn("own", said)
        self.assertIn("vartmp", said)
        self.assertIn("    lo", said)
        self.assertTrue(any("Read-only file system" in line for line in said), said)
        self.assertFalse(os.path.exists("/tmp/of-the-hook"))
        self.assertTrue(os.path.exists(f"/run/{NAME}/mine"))
        self.assertEqual(stack.stop(), 0, stack.output.text())

    @NAMESPACES
    def test_hooks_and_exec_probes_run_in_the_sandbox_of_their_service(self):
        stack = self.stack("""
  one:
    command: [sh, -c, "test -e /tmp/go && touch /tmp/there; exec sleep 1000"]
    working_dir: /
    sandbox: {private_tmp: true, private_network: true}
    pre_start: [touch, /tmp/go]
    ready: {exec: [test, -e, /tmp/there]}
    pre_stop: [sh, -c, "ls /tmp"]
""").start().wait_for_control()
        self.assertEqual(stack.wait("one"), 200)
        self.assertEqual(stack.stop(), 0)
        self.assertIn("there", stack.output.text())

    @NAMESPACES
    def test_credentials_are_in_a_private_file_system_and_nowhere_else(self):
        stack, said = self.with_credentials()
        self.assertIn("opensesame", said)
        self.assertIn("400 65534", said)
        self.assertIn("ramfs", said)
        directory = next(line for line in said if line.startswith("/"))
        self.assertEqual(os.listdir(directory), [], "outside there is nothing in it")
        self.assertNotIn("opensesame", stack.get("/v1/services")[1] + stack.get("/v1/services/one")[1])
        with open(f"/proc/{stack.services()['one']['pid']}/environ", encoding="utf-8") as file:
            self.assertNotIn("opensesame", file.read())
        self.assertEqual(stack.stop(), 0)
        self.assertFalse(os.path.exists(directory))

    @ROOT_ONLY
    def test_without_the_right_to_mount_credentials_are_files_of_its_user_and_that_is_said(self):
        stack, said = self.with_credentials(wrapper=("setpriv", "--bounding-set", "-sys_admin"))
        self.assertIn("opensesame", said)
        self.assertIn("400 65534", said)
        text = stack.output.text()
        self.assertIn("`one` cannot have its `credentials` here: they will be files in belfry's own directory", text)
        self.assertIn("a mount namespace: Operation not permitted (belfry lacks CAP_SYS_ADMIN)", text)
        directory = next(line for line in said if line.startswith("/"))
        self.assertEqual(stack.stop(), 0)
        self.assertFalse(os.path.exists(directory))

    @ROOT_ONLY
    def test_credentials_that_a_killed_belfry_has_left_are_swept_by_the_next(self):
        stack, said = self.with_credentials(wrapper=("setpriv", "--bounding-set", "-sys_admin"))
        directory = next(line for line in said if line.startswith("/"))
        self.assertTrue(os.path.exists(os.path.join(directory, "pg")))
        stack.send(signal.SIGKILL)
        stack.exit_code()
        stack.process.stdout.close()
        self.assertTrue(os.path.exists(os.path.join(directory, "pg")))
        stack.start().output.index_of("one | done")
        self.assertFalse(os.path.exists(directory))

    def with_credentials(self, wrapper=()):
        place = tempfile.mkdtemp(prefix="belfry-it-secrets-")
        self.addCleanup(shutil.rmtree, place)
        with open(os.path.join(place, "pg"), "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write("opensesame\n")
        stack = self.stack(f"""
  one:
    user: nobody
    working_dir: /
    credentials: {{pg: {place}/pg}}
    command: [sh, -c, "cd $$CREDENTIALS_DIRECTORY && pwd && cat pg && stat -c '%a %u' pg && stat -f -c %T . ; echo done; exec sleep 1000"]
""").start(wrapper=wrapper)
        return stack, self.lines_of(stack, "one")

    @ROOT_ONLY
    def test_a_sandbox_that_cannot_be_had_is_said_at_the_start_and_by_check(self):
        services = "  one: {command: [sleep, \"1000\"], sandbox: {private_tmp: true}}"
        stack = self.stack(services).start(wrapper=("setpriv", "--bounding-set", "-sys_admin"))
        stack.output.index_of("`one` cannot have its `sandbox` here: a mount namespace: Operation not permitted (belfry "
                              "lacks CAP_SYS_ADMIN); the service runs without")
        stack.wait_for_control()
        self.assertEqual(stack.wait("one"), 200)
        checked = subprocess.run(["setpriv", "--bounding-set", "-sys_admin", BELFRY, "check", stack.file],
                                 capture_output=True, text=True, check=False)
        self.assertEqual(checked.returncode, 0)
        self.assertIn("cannot have its `sandbox` here", checked.stderr)

    @ROOT_ONLY
    def test_a_sandbox_that_is_required_and_cannot_be_had_is_no_start(self):
        services = "  one: {command: [sleep, \"1000\"], sandbox: {private_tmp: true, required: true}}"
        stack = self.stack(services).start(wrapper=("setpriv", "--bounding-set", "-sys_admin"))
        stack.output.index_of("one failed: cannot run one: its `sandbox` is required, and cannot be made: a mount namespace")

    @ROOT_ONLY
    def test_what_an_unprivileged_belfry_cannot_give_is_said_by_check(self):
        stack = self.stack("""
  one:
    command: [sleep, "1000"]
    user: root
    nice: -5
    oom_score_adj: -900
    rlimits: {core: 0}
    io_priority: realtime
    capabilities: {drop: [NET_RAW]}
    sandbox: {private_network: true}
""")
        os.chown(stack.path, 65534, 65534)
        said = subprocess.run([*AS_NOBODY, BELFRY, "check", stack.file], capture_output=True, text=True, check=False).stderr
        for key in ("user", "nice", "oom_score_adj", "io_priority", "capabilities", "sandbox"):
            self.assertIn(f"`one` cannot have its `{key}` here", said)
        self.assertNotIn("`rlimits` here", said)
        # It is no fault of the file: on the machine that runs it root may be there.
        strict = subprocess.run([*AS_NOBODY, BELFRY, "check", "--strict", stack.file], capture_output=True, text=True, check=False)
        self.assertEqual(strict.returncode, 0, strict.stderr)

    @ROOT_ONLY
    def test_the_process_limit_of_its_user_is_named(self):
        stack = self.stack("""
  other: {command: [sleep, "1000"], user: "54321"}
  one: {command: [sleep, "1000"], user: "54321", rlimits: {nproc: 0}, depends_on: [other]}
""").start()
        stack.output.index_of("exec: Resource temporarily unavailable: sleep: user 54321 has as many processes and threads as it may "
                              "(RLIMIT_NPROC is 0: `rlimits: {nproc: …}` counts the whole user)")

    @NAMESPACES
    def test_an_isolated_service_below_its_shim_is_in_its_sandbox(self):
        stack, said = self.said_by(["working_dir: /", "isolate: true", "sandbox: {private_tmp: true, private_network: true}"],
                                   "ls -A /tmp; sed 1,2d /proc/net/dev | cut -d: -f1", "cgroups: off")
        self.assertEqual(said, ["    lo", "done"])
        self.assertEqual(stack.stop(), 0)

    @NAMESPACES
    def test_each_run_begins_with_an_empty_tmp_and_a_new_runtime_directory(self):
        stack, said = self.said_by(
            ["working_dir: /", "sandbox: {private_tmp: true}", f"runtime_directory: {NAME}"],
            f"ls -A /tmp /run/{NAME} | grep -v ^/; touch /tmp/left /run/{NAME}/left")
        self.assertEqual([line for line in said if line], ["done"])
        self.assertEqual(stack.request("POST", "/v1/services/one/restart")[0], 200)
        again = stack.output.index_of("one | done", stack.output.index_of("one | done") + 1)
        self.assertNotIn("one | left", "\n".join(stack.output.text().splitlines()[:again + 1]))

    @ROOT_ONLY
    def test_what_a_killed_belfry_has_left_in_a_runtime_directory_is_gone_at_the_next_start(self):
        self.marks_can_be_set("/run")
        stack, _ = self.said_by(["working_dir: /", f"runtime_directory: {NAME}"], f"ls -A /run/{NAME}; touch /run/{NAME}/app.pid")
        stack.process.kill()
        stack.process.wait()
        stack.process.stdout.close()
        self.assertTrue(os.path.exists(f"/run/{NAME}/app.pid"))
        stack.start()
        self.assertEqual(self.lines_of(stack, "one"), ["done"])
        self.assertEqual(stack.stop(), 0)
        self.assertFalse(os.path.exists(f"/run/{NAME}"))

    def marks_can_be_set(self, base):
        place = tempfile.mkdtemp(dir=base)
        self.addCleanup(os.rmdir, place)
        for name in ("trusted.belfry", "user.belfry"):
            with contextlib.suppress(OSError):
                return os.setxattr(place, name, b"1")
        return self.skipTest(f"no extended attribute can be set in {base}")

    @ROOT_ONLY
    def test_check_says_which_limits_of_a_cgroup_cannot_be_had(self):
        stack = self.stack("  one: {command: [sleep, '1000'], cgroup: {pids_max: 10}}")
        done = subprocess.run(["unshare", "--mount", "sh", "-c", 'umount -l /sys/fs/cgroup/unified 2>/dev/null; umount -l /sys/fs/cgroup 2>/dev/null; exec "$@"',
                               "sh", BELFRY, "check", "--strict", stack.file], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("warning: `one` cannot have its `cgroup` here: there is no cgroup v2 for belfry here; the service runs without", done.stderr)

    @NAMESPACES
    def test_a_belfry_that_is_root_of_a_user_namespace_can_make_a_sandbox(self):
        stack, said = self.said_by(
            ["working_dir: /", "sandbox: {read_only_root: true, private_tmp: true, private_network: true, protect_home: true, required: true}"],
            "touch /etc/belfry-x 2>&1; ls -A /tmp /home; sed 1,2d /proc/net/dev | cut -d: -f1",
            wrapper=(*AS_NOBODY, "unshare", "--user", "--map-root-user", "--mount", "--net"))
        self.assertTrue(any("Read-only file system" in line for line in said), said)
        self.assertIn("    lo", said)
        self.assertEqual(stack.stop(), 0)

    @NAMESPACES
    def test_a_stop_leaves_no_mount_and_no_namespace_behind(self):
        stack, _ = self.said_by(["working_dir: /", "sandbox: {private_tmp: true, private_network: true}"], "true")
        pid = stack.services()["one"]["pid"]
        inside = os.readlink(f"/proc/{pid}/ns/mnt")
        self.assertNotEqual(inside, os.readlink("/proc/self/ns/mnt"))
        self.assertEqual(stack.stop(), 0)
        until(lambda: all(self.mount_namespace_of(entry) != inside for entry in filter(str.isdigit, os.listdir("/proc"))))

    @staticmethod
    def mount_namespace_of(pid):
        try:
            return os.readlink(f"/proc/{pid}/ns/mnt")
        except OSError:
            return None


if __name__ == "__main__":
    unittest.main()
