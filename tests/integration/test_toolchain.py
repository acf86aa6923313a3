"""The build refuses what would build something broken, and says why."""
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import ROOT, Scenario


@unittest.skipUnless(shutil.which("g++"), "needs g++")
class Compilers(Scenario):
    def test_gcc_is_refused_with_the_reason_and_the_next_step(self):
        folder = tempfile.mkdtemp(prefix="belfry-gcc-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        result = subprocess.run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_C_COMPILER=gcc"],
                                capture_output=True, text=True, check=False, env={**os.environ, "CC": "", "CXX": ""})
        self.assertNotEqual(result.returncode, 0)
        said = " ".join(result.stderr.split())
        self.assertIn("miscompiles coroutines", said)
        self.assertIn("cmake --preset release", said)
