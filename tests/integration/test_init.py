"""`belfry run -- CMD`: an init for one command."""
import signal
import subprocess
import unittest

from harness import BELFRY, belfry

AS_PID_1 = ["unshare", "--pid", "--fork", "--mount-proc"]


class Init(unittest.TestCase):
    def test_the_exit_code_is_that_of_the_command(self):
        for script, code in (("exit 0", 0), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)):
            self.assertEqual(code, belfry("run", "--", "sh", "-c", script).returncode, script)

    def test_what_cannot_be_run_is_127_or_126(self):
        self.assertEqual(127, belfry("run", "--", "/no/such").returncode)
        self.assertEqual(126, belfry("run", "--", "/etc/passwd").returncode)

    def test_a_remapped_code_is_0(self):
        self.assertEqual(0, belfry("run", "--remap-exit", "143", "--", "sh", "-c", "kill -TERM $$").returncode)

    def signalled(self, number, *options):
        script = f"trap 'echo heard; exit 3' {int(number)}; trap 'exit 4' QUIT; echo up; while :; do :; done"
        run = subprocess.Popen([BELFRY, "run", *options, "--", "bash", "-c", script], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
        self.assertEqual("up\n", run.stdout.readline())
        run.send_signal(number)
        try:
            return run.wait(30)
        finally:
            run.stdin.close()
            run.stdout.close()

    def test_signals_are_passed_on(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGRTMIN):
            self.assertEqual(3, self.signalled(number), number)

    def test_a_signal_is_rewritten(self):
        self.assertEqual(4, self.signalled(signal.SIGTERM, "--rewrite", "SIGTERM:SIGQUIT"))

    def test_what_the_command_leaves_behind_is_ended_as_pid_1_and_not(self):
        for before in ([], AS_PID_1):
            done = subprocess.run([*before, BELFRY, "run", "--", "sh", "-c", "setsid sleep 1000 & exit 5"],
                                  timeout=30, capture_output=True, check=False)  # its end is the pipe's
            self.assertEqual(5, done.returncode, before)


if __name__ == "__main__":
    unittest.main()
