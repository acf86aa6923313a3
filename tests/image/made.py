"""The images that the tests look at and run: built once, before the first of them."""
import json
import os
import shutil
import subprocess
import tarfile

import builder as building
import docker_defaults

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCKERFILE = os.path.join(ROOT, "deploy/Dockerfile")
BASE = "docker.io/library/debian:bookworm-slim"
EXAMPLES = {"shop": "deploy/images/shop", "pages": "deploy/images/busybox"}
STAGE_OF = {"belfry": "build-belfry", "belfry-static": "build-static", "pages": "build-static"}
TARGET_OF = {"belfry": "belfry", "belfry-static": "static"}
EPOCH = 1700000000
THE_FILE = "/etc/belfry/belfry.yaml"


class Made:
    """`place` is kept for the next time, `work` is not; `binary` and `static_binary` are belfries that are built already, or None."""

    def __init__(self, place, work, binary, static_binary, verbose):
        self.place, self.work, self.verbose = place, work, verbose
        self.given = {"build-belfry": binary, "build-static": static_binary}
        self.builder = building.Builder(work)

    def make(self):
        self.profile = docker_defaults.fetch_profile(self.place)
        self.base = building.debian(self.place)
        self.builder.import_root(self.base, BASE)
        self.builder.import_root(building.busybox(self.place), "docker.io/library/busybox:latest")
        self.stages = {stage: self._stage(stage) for stage in self.given}
        for name in TARGET_OF:
            self.build(name)
        for name, folder in EXAMPLES.items():
            self.builder.build(name, os.path.join(ROOT, folder, "Dockerfile"), os.path.join(ROOT, folder))

    def close(self):
        self.builder.close()

    def build(self, name, called=None, epoch=EPOCH):
        """One of the two images of the Dockerfile, maybe by another name or at another time."""
        self.builder.build(called or name, DOCKERFILE, ROOT, target=TARGET_OF[name], stages=self.stages, epoch=epoch)

    def belfry_of(self, name):
        """The belfry that should be in the image."""
        return os.path.join(self.stages[STAGE_OF[name]], "out/belfry")

    def _stage(self, stage):
        """A folder in the place of a stage that compiles: with what was given, or with what the stage makes."""
        folder, given = os.path.join(self.place, stage), self.given[stage]
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        if not given:
            print(f"compiling in the image: {stage}", flush=True)
            self.builder.build(stage, DOCKERFILE, ROOT, target=stage)
            shutil.copytree(f"{self.builder.root_of(stage)}/out", os.path.join(folder, "out"))
            return folder
        os.mkdir(os.path.join(folder, "out"))
        belfry = os.path.join(folder, "out/belfry")
        subprocess.run(["strip", "-o", belfry, given], check=True)
        if stage == "build-belfry":
            with open(os.path.join(folder, "out/runtime-packages"), "w", encoding="ascii") as file:
                subprocess.run([os.path.join(ROOT, "deploy/runtime-packages"), belfry], check=True, stdout=file)
        return folder

    def config_of(self, name):
        return self.builder.config_of(name)["config"]

    def added_by(self, name, base=None):
        """The layers that an image adds to its base: the size of each, and its tar file."""
        manifest, folder = self.builder.export(name)
        below = len(self.builder.export(base)[0]["layers"]) if base else 0
        return [(layer["size"], os.path.join(folder, layer["digest"].removeprefix("sha256:"))) for layer in manifest["layers"][below:]]

    def contents_of(self, name):
        """The layers by their SHA-256, and the configuration without the names that buildah invents for the container in which it builds."""
        manifest, folder = self.builder.export(name)
        with open(os.path.join(folder, manifest["config"]["digest"].removeprefix("sha256:")), encoding="utf-8") as file:
            told = json.load(file)
        del told["container"]
        for config in (told["config"], told["container_config"]):
            del config["Hostname"]
        return [layer["digest"] for layer in manifest["layers"]], told


MADE = None  # set by deploy/test-image


def files_in(layer):
    with tarfile.open(layer) as archive:
        return [one.name for one in archive if not one.isdir()]


def said(*lines):
    print("          " + "\n          ".join(lines), flush=True)
