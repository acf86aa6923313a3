"""Packages come, are replaced and go in a root of Debian 12 that has nothing else, and leave nothing."""
import os
import subprocess
import tempfile
import unittest

from roots import Tree, base, package

STACK = "services: {web: {command: [sleep, infinity]}}\n"


def newer(test, path):
    """The same package as its next version, which comes with another /etc/default/belfry."""
    folder = tempfile.TemporaryDirectory(prefix="belfry-newer-")
    test.addCleanup(folder.cleanup)
    tree, out = folder.name + "/tree", folder.name + "/" + os.path.basename(path).replace("_0", "_999.0")
    subprocess.run(["dpkg-deb", "-R", path, tree], check=True)
    for name, old, new in (("DEBIAN/control", "\nVersion: ", "\nVersion: 999."), ("etc/default/belfry", "# Environment", "# The environment")):
        with open(f"{tree}/{name}", encoding="utf-8") as file:
            text = file.read()
        test.assertIn(old, text)
        with open(f"{tree}/{name}", "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, out], check=True, stdout=subprocess.DEVNULL)
    return out


class Life(unittest.TestCase):
    def setUp(self):
        self.tree = Tree(self)

    def version(self, name="belfry"):
        return self.tree.run("dpkg-query", "-W", "-f", "${Version}", name).stdout

    def read(self, path):
        with open(self.tree.root + path, encoding="utf-8") as file:
            return file.read()

    def use(self):
        """What everybody does first, with what has been installed."""
        self.tree.write("/etc/belfry/belfry.yaml", STACK)
        self.tree.run("belfry", "check", "--strict")
        self.tree.run("belfry", "run", "--", "true")
        self.assertIn("belfry", self.tree.run("belfry", "version").stdout)

    def test_belfry_is_installed_with_what_it_needs_upgraded_and_purged(self):
        self.tree.apt("update")
        before = self.tree.paths()
        self.tree.apt("install", self.tree.bring(package("belfry_*.deb")))
        self.use()
        self.assertEqual(self.tree.run("dpkg", "--verify", "belfry").stdout, "")
        self.assertFalse(os.path.lexists(self.tree.root + "/etc/systemd/system/multi-user.target.wants/belfry.service"))
        first = self.version()

        # An administrator's words outlive the upgrade; what he has enabled is still there after it.
        self.tree.write("/etc/default/belfry", "BELFRY_PROFILES=mine\n")
        self.tree.run("systemctl", "enable", "belfry.service", "belfry@shop.service")
        self.tree.apt("-o", "Dpkg::Options::=--force-confold", "install", self.tree.bring(newer(self, package("belfry_*.deb"))))
        self.assertEqual(self.version(), "999." + first)
        self.assertEqual(self.read("/etc/default/belfry"), "BELFRY_PROFILES=mine\n")
        self.assertTrue(os.path.islink(self.tree.root + "/etc/systemd/system/multi-user.target.wants/belfry.service"))
        self.use()

        # Removed, its configuration stays; purged, nothing of it, and nothing that it has made.
        self.tree.write("/var/lib/belfry/history", "x")
        self.tree.apt("remove", "belfry")
        self.assertTrue(os.path.exists(self.tree.root + "/etc/default/belfry"))
        os.remove(self.tree.root + "/etc/belfry/belfry.yaml")  # the administrator's own: a package does not know it
        self.tree.apt("purge", "belfry")
        self.tree.apt("autoremove", "--purge")
        self.assertEqual(self.tree.paths() - before, {"/usr/sbin/policy-rc.d"} - before)
        self.assertEqual(before - self.tree.paths(), set())
        self.assertNotIn("belfry", self.tree.run("dpkg", "--get-selections").stdout)

    def test_what_an_administrator_has_written_outlives_a_purge(self):
        self.tree.run("dpkg", "-i", self.tree.bring(package("belfry-static_*.deb")))
        self.use()
        self.tree.run("dpkg", "--purge", "belfry-static")
        self.assertEqual(self.read("/etc/belfry/belfry.yaml"), STACK)

    def test_the_static_one_needs_nothing_and_takes_the_place_of_the_other(self):
        before = self.tree.paths()
        self.tree.run("dpkg", "-i", self.tree.bring(package("belfry-static_*.deb")))
        self.use()
        self.assertIn("static", self.tree.run("belfry", "version").stdout)
        self.tree.apt("update")
        self.tree.apt("install", self.tree.bring(package("belfry_*.deb")))
        self.assertIn("dynamic", self.tree.run("belfry", "version").stdout)
        self.assertTrue(os.path.exists(self.tree.root + "/lib/systemd/system/belfry.service"))
        # And back: what goes now is purged while the other has its files.
        self.tree.apt("install", self.tree.bring(package("belfry-static_*.deb")), "belfry-")
        self.tree.write("/var/lib/belfry/history", "x")
        self.tree.run("dpkg", "--purge", "belfry")
        self.assertTrue(os.path.exists(self.tree.root + "/var/lib/belfry/history"))
        self.use()
        os.remove(self.tree.root + "/etc/belfry/belfry.yaml")
        self.tree.apt("purge", "belfry-static")
        self.tree.apt("autoremove", "--purge")
        self.assertEqual(self.tree.paths() - before, set())

    def test_the_rpm_is_installed_and_erased_by_rpm(self):
        before = self.tree.paths()
        rpm = ("rpm", "--root", self.tree.root, "--dbpath", "/root/rpm", "--force-debian", "--nodeps")  # there is no other rpm that /bin/sh could be of
        subprocess.run([*rpm, "--install", package("*.rpm")], check=True)
        self.use()
        self.assertEqual(subprocess.run([*rpm, "--verify", "belfry-static"], capture_output=True, text=True, check=False).stdout, "")
        os.remove(self.tree.root + "/etc/belfry/belfry.yaml")
        subprocess.run([*rpm, "--erase", "belfry-static"], check=True)
        self.assertEqual(self.tree.paths() - before, set())

    def test_the_tarball_is_unpacked_as_the_readme_says(self):
        subprocess.run(["tar", "-xzf", package("belfry-*.tar.gz"), "-C", self.tree.root + "/usr/local", "--strip-components=1"], check=True)
        self.use()
        self.assertIn("ExecStart=/usr/local/bin/belfry ", self.read("/usr/local/lib/systemd/system/belfry.service"))
        self.tree.run("systemd-analyze", "verify", "--man=no", "/usr/local/lib/systemd/system/belfry.service")


class Base(unittest.TestCase):
    def test_there_is_no_belfry_in_it(self):
        self.assertFalse(os.path.exists(base() + "/usr/bin/belfry"))


if __name__ == "__main__":
    unittest.main()
