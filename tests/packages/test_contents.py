"""What is in the packages, and in the documents beside them."""
import functools
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from roots import OUT, ROOT, package

TREES = {"release": os.environ.get("BELFRY_RELEASE", os.path.join(ROOT, "build/release")), "static": os.environ.get("BELFRY_STATIC", os.path.join(ROOT, "build/static"))}
COMPLETIONS = {"bash-completion/completions/belfry", "zsh/vendor-completions/_belfry", "fish/vendor_completions.d/belfry.fish"}


def run(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, text=True, **more).stdout


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def document(name):
    with open(os.path.join(OUT, name), encoding="utf-8") as file:
        return json.load(file)


class Case(unittest.TestCase):
    def folder(self):
        folder = tempfile.mkdtemp(prefix="belfry-contents-")
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def unpacked(self, pattern):
        folder = self.folder()
        subprocess.run(["dpkg-deb", "-x", package(pattern), folder], check=True)
        return folder


class Debian(Case):
    NAMES = ("belfry_*.deb", "belfry-static_*.deb", "libbelfry-channels-dev_*.deb")

    def test_lintian_says_nothing_against_them(self):
        for name in self.NAMES:
            with self.subTest(name=name):
                said = subprocess.run(["lintian", "--no-cfg", "--fail-on", "error,warning", "--allow-root", package(name)], capture_output=True, text=True, check=False)
                self.assertEqual((said.returncode, said.stdout), (0, ""))

    def test_lintian_would_find_a_mistake(self):
        tree = self.folder()
        subprocess.run(["dpkg-deb", "-R", package("libbelfry*.deb"), tree + "/t"], check=True)
        os.remove(tree + "/t/usr/share/doc/libbelfry-channels-dev/copyright")
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree + "/t", tree + "/t.deb"], check=True, stdout=subprocess.DEVNULL)
        said = subprocess.run(["lintian", "--no-cfg", "--fail-on", "error", "--allow-root", tree + "/t.deb"], capture_output=True, text=True, check=False)
        self.assertIn("no-copyright-file", said.stdout)
        self.assertNotEqual(said.returncode, 0)

    def test_each_has_all_that_belongs_to_it(self):
        for name, pattern in (("belfry", "belfry_*.deb"), ("belfry-static", "belfry-static_*.deb")):
            root = self.unpacked(pattern)
            wanted = {"usr/bin/belfry", "lib/systemd/system/belfry.service", "lib/systemd/system/belfry@.service", "usr/lib/systemd/user/belfry.service",
                      "usr/share/man/man1/belfry.1.gz", "usr/share/belfry/schema.json", "etc/default/belfry", f"usr/share/doc/{name}/copyright",
                      f"usr/share/doc/{name}/third-party.txt.gz", f"usr/share/doc/{name}/docs/how-to/systemd.md", f"usr/share/doc/{name}/examples/shop.yaml",
                      *("usr/share/" + path for path in COMPLETIONS)}
            with self.subTest(package=name):
                self.assertEqual({path for path in wanted if not os.path.isfile(os.path.join(root, path))}, set())
                self.assertTrue(os.path.isdir(root + "/etc/belfry"))
                self.assertEqual(run("dpkg-deb", "-I", package(pattern), "conffiles"), "/etc/default/belfry\n")
                self.assertIn("GNU_RELRO", run("readelf", "--program-headers", "--wide", root + "/usr/bin/belfry"))

    def test_the_manual_the_schema_and_the_completions_are_the_programs_own(self):
        root = self.unpacked("belfry-static_*.deb")
        belfry = root + "/usr/bin/belfry"
        self.assertEqual(run("gzip", "-dc", root + "/usr/share/man/man1/belfry.1.gz"), run(belfry, "help", "--man"))
        for shell, path in (("bash", "bash-completion/completions/belfry"), ("zsh", "zsh/vendor-completions/_belfry"), ("fish", "fish/vendor_completions.d/belfry.fish")):
            with open(f"{root}/usr/share/{path}", encoding="utf-8") as file:
                self.assertEqual(file.read(), run(belfry, "completion", shell))
        for name in ("quickstart.yaml", "shop.yaml", "ci.yaml", "container.yaml"):
            self.assertTrue(os.path.getsize(f"{root}/usr/share/doc/belfry-static/examples/{name}"))

    def test_no_path_of_the_build_is_in_them(self):
        places = {os.path.realpath(place).encode() for place in (ROOT, *TREES.values())}
        for name in self.NAMES:
            root = self.unpacked(name)
            for folder, _, names in os.walk(root):
                for file_name in names:
                    with open(os.path.join(folder, file_name), "rb") as file:
                        content = file.read()
                    self.assertEqual([place for place in places if place + b"/" in content], [], f"{name}: {folder}/{file_name}")

    def test_somebody_elses_project_finds_the_channels_and_runs(self):
        root, work = self.unpacked("libbelfry*.deb"), self.folder()
        run("cmake", "-S", os.path.join(ROOT, "tests/channels/package"), "-B", work, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={root}/usr", "-DCMAKE_CXX_COMPILER=clang++-19")
        run("cmake", "--build", work)
        self.assertEqual(run(work + "/consumer"), "42\n")
        with open(work + "/CMakeCache.txt", encoding="utf-8") as file:
            self.assertIn(f"belfry-channels_DIR:PATH={root}/usr/lib/cmake/belfry-channels", file.read())


class Others(Case):
    def test_rpm_knows_sums_configuration_and_that_nothing_is_needed(self):
        rpm = package("*.rpm")
        self.assertIn("digests OK", run("rpm", "-K", "--nosignature", rpm))
        self.assertEqual(run("rpm", "-qp", "--configfiles", rpm), "/etc/default/belfry\n")
        needs = {line for line in run("rpm", "-qp", "--requires", rpm).split("\n") if line and not line.startswith("rpmlib(")}
        self.assertEqual(needs, {"/bin/sh"})
        self.assertNotIn("/usr/bin\n", run("rpm", "-qpl", rpm))

    def test_install_belfry_takes_what_lies_in_the_folder(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=OUT))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        folder = self.folder()
        said = run(os.path.join(ROOT, "deploy/ci/install-belfry"), folder, f"http://127.0.0.1:{server.server_port}/")
        self.assertIn("static", said)
        self.assertEqual(sha256(folder + "/belfry"), sha256(package(f"belfry-linux-{os.uname().machine}")))

    def test_all_sums_are_right_and_nothing_is_without_one(self):
        run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=OUT)
        with open(os.path.join(OUT, "SHA256SUMS"), encoding="ascii") as file:
            listed = {line.split("  ")[1] for line in file.read().splitlines()}
        self.assertEqual(listed | {"SHA256SUMS"}, set(os.listdir(OUT)))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Documents(Case):
    """The rules of SPDX 2.3 and of in-toto's statements that concern what is written here; the schemas themselves are not Debian's to install."""

    NAMES = {"belfry.spdx.json": "belfry_*.deb", "belfry-static.spdx.json": "belfry-static_*.deb", "libbelfry-channels-dev.spdx.json": "libbelfry*.deb"}
    RELATIONS = {"DESCRIBES", "CONTAINS", "STATIC_LINK", "DYNAMIC_LINK", "BUILD_DEPENDENCY_OF"}

    def test_each_bill_is_well_formed(self):
        for name in self.NAMES:
            with self.subTest(name=name):
                bill = document(name)
                self.assertEqual((bill["spdxVersion"], bill["dataLicense"], bill["SPDXID"]), ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
                self.assertRegex(bill["documentNamespace"], r"^https://[^#\s]+$")
                self.assertRegex(bill["creationInfo"]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
                for creator in bill["creationInfo"]["creators"]:
                    self.assertRegex(creator, r"^(Person|Organization|Tool): \S")
                elements = [bill, *bill["packages"], *bill["files"]]
                known = {one["SPDXID"] for one in elements}
                self.assertEqual(len(known), len(elements))
                for identifier in known:
                    self.assertRegex(identifier, r"^SPDXRef-[A-Za-z0-9.-]+$")
                for one in bill["relationships"]:
                    self.assertLessEqual({one["spdxElementId"], one["relatedSpdxElement"]}, known)
                    self.assertIn(one["relationshipType"], self.RELATIONS)
                for one in bill["packages"]:
                    self.assertLessEqual({"name", "versionInfo", "downloadLocation", "filesAnalyzed", "licenseConcluded", "licenseDeclared", "copyrightText"}, one.keys())
                    self.assertEqual("packageVerificationCode" in one, one["filesAnalyzed"])
                    for reference in one.get("externalRefs", []):
                        self.assertEqual((reference["referenceCategory"], reference["referenceType"]), ("PACKAGE-MANAGER", "purl"))
                        self.assertRegex(reference["referenceLocator"], r"^pkg:[a-z]+/[^\s@]+@[^\s@?]+(\?[^\s?]+)?$")

    def test_each_bill_lists_the_files_of_its_package_with_their_sums(self):
        for name, pattern in self.NAMES.items():
            with self.subTest(name=name):
                root, bill = self.unpacked(pattern), document(name)
                listed = {file["fileName"][2:]: {one["algorithm"]: one["checksumValue"] for one in file["checksums"]} for file in bill["files"]}
                there = {os.path.relpath(os.path.join(folder, one), root) for folder, _, names in os.walk(root) for one in names}
                self.assertEqual(set(listed), there)
                for path, sums in listed.items():
                    self.assertEqual(sums["SHA256"], sha256(os.path.join(root, path)))
                subject, = (one for one in bill["packages"] if one["SPDXID"] == "SPDXRef-Package")
                code = hashlib.sha1("".join(sorted(sums["SHA1"] for sums in listed.values())).encode()).hexdigest()
                self.assertEqual(subject["packageVerificationCode"]["packageVerificationCodeValue"], code)
                self.assertEqual(subject["versionInfo"], run("dpkg-deb", "-f", package(pattern), "Version").strip())

    def linked(self, name, how):
        bill = document(name)
        names = {one["SPDXID"]: one["name"] for one in bill["packages"]}
        return {names[one["relatedSpdxElement"]] for one in bill["relationships"] if one["relationshipType"] == how}

    def test_the_bill_of_belfry_names_every_library_that_its_package_depends_on(self):
        depends = set(re.findall(r"(?:^|, )([^ ,]+)", run("dpkg-deb", "-f", package("belfry_*.deb"), "Depends")))
        self.assertLessEqual(depends, self.linked("belfry.spdx.json", "DYNAMIC_LINK"))

    def test_the_bill_of_the_static_one_names_what_is_in_it_and_its_terms_are_there(self):
        inside = self.linked("belfry-static.spdx.json", "STATIC_LINK")
        self.assertLessEqual({"libssl-dev", "libc6-dev", "libstdc++-12-dev", "libc-ares-dev", "libre2-dev", "libnghttp2-dev", "libyaml-cpp-dev", "zlib1g-dev", "prometheus-cpp"}, inside)
        self.assertEqual(self.linked("belfry-static.spdx.json", "DYNAMIC_LINK"), set())
        terms = run("gzip", "-dc", self.unpacked("belfry-static_*.deb") + "/usr/share/doc/belfry-static/third-party.txt.gz")
        for name in inside - {"prometheus-cpp"}:
            self.assertRegex(terms, rf"(?m)^{re.escape(name)} \d")
        version, = re.findall(r"TLS by OpenSSL ([\d.]+)", run(package(f"belfry-linux-{os.uname().machine}"), "version"))
        bill = document("belfry-static.spdx.json")
        self.assertTrue(any(one["name"] == "libssl-dev" and one["versionInfo"].startswith(version) for one in bill["packages"]))

    def test_the_statement_is_about_these_very_files_and_this_commit(self):
        statement = document("belfry.provenance.json")
        self.assertEqual((statement["_type"], statement["predicateType"]), ("https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"))
        about = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
        self.assertEqual(set(about), set(os.listdir(OUT)) - {"SHA256SUMS", "belfry.provenance.json"})
        for name, digest in about.items():
            self.assertEqual(digest, sha256(os.path.join(OUT, name)))
        definition = statement["predicate"]["buildDefinition"]
        self.assertLessEqual({"buildType", "externalParameters", "resolvedDependencies"}, definition.keys())
        self.assertIn("id", statement["predicate"]["runDetails"]["builder"])
        commits = [one["digest"]["gitCommit"] for one in definition["resolvedDependencies"] if "digest" in one]
        self.assertEqual(len(commits), 1)
        self.assertRegex(commits[0], r"^[0-9a-f]{40}$")


class Again(Case):
    def test_packed_again_elsewhere_and_later_they_are_the_same_bytes(self):
        statement = document("belfry.provenance.json")
        elsewhere = self.folder()
        os.mkdir(elsewhere + "/tmp", 0o700)
        environment = {**os.environ, "TMPDIR": elsewhere + "/tmp", "TZ": "Asia/Tokyo", "LANG": "C",
                       "SOURCE_DATE_EPOCH": statement["predicate"]["buildDefinition"]["internalParameters"]["SOURCE_DATE_EPOCH"]}
        subprocess.run(["sh", "-c", 'umask 077; exec "$@"', "sh", os.path.join(ROOT, "deploy/packages"), "--release", TREES["release"], "--static", TREES["static"], elsewhere + "/out"],
                       check=True, env=environment, stdout=subprocess.DEVNULL)
        names = sorted(set(os.listdir(OUT)) - {"SHA256SUMS", "belfry.provenance.json"})
        self.assertEqual({name: sha256(f"{elsewhere}/out/{name}") for name in names}, {name: sha256(os.path.join(OUT, name)) for name in names})

    def test_channels_compiled_elsewhere_without_a_cache_are_the_same_bytes(self):
        elsewhere = self.folder()
        archive = subprocess.Popen(["git", "-C", ROOT, "archive", "HEAD"], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", elsewhere], stdin=archive.stdout, check=True)
        archive.stdout.close()
        self.assertEqual(archive.wait(), 0)
        run("cmake", "--preset", "release", "-DBELFRY_CHANNELS_ONLY=ON", "-DBELFRY_CCACHE=OFF", cwd=elsewhere)
        run("cmake", "--build", "build/release", "--target", "belfry_channels", cwd=elsewhere, env={**os.environ, "CCACHE_DISABLE": "1"})
        library = elsewhere + "/build/release/channels/libbelfry_channels.a"
        run("strip", "--strip-debug", "--enable-deterministic-archives", "--remove-section=.comment", library)
        self.assertEqual(sha256(library), sha256(self.unpacked("libbelfry*.deb") + "/usr/lib/libbelfry_channels.a"))


if __name__ == "__main__":
    unittest.main()
