"""A command that `exec` cannot run is told before the stack is brought up for it."""
import os

from harness import Scenario


class ExecCommands(Scenario):
    def refused(self, code, said, command, *, path=None):
        """The one service never gets ready: whoever waits for it waits until the test is over."""
        stack = self.stack("  slow: {command: [sh, -c, 'echo > started; exec sleep 1000'], ready: {file: never}}")
        for name, text, mode in (("text", "", 0o644), ("script", "#!/no/such/shell\n", 0o755), ("crlf", "#!/bin/sh\r\n", 0o755),
                                 ("tool", "#!/bin/sh\n", 0o755)):
            with open(os.path.join(stack.path, name), "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.chmod(file.name, mode)
        result = stack.cli("exec", "-c", stack.file, "--", command)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(f"belfry: cannot run {command}: ", result.stderr)
        self.assertIn(said, result.stderr)
        self.assertFalse(os.path.exists(os.path.join(stack.path, "started")))
        self.assertEqual(result.stdout, "")

    def test_a_mistyped_name_is_127_and_says_where_it_was_looked_for(self):
        self.refused(127, "it is not in PATH (", "pytset")

    def test_a_mistyped_path_is_127(self):
        self.refused(127, "./run-tset does not exist", "./run-tset")

    def test_a_name_that_lies_here_and_not_in_path_is_told(self):
        self.refused(127, "write ./tool", "tool")

    def test_a_file_that_may_not_be_executed_is_126(self):
        self.refused(126, "./text is not executable", "./text")

    def test_a_directory_is_126(self):
        self.refused(126, "/tmp is a directory", "/tmp")

    def test_a_missing_interpreter_is_named(self):
        self.refused(127, "the interpreter /no/such/shell", "./script")

    def test_windows_line_ends_are_named(self):
        self.refused(127, "has Windows line ends", "./crlf")

    def test_what_the_stack_makes_is_run_by_a_shell(self):
        stack = self.stack("  build: {type: oneshot, command: [sh, -c, \"printf '#!/bin/sh\\necho made\\n' > made; chmod +x made\"]}")
        self.assertIn("-- sh -c './made'", stack.cli("exec", "-c", stack.file, "--", "./made").stderr)
        result = stack.cli("exec", "-c", stack.file, "--", "sh", "-c", "./made")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("made", result.stdout)

    def test_a_stack_that_was_hopeless_before_anybody_looked_ends_at_once(self):
        stack = self.stack("  db: {command: [sleep, '1000']}\n  bad: {command: ./nope}")
        result = stack.cli("exec", "-c", stack.file, "--timeout", "1h", "--", "true")
        self.assertEqual(result.returncode, 69, result.stderr)
        self.assertIn("the stack will not be ready", result.stderr)
        self.assertIn("./nope", result.stderr)
