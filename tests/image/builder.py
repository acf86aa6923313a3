"""Images, built from their Dockerfiles by buildah: no engine runs and no registry is asked.

What a Dockerfile names in FROM must be here already; debian:bookworm-slim and busybox are made from Debian's packages.
"""
import json
import os
import shutil
import subprocess
import tempfile

MIRROR = "http://deb.debian.org/debian"
SOURCES = f"""deb {MIRROR} bookworm main
deb {MIRROR} bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
"""
# As in the image of that name: what has been installed is not kept as a package, too.
KEEP_NOTHING = """APT::Keep-Downloaded-Packages "false";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""


class Builder:
    def __init__(self, place):
        self.place = place
        self.policy = os.path.join(place, "policy.json")
        with open(self.policy, "w", encoding="ascii") as file:
            file.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        self.environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "CONTAINERS_STORAGE_CONF": os.path.join(place, "storage.conf")}
        # Copies instead of layers where this machine's disk is itself one of layers.
        for driver in ("overlay", "vfs"):
            with open(self.environment["CONTAINERS_STORAGE_CONF"], "w", encoding="utf-8") as file:
                file.write(f'[storage]\ndriver = "{driver}"\ngraphroot = "{place}/{driver}"\nrunroot = "{place}/{driver}-run"\n')
            if subprocess.run(["buildah", "info"], env=self.environment, capture_output=True, check=False).returncode == 0:
                break
        self.containers = []

    def buildah(self, command, *arguments, **options):
        policy = ["--signature-policy", self.policy] if command in ("from", "build", "commit", "push") else []
        done = subprocess.run(["buildah", command, *policy, *arguments], env=self.environment, text=True, capture_output=True, check=False, **options)
        if done.returncode:
            raise RuntimeError(f"cannot {command} ({' '.join(arguments)}):\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}")
        return done.stdout.strip()

    def build(self, name, dockerfile, context, target=None, stages=None, epoch=None):
        """Builds an image; `stages` has folders that take the place of stages which are built already."""
        self.buildah("build", "--pull-never", "--format", "docker", "--no-cache", "-f", dockerfile, "-t", name,
                     *(["--target", target] if target else []), *(["--timestamp", str(epoch)] if epoch is not None else []),
                     *(f"--build-context={stage}={folder}" for stage, folder in (stages or {}).items()), context)

    def import_root(self, root, name):
        """A folder as an image."""
        container = self.buildah("from", "scratch")
        mounted = self.buildah("mount", container)
        subprocess.run(["cp", "-a", f"{root}/.", mounted], check=True)
        self.buildah("config", "--cmd", "/bin/sh", container)
        self.buildah("commit", "--format", "docker", container, name)
        self.buildah("rm", container)

    def root_of(self, name):
        """A copy of the image's root that can be written to, until `close`."""
        container = self.buildah("from", "--pull-never", name)
        self.containers.append(container)
        return self.buildah("mount", container)

    def config_of(self, name):
        """What the image says of itself: labels, ENTRYPOINT, HEALTHCHECK, …"""
        return json.loads(self.buildah("inspect", "--type", "image", name))["Docker"]

    def export(self, name):
        """The image as it would be pushed: its manifest, and the folder with config and layers, which are tar files."""
        folder = tempfile.mkdtemp(dir=self.place)
        self.buildah("push", "--disable-compression", "--format", "v2s2", name, f"dir:{folder}")
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            return json.load(file), folder

    def close(self):
        for container in self.containers:
            self.buildah("rm", container)


def debian(place):
    """The root of debian:bookworm-slim, or nearly: debootstrap's minimum. It is kept for the next time."""
    root = os.path.join(place, "debian")
    if os.path.isdir(root):
        return root
    work = tempfile.mkdtemp(dir=place)
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", work, MIRROR], check=True, stdout=subprocess.DEVNULL)
    os.chmod(work, 0o755)
    for name, text in (("sources.list", SOURCES), ("apt.conf.d/keep-nothing", KEEP_NOTHING)):
        with open(os.path.join(work, "etc/apt", name), "w", encoding="ascii") as file:
            file.write(text)
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(os.path.join(work, folder))
        os.mkdir(os.path.join(work, folder))
    os.rename(work, root)
    return root


def busybox(place, program="/bin/busybox"):
    """A root with Debian's static busybox, its names, and nothing else: no library, no /run."""
    root = os.path.join(place, "busybox")
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "etc", "tmp", "usr/bin", "var"):
        os.makedirs(os.path.join(root, folder))
    os.chmod(os.path.join(root, "tmp"), 0o1777)
    shutil.copy2(program, os.path.join(root, "bin/busybox"))
    for name in subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.split():
        if name != "busybox":
            os.link(os.path.join(root, "bin/busybox"), os.path.join(root, "bin", name))
    with open(os.path.join(root, "etc/passwd"), "w", encoding="ascii") as file:
        file.write("root:x:0:0:root:/root:/bin/sh\n")
    with open(os.path.join(root, "etc/group"), "w", encoding="ascii") as file:
        file.write("root:x:0:\n")
    return root
