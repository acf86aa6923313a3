"""A process in uninterruptible sleep, for real: it waits for a file system that never answers (fuse(4))."""
import contextlib
import ctypes
import os
import select
import struct
import tempfile
import threading
import time
import unittest

from harness import Scenario

INIT = 26
HEADER = struct.Struct("<IIQQIIII")  # length, opcode, unique, node, uid, gid, pid, padding


class DeadFileSystem:
    """A mount whose server says hello and then nothing more. close() lets everybody who waits for it go."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="belfry-dead-")
        self.server = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self.server},rootmode=40000,user_id=0,group_id=0"
        if libc.mount(b"dead", self.path.encode(), b"fuse", 0, options.encode()) != 0:
            error = ctypes.get_errno()
            os.close(self.server)
            os.rmdir(self.path)
            raise OSError(error, os.strerror(error))
        self.asked = threading.Event()
        self.enough, self.end = os.pipe()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while self.enough not in select.select([self.server, self.enough], [], [])[0]:
                message = os.read(self.server, 1 << 17)
                length, opcode, unique, *_ = HEADER.unpack_from(message)
                if opcode == INIT:
                    reply = struct.pack("<IIIIHHIIHHI7I", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0, *([0] * 7))
                    os.write(self.server, struct.pack("<IiQ", 16 + len(reply), 0, unique) + reply)
                else:
                    self.asked.set()  # and no answer, ever

    def close(self):
        if self.server < 0:
            return
        os.write(self.end, b"x")
        self.thread.join()
        ctypes.CDLL(None).umount2(self.path.encode(), 2)  # MNT_DETACH
        for number in (self.server, self.enough, self.end):
            os.close(number)  # without a server, whoever waits gets an error
        self.server = -1
        os.rmdir(self.path)


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


@unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/dev/fuse"), "needs root and /dev/fuse")
class Stuck(Scenario):
    def dead(self):
        dead = DeadFileSystem()
        self.addCleanup(dead.close)
        return dead

    def waiting_stack(self, dead, top=""):
        stack = self.stack(f"""
  db: {{command: $SAMPLE --name db --notify, ready: notify}}
  stuck: {{command: [stat, {dead.path}/file], stop: {{timeout: 100ms}}, depends_on: [db]}}
""", top=top).start()
        stack.event("db", "ready")
        stack.wait_for_control()
        self.assertEqual(stack.wait("stuck", condition="started"), 200)
        self.assertTrue(dead.asked.wait(30))
        return stack, stack.services()["stuck"]["pid"]

    def test_it_is_named_refused_a_restart_watched_and_started_again_when_it_has_gone(self):
        dead = self.dead()
        stack, pid = self.waiting_stack(dead)
        stack.cli("stop", "stuck")
        self.assertEqual(state_of(pid), "D")
        told = stack.services()["stuck"]
        self.assertEqual(told["state"], "failed")
        self.assertIn(f"cannot be killed: {pid} stat (in uninterruptible sleep)", told["last_error"])
        refused = stack.cli("start", "stuck")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("beside its last run, which cannot be killed", stack.services()["stuck"]["last_error"])
        self.assertEqual(stack.services()["db"]["state"], "ready")
        dead.close()
        stack.output.index_of("stuck is gone at last")
        self.assert_clean_end(stack)

    def test_the_daemon_ends_all_the_same_and_names_it(self):
        dead = self.dead()
        stack, pid = self.waiting_stack(dead, top="shutdown: {timeout: 20s}")
        began = time.monotonic()
        self.assertEqual(stack.stop(), 71, stack.output.text())
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn(f"cannot be killed: {pid} stat", stack.output.text())
        self.assertTrue(stack.all_events("db", "term"))  # what it depends on was still asked, in order
        self.assertEqual(stack.survivors(), {pid})
