"""What is in the images, and what they say of themselves."""
import hashlib
import os
import subprocess
import unittest

import made

ENTRYPOINT = ["belfry", "run", "-c", made.THE_FILE]
MEGABYTE = 1000 * 1000


class Images(unittest.TestCase):
    def test_it_runs_the_file_in_etc_and_is_healthy_when_all_is_ready(self):
        config = made.MADE.config_of("belfry")
        self.assertEqual(config["Entrypoint"], ENTRYPOINT)
        self.assertEqual(config["Healthcheck"]["Test"], ["CMD", "belfry", "status", "--ready", "-c", made.THE_FILE])
        self.assertNotIn("Cmd", {key for key, value in config.items() if value})  # the base's would be an argument of belfry
        self.assertFalse(config.get("User"))
        static = made.MADE.config_of("belfry-static")
        self.assertEqual(static["Entrypoint"][1:], ENTRYPOINT[1:])
        for name in (*made.TARGET_OF, *made.EXAMPLES):  # and those that are built on it
            self.assertEqual(made.MADE.config_of(name)["Entrypoint"][1:], ENTRYPOINT[1:])
            self.assertEqual(made.MADE.config_of(name)["Healthcheck"]["Test"][2:], config["Healthcheck"]["Test"][2:])

    def test_its_labels_say_which_belfry_is_in_it(self):
        for name in ("belfry", "belfry-static"):
            labels = made.MADE.config_of(name)["Labels"]
            version = subprocess.run([made.MADE.belfry_of(name), "version"], check=True, capture_output=True, text=True).stdout
            self.assertEqual(labels["org.opencontainers.image.version"], version.split()[1])
            self.assertEqual(labels["org.opencontainers.image.title"], name)
            with open(f"{made.ROOT}/LICENSE", encoding="utf-8") as license:
                self.assertIn(labels["org.opencontainers.image.licenses"], license.readline())
        self.assertEqual(made.MADE.config_of("belfry")["Labels"]["org.opencontainers.image.base.name"], made.BASE)

    def test_it_adds_at_most_15_MB_to_its_base(self):
        size = sum(size for size, _ in made.MADE.added_by("belfry", made.BASE))
        made.said(f"{size / MEGABYTE:.1f} MB")
        self.assertLessEqual(size, 15 * MEGABYTE)
        self.assertGreater(size, os.path.getsize(made.MADE.belfry_of("belfry")))

    def test_the_static_image_is_one_file_of_at_most_11_MB(self):
        [(size, layer)] = made.MADE.added_by("belfry-static")
        made.said(f"{size / MEGABYTE:.1f} MB")
        self.assertEqual(made.files_in(layer), ["usr/bin/belfry"])
        self.assertLessEqual(size, 11 * MEGABYTE)

    def test_belfry_in_it_is_the_one_that_was_built(self):
        for name in made.STAGE_OF:
            with open(f"{made.MADE.builder.root_of(name)}/usr/bin/belfry", "rb") as there, open(made.MADE.belfry_of(name), "rb") as built:
                self.assertEqual(hashlib.sha256(there.read()).hexdigest(), hashlib.sha256(built.read()).hexdigest())

    def test_nothing_is_left_of_the_build_and_nothing_of_the_base_is_lost(self):
        for _, layer in made.MADE.added_by("belfry", made.BASE):
            gone = {name for name in made.files_in(layer) if os.path.basename(name).startswith(".wh.")}
            lost = [name for name in gone if not name.startswith(("var/log/", "var/cache/")) and not name.endswith("-old")
                    and os.path.exists(os.path.join(made.MADE.base, name.replace(".wh.", "")))]
            self.assertEqual(lost, [])
        root = made.MADE.builder.root_of("belfry")
        for name in ("src", "out", "tmp/out", "usr/bin/cmake", "usr/bin/clang-19"):
            self.assertFalse(os.path.exists(os.path.join(root, name)), name)
        for name in ("var/lib/apt/lists", "var/cache/apt"):
            self.assertEqual(os.listdir(os.path.join(root, name)), [])

    def test_two_builds_of_one_time_are_one_image(self):
        for name in ("belfry", "belfry-static"):
            first = made.MADE.contents_of(name)
            made.MADE.build(name, "again")
            self.assertEqual(made.MADE.contents_of("again"), first)
            made.said(f"{name}: {first[0][-1]}")
            if name == "belfry-static":  # the time is in there: another one is another image
                made.MADE.build(name, "again", made.EPOCH + 1)
                self.assertNotEqual(made.MADE.contents_of("again")[0], first[0])
