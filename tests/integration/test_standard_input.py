"""`stdin`: what a service reads."""
import os

from harness import Scenario


class StandardInput(Scenario):
    def test_a_file_is_read_and_by_default_there_is_nothing(self):
        stack = self.stack("""
  reader: {type: oneshot, command: cat, stdin: words.txt}
  other: {type: oneshot, command: [/bin/sh, -c, "cat; readlink /proc/self/fd/0"]}
""")
        with open(os.path.join(stack.path, "words.txt"), "w", encoding="ascii") as out:
            out.write("one\ntwo\n")
        stack.start()
        self.assertEqual(stack.exit_code(), 0)
        self.assertIn("reader | two", stack.output.text())
        self.assertIn("other | /dev/null", stack.output.text())

    def test_belfrys_own_is_passed_on_when_asked(self):
        stack = self.stack("""
  reader: {type: oneshot, command: [readlink, /proc/self/fd/0], stdin: inherit}
""")
        stack.start(wrapper=["/bin/sh", "-c", 'exec "$@" </etc/hostname', "sh"])
        self.assertEqual(stack.exit_code(), 0)
        self.assertIn("reader | /etc/hostname", stack.output.text())

    def test_a_file_that_is_not_there_fails_the_service_and_names_it(self):
        stack = self.stack("""
  reader: {command: cat, stdin: none.txt}
  other: {command: $SAMPLE --name other}
""")
        stack.start()
        stack.event("other", "main")
        stack.output.index_of("reader failed: cannot open")
        self.assertIn("none.txt as its standard input: No such file", stack.services()["reader"]["last_error"])
        self.assert_clean_end(stack)

    def test_a_terminal_of_its_own_is_its_controlling_one_and_its_lines_are_logged(self):
        look = ("import os, sys; print(all(map(os.isatty, (0, 1, 2))), os.tcgetpgrp(0) == os.getpgrp(), "
                "os.get_terminal_size()); os.close(os.open('/dev/tty', os.O_RDWR)); sys.exit(0)")
        stack = self.stack(f"""
  reader: {{type: oneshot, command: [/usr/bin/python3, -c, "{look}"], tty: true}}
""")
        stack.start()
        self.assertEqual(stack.exit_code(), 0, stack.output.text())
        self.assertIn("reader | True True os.terminal_size(columns=80, lines=24)", stack.output.lines)

    def test_a_terminal_serves_one_run_after_the_other(self):
        stack = self.stack("""
  web:
    command: [/bin/bash, -c, "echo \\"run $((++n))\\" of $(tty | cut -c-8); exec $SAMPLE --name web"]
    tty: true
    restart: {delay: 1ms}
""")
        stack.start().wait_for_control()
        first = stack.output.index_of("run 1 of /dev/pts")
        self.assertEqual(stack.request("POST", "/v1/services/web/restart")[0], 200)
        stack.output.index_of("run 1 of /dev/pts", first + 1)
        self.assert_clean_end(stack)
