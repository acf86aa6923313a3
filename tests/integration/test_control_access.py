"""Who may command a daemon besides its owner: members of the groups in control.allow, and whoever has the token."""
import http.client
import json
import os
import subprocess
import unittest

from harness import BELFRY, Scenario, free_port

SLEEPER = "  a: {command: [sleep, '600']}"


def with_control(stack, keys):
    """Adds keys to `control:` of the stack's file."""
    with open(stack.file, encoding="utf-8") as file:
        text = file.read()
    with open(stack.file, "w", encoding="utf-8") as file:
        file.write(text.replace(f"{{socket: {stack.control}}}", f"{{socket: {stack.control}, {keys}}}"))
    return stack


TOKEN = "0123456789abcdef0123456789abcdef"


@unittest.skipUnless(os.geteuid() == 0, "takes root to be somebody else")
class Groups(Scenario):
    def as_user(self, stack, *command, groups):
        return subprocess.run(["setpriv", "--reuid=4242", "--regid=4242", f"--groups={groups}" if groups else "--clear-groups",
                               BELFRY, *command, "--socket", stack.control],
                              capture_output=True, text=True, cwd="/", check=False)

    def allowing(self, groups):
        stack = with_control(self.stack(SLEEPER), f"allow: {groups}")
        os.chmod(stack.path, 0o711)
        return stack.start().wait_for_control()

    def test_members_of_an_allowed_group_command_and_nobody_else_does(self):
        stack = self.allowing("['4300', daemon]")
        for groups in ("4300", "1"):
            done = self.as_user(stack, "restart", "a", groups=groups)
            self.assertEqual(done.returncode, 0, done.stderr)
        stack.output.index_of("restart of a asked for by user 4242 (process ")
        refused = self.as_user(stack, "restart", "a", groups="4301")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("Permission denied", refused.stderr)
        self.assertEqual(os.stat(stack.control).st_mode & 0o007, 0, "nothing is everybody's")
        self.assert_clean_end(stack)

    def test_a_socket_that_was_opened_to_all_by_hand_still_asks_who_it_is(self):
        stack = self.allowing("['4300']")
        os.chmod(stack.control, 0o666)
        self.assertEqual(self.as_user(stack, "status", groups="4300").returncode, 0)
        refused = self.as_user(stack, "status", groups="")
        self.assertEqual(refused.returncode, 77, refused.stderr)
        self.assertIn("control.allow", refused.stderr)
        self.assert_clean_end(stack)

    def test_a_directory_that_keeps_the_group_out_is_named(self):
        stack = with_control(self.stack(SLEEPER), "allow: ['4300']")
        os.chmod(stack.path, 0o700)
        stack.start().wait_for_control()
        stack.output.index_of(f"the group 4300 may use {stack.control}, and cannot come as far: {stack.path} is closed to it")
        self.assert_clean_end(stack)

    def test_a_group_that_is_not_there_is_an_error_of_the_file(self):
        stack = with_control(self.stack(SLEEPER), "allow: [no-such-group]").start()
        self.assertEqual(stack.exit_code(), 65)
        self.assertIn("cannot let the group no-such-group use the control socket: there is no such group", stack.output.text())


class Token(Scenario):
    def with_token(self, text=TOKEN + "\n", mode=0o600):
        self.port = free_port()
        stack = with_control(self.stack(SLEEPER, top=f"http: {{listen: '127.0.0.1:{self.port}'}}\n"), "token_file: token")
        path = os.path.join(stack.path, "token")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, mode)
        return stack.start()

    def ask(self, method, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.getheader("WWW-Authenticate"), answer.read().decode()
        finally:
            connection.close()

    def test_who_has_the_token_commands_over_tcp_and_who_has_not_is_asked_for_it(self):
        stack = self.with_token().wait_for_control()
        self.assertEqual(stack.wait("a"), 200)
        status, challenge, _ = self.ask("POST", "/v1/services/a/restart")
        self.assertEqual((status, challenge), (401, 'Bearer realm="belfry"'))
        status, challenge, body = self.ask("POST", "/v1/services/a/restart", Authorization="Bearer " + TOKEN[::-1])
        self.assertEqual(status, 401)
        self.assertIn("invalid_token", challenge)
        self.assertNotIn(TOKEN, body)
        status, _, body = self.ask("POST", "/v1/services/a/restart", Authorization="Bearer " + TOKEN, Host="elsewhere.example")
        self.assertEqual(status, 200, body)
        self.assertIn("a", json.loads(body)["affected"])
        stack.output.index_of("restart of a asked for by 127.0.0.1 (with the token)")
        self.assertEqual(self.ask("GET", "/v1/services", Origin="http://evil.example")[0], 401)
        self.assertEqual(self.ask("GET", "/v1/services", Origin=f"http://127.0.0.1:{self.port}")[0], 200)
        self.assertEqual(self.ask("GET", "/readyz")[0], 200)
        self.assert_clean_end(stack)
        self.assertNotIn(TOKEN, stack.output.text())

    def test_a_token_that_others_may_write_or_that_is_none_is_refused(self):
        for text, mode, why in ((TOKEN, 0o622, "others may write it"), ("short\n", 0o600, "a token has at least 16"),
                                ("two words of a token\n", 0o600, "that no token may hold")):
            stack = self.with_token(text, mode)
            self.assertEqual(stack.exit_code(), 65)
            self.assertIn(why, stack.output.text())

    def test_a_token_that_everybody_may_read_is_remarked(self):
        stack = self.with_token(mode=0o644).wait_for_control()
        stack.output.index_of("every user of this host may read the token")
        self.assert_clean_end(stack)
