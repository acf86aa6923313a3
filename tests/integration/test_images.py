"""The Dockerfiles, as far as they can be held against the rest without building them; deploy/test-image builds and runs them."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

from harness import BELFRY, ROOT, belfry
from pages import blocks_of, read

sys.path.insert(0, os.path.join(ROOT, "tests/image"))

import docker_defaults  # noqa: E402: the folder has to be known first


def instructions(text):
    """Without the comments above the first one: a page says in its own words what they say."""
    return text[re.search(r"^[A-Z]", text, re.MULTILINE).start():]


class Images(unittest.TestCase):
    def test_docker_build_without_a_name_finds_the_dockerfile(self):
        self.assertEqual(os.readlink(f"{ROOT}/Dockerfile"), "deploy/Dockerfile")

    def test_its_version_is_the_one_of_belfry(self):
        version = belfry("version").stdout.split()[1]
        self.assertEqual(set(re.findall(r"^ARG VERSION=(.*)$", read("deploy/Dockerfile"), re.MULTILINE)), {version})

    def test_the_page_shows_the_dockerfiles_as_they_are(self):
        shown = {block.words["file"]: block.text for block in blocks_of("docs/how-to/container.md")
                 if block.language == "dockerfile" and "file" in block.words}
        self.assertEqual(set(shown), {"deploy/images/shop/Dockerfile", "deploy/images/busybox/Dockerfile"})
        for name, text in shown.items():
            self.assertEqual(text, instructions(read(name)), name)

    def test_what_it_asks_belfry_for_is_understood(self):
        for name in ("deploy/Dockerfile", "deploy/images/busybox/Dockerfile"):
            commands = re.findall(r'(?:CMD|ENTRYPOINT) (\[.*\])', read(name))
            self.assertGreater(len(commands), 1)
            for program, *arguments in map(json.loads, commands):
                self.assertEqual(os.path.basename(program), "belfry")
                # There is no such file here, and no belfry: everything else would be 64, a mistake in the words.
                with tempfile.TemporaryDirectory() as folder:
                    done = subprocess.run([BELFRY, *arguments[:-1], f"{folder}/none.yaml"], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 66, done.stderr)

    def test_the_stacks_of_the_examples_have_no_error_and_fit_into_docker_stop(self):
        for name in ("shop", "busybox"):
            done = belfry("check", "--format", "json", f"{ROOT}/deploy/images/{name}/belfry.yaml")
            self.assertEqual(done.returncode, 0, done.stdout)
            # Programs of the image are not here. A time that does not fit would be said as well.
            for said in json.loads(done.stdout)["diagnostics"]:
                self.assertRegex(said["message"], r"is in no directory of|does not exist")


class DockersDefaults(unittest.TestCase):
    def rules(self, profile, *capabilities, machine="x86_64"):
        told = {"defaultAction": "SCMP_ACT_ERRNO", "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}], "syscalls": profile}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(told, file)
            file.flush()
            return docker_defaults.seccomp(file.name, capabilities, machine)

    def test_a_rule_holds_with_its_capabilities_on_its_architecture_and_kernel(self):
        profile = [
            {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
            {"names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_CHROOT"]}},
            {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"], "arches": ["s390x"]},
             "args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}]},
            {"names": ["breakpoint"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["arm64"]}},
            {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
            {"names": ["later"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "99.0"}},
        ]

        def names(*capabilities):
            return [rule["names"][0] for rule in self.rules(profile, *capabilities)["syscalls"]]

        self.assertEqual(names(), ["read", "clone", "ptrace"])
        self.assertEqual(names("CAP_SYS_CHROOT"), ["read", "chroot", "clone", "ptrace"])
        self.assertEqual(names("CAP_SYS_ADMIN"), ["read", "ptrace"])
        told = self.rules(profile)
        self.assertEqual(told["syscalls"][1]["args"], profile[2]["args"])
        self.assertEqual(told["architectures"], ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])

    def test_the_capabilities_are_those_that_the_kernel_shows(self):
        with open("/usr/include/linux/capability.h", encoding="ascii") as file:
            numbers = {name: int(number) for name, number in re.findall(r"^#define (CAP_\w+)\s+(\d+)$", file.read(), re.MULTILINE)}
        self.assertEqual(sum(1 << numbers[name] for name in docker_defaults.CAPABILITIES), docker_defaults.CAPABILITY_BITS)
