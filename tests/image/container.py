"""`docker run` and what follows it, without Docker: the image's own configuration, Docker's defaults, and runc, which is Docker's runtime as well."""
import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import time

import docker_defaults

PATIENCE = 60  # seconds: how long a test waits for what must come
GRACE = 10     # seconds between the SIGTERM and the SIGKILL of `docker stop`


class Container:
    """One container of an image. The options are those of `docker run`."""

    def __init__(self, builder, image, profile, *, user=None, read_only=False, tmpfs=(), cap_drop_all=False, no_new_privileges=False,
                 init=False, binds=(), arguments=()):
        self.config = builder.config_of(image)["config"]
        self.bundle = tempfile.mkdtemp(dir=builder.place)
        self.name = f"belfry-image-{os.path.basename(self.bundle)}"
        self.runtime = ["runc", "--root", os.path.join(builder.place, "runc")]
        self.lines, self.waiting = [], queue.Queue()
        root = builder.root_of(image)
        capabilities = [] if cap_drop_all else docker_defaults.CAPABILITIES
        self.process = self._process(user or self.config.get("User") or "0", capabilities, no_new_privileges)
        mounts = [*docker_defaults.MOUNTS, *map(docker_defaults.tmpfs, tmpfs), *self._files_of_docker(), *self._volumes(root),
                  *(docker_defaults.mount(source, where, "bind", "rbind", "ro") for source, where in binds)]
        command = [*(self.config.get("Entrypoint") or []), *(arguments or self.config.get("Cmd") or [])]
        if init:
            mounts.append(docker_defaults.mount(*docker_defaults.INIT, "bind", "rbind", "ro"))
            command = [docker_defaults.INIT[1], "--", *command]
        spec = {
            "ociVersion": "1.0.2", "hostname": self.name[-12:], "root": {"path": root, "readonly": read_only}, "mounts": mounts,
            "process": {**self.process, "args": command},
            "linux": {
                "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
                "maskedPaths": docker_defaults.MASKED, "readonlyPaths": docker_defaults.READ_ONLY, "sysctl": docker_defaults.SYSCTLS,
                "resources": {"devices": [{"allow": False, "access": "rwm"}]}, "cgroupsPath": f"/{self.name}",
                **({"seccomp": docker_defaults.seccomp(profile, capabilities)} if profile else {}),
            },
        }
        with open(os.path.join(self.bundle, "config.json"), "w", encoding="utf-8") as file:
            json.dump(spec, file)

    def _process(self, user, capabilities, no_new_privileges):
        """As what the container's programs run, also those that join it later. A user without a name in the image has the group 0."""
        user, _, group = user.partition(":")
        environment = list(self.config.get("Env") or [])
        if not any(one.startswith("PATH=") for one in environment):
            environment.append(f"PATH={docker_defaults.PATH}")
        held = capabilities if user == "0" else []
        return {"terminal": False, "user": {"uid": int(user), "gid": int(group or 0)}, "cwd": self.config.get("WorkingDir") or "/",
                "env": [*environment, f"HOSTNAME={self.name[-12:]}", "HOME=/"], "noNewPrivileges": no_new_privileges,
                "capabilities": {"bounding": capabilities, "effective": held, "permitted": held, "inheritable": [], "ambient": []}}

    def _files_of_docker(self):
        for name, text in (("hosts", "127.0.0.1 localhost\n::1 localhost\n"), ("hostname", f"{self.name[-12:]}\n"), ("resolv.conf", "")):
            with open(os.path.join(self.bundle, name), "w", encoding="ascii") as file:
                file.write(text)
            yield docker_defaults.mount(os.path.join(self.bundle, name), f"/etc/{name}", "bind", "rbind", "rw")

    def _volumes(self, root):
        """What VOLUME names: a folder of its own, with what the image has there, writable on a read-only root, too."""
        for number, where in enumerate(self.config.get("Volumes") or {}):
            folder = os.path.join(self.bundle, f"volume{number}")
            subprocess.run(["cp", "-a", f"{root}{where}", folder], check=True)
            yield docker_defaults.mount(folder, where, "bind", "rbind", "rw")

    def start(self):
        self.began = time.monotonic()
        self.running = subprocess.Popen([*self.runtime, "run", "--bundle", self.bundle, self.name], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.running.stdout:
            self.waiting.put(line.rstrip("\n"))
        self.waiting.put(None)

    def wait_for_line(self, pattern):
        """The first line from now on in which the pattern is found."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                line = self.waiting.get(timeout=max(0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line like {pattern!r}:\n{self.text()}") from None
            if line is None:
                raise AssertionError(f"the container has ended without a line like {pattern!r}:\n{self.text()}")
            self.lines.append(line)
            if re.search(pattern, line):
                return line

    def text(self):
        return "\n".join(self.lines)

    def exec(self, *command):
        """`docker exec`: what it says, and its code."""
        with tempfile.NamedTemporaryFile("w", dir=self.bundle, encoding="utf-8") as file:
            json.dump({**self.process, "args": list(command)}, file)
            file.flush()
            return subprocess.run([*self.runtime, "exec", "--process", file.name, self.name], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)

    def health(self):
        """What the image's own HEALTHCHECK says: 0 is healthy."""
        kind, *command = self.config["Healthcheck"]["Test"]
        if kind != "CMD":
            raise AssertionError(f"a HEALTHCHECK that wants a shell: {self.config['Healthcheck']}")
        done = self.exec(*command)
        return done.returncode, done.stdout + done.stderr

    def stop(self):
        """`docker stop`: the exit code, and the seconds that it took. None is who had to be killed."""
        began = time.monotonic()
        self.kill(self.config.get("StopSignal") or "SIGTERM")
        try:
            code = self.running.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            code = None
            self.kill("SIGKILL")
            self.running.wait()
        took = time.monotonic() - began
        self._end()
        return code, took

    def add_address(self, address):
        """An address that is not loopback's, as an engine gives each container."""
        state = json.loads(subprocess.run([*self.runtime, "state", self.name], check=True, capture_output=True).stdout)
        subprocess.run(["nsenter", f"--net=/proc/{state['pid']}/ns/net", "ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)

    def kill(self, signal):
        subprocess.run([*self.runtime, "kill", self.name, signal], check=True, capture_output=True)

    def _end(self):
        self.reader.join()
        while (line := self.waiting.get()) is not None:
            self.lines.append(line)

    def close(self):
        if hasattr(self, "running"):
            subprocess.run([*self.runtime, "delete", "--force", self.name], capture_output=True, check=False)
            self.running.wait()
            self.reader.join()
            self.running.stdout.close()
        shutil.rmtree(self.bundle, ignore_errors=True)
