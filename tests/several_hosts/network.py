"""A network of the trial's own: each host is a network namespace with one cable to a switch, which is a bridge. Hosts that are cut
off are plugged into a second one, so that whatever they send is lost without a word, as it is behind a broken switch.

The namespaces have no names: they end with the processes in them, whatever becomes of the trial.
"""
import os
import select
import subprocess

SWITCHES = ("together", "apart")


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdin=subprocess.DEVNULL)


def wait_for_end(process, seconds):
    """Of a child, no longer than that: between two attempts to reach somebody who tells nobody when he can be reached."""
    try:
        ended = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    select.select([ended], [], [], seconds)
    os.close(ended)


class Network:
    """Made in the namespace of whoever makes it, which should be its own; he has the address .250 himself, beside those who are together."""

    def __init__(self):
        ip("link", "set", "lo", "up")
        for switch in SWITCHES:
            ip("link", "add", switch, "type", "bridge")
            ip("link", "set", switch, "up")
        ip("address", "add", "10.99.0.250/24", "dev", SWITCHES[0])
        self.holders, self.addresses, self.apart = {}, {}, set()

    def add(self, name, number):
        """A host of that name; its address."""
        # It keeps the namespace, and says when it is in it.
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo there; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdout.readline()
        self.holders[name], self.addresses[name] = holder, f"10.99.0.{number}"
        ip("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        ip("link", "set", f"to-{name}", "master", SWITCHES[0], "up")
        for command in (("link", "set", "lo", "up"), ("address", "add", self.addresses[name] + "/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            subprocess.run([*self.within(name), "ip", *command], check=True)
        return self.addresses[name]

    def within(self, name):
        """What comes before a command that is to run on that host."""
        return ["nsenter", f"--net=/proc/{self.holders[name].pid}/ns/net"]

    def cut(self, names):
        """These reach each other, and nobody else."""
        for name in self.holders:
            if (name in names) != (name in self.apart):
                ip("link", "set", f"to-{name}", "master", SWITCHES[name in names])
        self.apart = set(names)

    def close(self):
        for holder in self.holders.values():
            holder.kill()
            holder.wait()
            holder.stdin.close()
            holder.stdout.close()
