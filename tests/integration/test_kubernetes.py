"""deploy/kubernetes: every field against the published schemas, the times against each other, the stack inside for real."""
import contextlib
import copy
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

import yaml
from harness import BELFRY, PATIENCE, ROOT, Output, Scenario, Stack, until
from schemas import definitions, places, problems

FOLDER = os.path.join(ROOT, "deploy/kubernetes")
KUBERNETES, MONITORING = definitions("kubernetes"), definitions("monitoring")
KINDS = {
    ("apps/v1", "Deployment"): {"$ref": "#/definitions/V1Deployment"},
    ("v1", "ConfigMap"): {"$ref": "#/definitions/V1ConfigMap"},
    ("v1", "Service"): {"$ref": "#/definitions/V1Service"},
    ("monitoring.coreos.com/v1", "ServiceMonitor"): {
        "type": "object", "additionalProperties": False, "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {"apiVersion": {}, "kind": {}, "metadata": {"$ref": "#/definitions/V1ObjectMeta"},
                       "spec": {"$ref": "#/definitions/IServiceMonitorSpec"}}},
}
# Maps whose keys are their writer's own: no schema can know them.
OWN_KEYS = {"labels", "matchLabels", "data", "requests", "limits"}
ROOT_ONLY = unittest.skipUnless(os.geteuid() == 0 and all(map(shutil.which, ("unshare", "nsenter", "setpriv", "ip"))),
                                "needs root, unshare, nsenter, setpriv and ip")
AS_IN_POD = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all"]


def documents():
    """Every object below deploy/kubernetes, as (file, object)."""
    found = []
    for folder, _, names in sorted(os.walk(FOLDER)):
        for name in sorted(names):
            if name.endswith(".yaml"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found += [(os.path.relpath(file.name, FOLDER), one) for one in yaml.safe_load_all(file)]
    return found


def problems_of(one):
    schema = KINDS.get((one.get("apiVersion"), one.get("kind")))
    return problems(one, schema, KUBERNETES | MONITORING) if schema else [f"no schema of {one.get('apiVersion')} {one.get('kind')}"]


def found(file, kind):
    [one] = [one for name, one in documents() if name == file and one["kind"] == kind]
    return one


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


def grace_needed(pod, stack, after_application=0):
    """Seconds from the begin of a pod's end until belfry is done at the latest."""
    needed = after_application
    [container] = [c for c in pod.get("initContainers", []) + pod["containers"] if "startupProbe" in c]
    for other in pod["containers"]:
        before = other.get("lifecycle", {}).get("preStop", {})
        needed += before.get("sleep", {}).get("seconds", 0)
        if other is container and "exec" in before:  # belfry stop SERVICE: as long as they may take
            needed += sum(seconds(stack["services"][name]["stop"]["timeout"]) for name in before["exec"]["command"][4:])
    return needed + seconds(stack["shutdown"]["timeout"])  # the delay is a part of it


class Manifests(unittest.TestCase):
    maxDiff = None

    def test_every_field_is_one_that_the_published_schemas_know(self):
        self.assertEqual({one["kind"] for _, one in documents()}, {"Deployment", "ConfigMap", "Service", "ServiceMonitor"})
        for file, one in documents():
            with self.subTest(file=file, kind=one["kind"]):
                self.assertEqual(problems_of(one), [])

    def test_no_field_can_be_misspelt_or_of_another_type_without_being_refused(self):
        tried = 0
        for file, one in documents():
            for path, _, key in places(one):
                if OWN_KEYS.intersection(path) or (len(path) > 2 and path[:2] == ("spec", "selector") and one["kind"] == "Service"):
                    continue
                broken = copy.deepcopy(one)
                holder = broken
                for step in path[:-1]:
                    holder = holder[step]
                if isinstance(key, str):
                    holder[key + "x"] = holder.pop(key)
                elif isinstance(holder[key], str):
                    holder[key] = {}
                else:
                    continue
                tried += 1
                with self.subTest(file=file, path=path):
                    self.assertNotEqual(problems_of(broken), [], path)
        self.assertGreater(tried, 200)

    def test_types_that_people_get_wrong_are_refused(self):
        for change, words in (
                (lambda c: c["readinessProbe"].update(periodSeconds="5"), "periodSeconds: '5' is not of type 'integer'"),
                (lambda c: c["readinessProbe"]["httpGet"].pop("port"), "httpGet: 'port' is a required property"),
                (lambda c: c.update(command="belfry run"), "command: 'belfry run' is not of type 'array'"),
                (lambda c: c["resources"]["limits"].update(cpu=1), "limits.cpu: 1 is not of type 'string'"),
                (lambda c: c.update(startupProb={}), "'startupProb' was unexpected")):
            one = copy.deepcopy(found("deployment.yaml", "Deployment"))
            change(one["spec"]["template"]["spec"]["containers"][0])
            self.assertIn(words, "\n".join(problems_of(one)))
        monitor = found("monitoring/servicemonitor.yaml", "ServiceMonitor")
        monitor["spec"]["endpoints"][0]["scheme"] = "gopher"
        self.assertIn("'gopher' is not one of", "\n".join(problems_of(monitor)))

    def test_what_names_something_names_what_is_there(self):
        for file in ("deployment.yaml", "sidecar/deployment.yaml"):
            with self.subTest(file=file):
                deployment = found(file, "Deployment")
                pod = deployment["spec"]["template"]["spec"]
                labels = deployment["spec"]["template"]["metadata"]["labels"]
                self.assertEqual(deployment["spec"]["selector"]["matchLabels"], labels)
                stack_file = "configmap.yaml" if file == "deployment.yaml" else file
                config = found(stack_file, "ConfigMap")
                volumes = {volume["name"]: volume for volume in pod["volumes"]}
                self.assertEqual(volumes["stack"]["configMap"]["name"], config["metadata"]["name"])
                port = int(yaml.safe_load(config["data"]["belfry.yaml"])["http"]["listen"].rsplit(":", 1)[1])
                for container in pod.get("initContainers", []) + pod["containers"]:
                    self.assertLessEqual({mount["name"] for mount in container.get("volumeMounts", [])}, set(volumes))
                    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
                    self.assertEqual(ports.get("belfry", port), port)
                    for probe in (container[key] for key in container if key.endswith("Probe")):
                        self.assertIn(probe["httpGet"]["port"], ports)
                    if "startupProbe" in container:
                        self.assertEqual([container[key]["httpGet"]["path"] for key in ("startupProbe", "readinessProbe", "livenessProbe")],
                                         ["/startupz", "/readyz", "/livez"])
        service = found("service.yaml", "Service")
        deployment = found("deployment.yaml", "Deployment")
        self.assertEqual(service["spec"]["selector"], deployment["spec"]["template"]["metadata"]["labels"])
        ports = {port["name"] for port in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]}
        self.assertLessEqual({port["targetPort"] for port in service["spec"]["ports"]}, ports)
        monitor = found("monitoring/servicemonitor.yaml", "ServiceMonitor")
        self.assertEqual(monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"])
        self.assertIn(monitor["spec"]["endpoints"][0]["port"], {port["name"] for port in service["spec"]["ports"]})

    def test_a_pod_has_the_time_that_its_stack_may_take_to_stop(self):
        for file, application, all_of_it in (("deployment.yaml", 0, 29), ("sidecar/deployment.yaml", 20, 33)):
            with self.subTest(file=file):
                pod = found(file, "Deployment")["spec"]["template"]["spec"]
                config = found("configmap.yaml" if file == "deployment.yaml" else file, "ConfigMap")
                needed = grace_needed(pod, yaml.safe_load(config["data"]["belfry.yaml"]), application)
                self.assertEqual(needed, all_of_it)
                self.assertGreaterEqual(pod["terminationGracePeriodSeconds"], needed + 5)

    def test_belfry_finds_nothing_wrong_with_the_stacks(self):
        for _, one in documents():
            if one["kind"] != "ConfigMap":
                continue
            with self.subTest(stack=one["metadata"]["name"]):
                done = subprocess.run([BELFRY, "check", "--strict", "/dev/stdin"], input=one["data"]["belfry.yaml"], capture_output=True,
                                      text=True, timeout=PATIENCE, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
        bad = found("configmap.yaml", "ConfigMap")["data"]["belfry.yaml"].replace("ready:", "redy:")
        done = subprocess.run([BELFRY, "check", "/dev/stdin"], input=bad, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 65)


# root address mount… -- command…; a mount is FOLDER:PLACE. The root is new but for the host's programs.
LAY_OUT = """set -e
root=$1; address=$2; shift 2
ip link set lo up; ip addr add "$address/32" dev lo
mount -t tmpfs -o mode=755 none "$root"
for name in bin sbin lib lib32 lib64 libx32; do [ ! -L "/$name" ] || cp -a "/$name" "$root"; done
for name in bin sbin lib lib64 usr proc sys dev; do
  [ -L "/$name" ] || [ ! -d "/$name" ] || { mkdir "$root/$name"; mount --rbind "/$name" "$root/$name"; }
done
cp -a /etc "$root"
while [ "$1" != -- ]; do mkdir -p "$root${1#*:}"; mount --bind "${1%%:*}" "$root${1#*:}"; shift; done
shift
mount -o remount,ro "$root"
exec chroot "$root" "$@"
"""
WITH_PATH = ["env", "-i", "PATH=/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
# Asks when it is told to, so that a test does not wait for an interpreter to start at a moment that counts.
ASK = """import sys, urllib.request, urllib.error
print(flush=True)
sys.stdin.readline()
for asked in sys.argv[1:]:
    try:
        answer = urllib.request.urlopen(asked, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    print(answer.status, answer.read().decode().strip(), end="\\0")"""


class PodStack(Stack):
    """The container of a manifest, as far as a host without a kubelet can be one: a network of its own with one address that is not loopback, a
    root that is read-only, the volumes as a kubelet lays them, uid 1000 without capabilities. No seccomp profile; the programs are the host's.
    """

    ADDRESS = "10.11.12.13"

    def start_pod(self, container, config, programs):
        """`programs`: shell scripts that stand in front of the host's programs."""
        self.environment_of_pod = [f"{one['name']}={one['value']}" for one in container.get("env", [])]
        mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
        for name in (*mounts, "bin", "root"):
            os.mkdir(os.path.join(self.path, name))
        for name in mounts.keys() - {"stack"}:  # an emptyDir where fsGroup is 1000
            os.chown(os.path.join(self.path, name), 0, 1000)
            os.chmod(os.path.join(self.path, name), 0o2777)
        os.mkdir(os.path.join(self.path, "stack/..first"))  # a ConfigMap: what is there can be swapped by one rename
        os.symlink("..first", os.path.join(self.path, "stack/..data"))
        for name, text in config["data"].items():
            with open(os.path.join(self.path, "stack/..first", name), "w", encoding="utf-8") as file:
                file.write(text)
            os.symlink(f"..data/{name}", os.path.join(self.path, "stack", name))
        shutil.copy(BELFRY, os.path.join(self.path, "bin/belfry"))
        for name, text in programs.items():
            with open(os.path.join(self.path, "bin", name), "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(file.name, 0o755)
        self.control = os.path.join(self.path, "run/belfry", yaml.safe_load(config["data"]["belfry.yaml"])["name"] + ".sock")
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", LAY_OUT, "sh", "root", self.ADDRESS,
             *(f"{name}:{place}" for name, place in (mounts | {"bin": "/opt/bin"}).items()), "--",
             *AS_IN_POD, *WITH_PATH, *self.environment_of_pod, "belfry", "run", "-c", "/etc/belfry/belfry.yaml"],
            cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = Output(self.process.stdout)
        return self

    def exec(self, *command):
        """The beginning of a command that runs something as `kubectl exec` does."""
        return ["nsenter", "-t", str(self.process.pid), "--net", "--mount", "--root", "--wd=/", *AS_IN_POD, *WITH_PATH, *self.environment_of_pod, *command]

    def inside(self, *command):
        return subprocess.run(self.exec(*command), capture_output=True, text=True, timeout=PATIENCE, check=False)

    @contextlib.contextmanager
    def asker(self, *places):
        """A function that gives the status and the text of each PORT/PATH, asked at the address that is not loopback."""
        command = self.exec("/usr/bin/python3", "-c", ASK, *(f"http://{self.ADDRESS}:{place}" for place in places))
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            yield lambda: process.communicate("\n", PATIENCE)[0].split("\0")[:-1]

    def pages(self, *places):
        with self.asker(*places) as ask:
            return ask()

    def probed(self, container):
        """What a kubelet asks for the manifest's three probes."""
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        asked = [container[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
        return [f"{ports[one['port']]}{one['path']}" for one in asked]

    def probes(self, container):
        return [int(answer.split()[0]) for answer in self.pages(*self.probed(container))]


@ROOT_ONLY
class Pod(Scenario):
    def pod(self, file, config_file):
        """The pod of a Deployment, with a Redis that starts when somebody writes into the volume `tmp`."""
        pod = found(file, "Deployment")["spec"]["template"]["spec"]
        [container] = [one for one in pod.get("initContainers", []) + pod["containers"] if "startupProbe" in one]
        stack = PodStack("  none: {type: gate}")
        self.addCleanup(stack.close)
        stack.start_pod(container, found(config_file, "ConfigMap"),
                        {"redis-server": '#!/bin/sh\nmkfifo -m 666 /tmp/go\nread -r _ </tmp/go\nexec /usr/bin/redis-server "$@"\n'})
        return stack, container

    def let_redis_start(self, stack):
        gate = os.path.join(stack.path, "tmp/go")
        until(lambda: os.path.exists(gate))
        with open(gate, "w", encoding="ascii") as file:
            file.write("\n")

    def test_the_stack_answers_the_probes_and_stops_in_order_within_its_time(self):
        stack, container = self.pod("deployment.yaml", "configmap.yaml")
        stack.wait_for_control()
        self.assertEqual(stack.probes(container), [503, 503, 200])
        self.let_redis_start(stack)
        self.assertEqual(stack.wait("web", "worker"), 200, stack.output.text())
        self.assertEqual(stack.probes(container), [200, 200, 200])
        page, metrics, services = stack.pages("8080/", "9600/metrics", "9600/v1/services")
        self.assertEqual(page, "200 shop")
        self.assertIn("belfry_stack_ready 1", metrics)
        self.assertTrue(services.startswith("403"), services)  # health and metrics only, without a token

        before_stop = stack.inside(*container["lifecycle"]["preStop"]["exec"]["command"])
        self.assertEqual(before_stop.returncode, 0, before_stop.stderr)
        self.assertEqual({name: one["state"] for name, one in stack.services().items()},
                         {"cache": "ready", "migrate": "completed", "worker": "inactive", "web": "ready"})
        self.assertEqual(stack.probes(container), [200, 200, 200])  # who was stopped by command is not wanted

        with stack.asker(*stack.probed(container), "8080/") as ask:
            began = time.monotonic()
            stack.send(signal.SIGTERM)
            stack.output.index_of("stopping: SIGTERM")
            *probes, page = ask()
        self.assertEqual([answer.split()[0] for answer in probes], ["200", "503", "200"])
        self.assertEqual(page, "200 shop")  # for those who have not noticed yet
        self.assertEqual(stack.exit_code(), 0, stack.output.text())
        self.assertGreaterEqual(time.monotonic() - began, 5)
        self.assertLess(time.monotonic() - began, 30)
        self.assert_before(stack.output, "web stopped", "cache stopped")
        self.assertEqual(stack.survivors(), set())
        self.assertTrue(os.listdir(os.path.join(stack.path, "state")), "no history was written")

    def test_the_sidecar_has_started_when_its_stack_is_ready(self):
        stack, container = self.pod("sidecar/deployment.yaml", "sidecar/deployment.yaml")
        stack.wait_for_control()
        self.assertEqual(stack.probes(container), [503, 503, 200])
        self.let_redis_start(stack)
        self.assertEqual(stack.wait("migrate", condition="completed"), 200, stack.output.text())
        self.assertEqual(stack.probes(container), [200, 200, 200])
        self.assertEqual(stack.inside("redis-cli", "get", "schema").stdout, "1\n")  # the application shares the network
        self.assert_clean_end(stack)
