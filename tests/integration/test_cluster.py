"""Several hosts: two stacks that know of each other through a real etcd, and what becomes of them without it."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

from harness import BELFRY, PATIENCE, Scenario, free_port, free_ports, until

SERVER = "[/usr/bin/python3, -m, http.server, \"{port}\", --bind, 127.0.0.1]"


class Etcd:
    """One member with a folder of its own; the only one, or one of `others`."""

    def __init__(self, name="default", peer=None, others=None):
        self.path = tempfile.mkdtemp(prefix="belfry-etcd-")
        self.name, self.port, self.peer = name, free_port(), peer or free_port()
        self.members = others or {name: self.peer}
        self.process = None
        self.start()
        if not others:
            until(self.answers)

    @classmethod
    def three(cls):
        peers = dict(zip(("m0", "m1", "m2"), free_ports(3)))
        members = [cls(name, peer, peers) for name, peer in peers.items()]
        for member in members:
            until(member.answers)
        return members

    def start(self):
        client, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.peer}"
        all_of_them = ",".join(f"{name}=http://127.0.0.1:{port}" for name, port in self.members.items())
        self.process = subprocess.Popen(
            ["etcd", f"--name={self.name}", f"--data-dir={self.path}/data", f"--listen-client-urls={client}",
             f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
             f"--initial-cluster={all_of_them}", f"--initial-cluster-token=belfry-{sorted(self.members.values())}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1) as answer:
                return json.load(answer)["health"] == "true"
        except (OSError, ValueError):
            return False

    def keys(self):
        end = subprocess.run(["etcdctl", f"--endpoints=127.0.0.1:{self.port}", "get", "--prefix", "belfry/", "--keys-only"],
                             env={**os.environ, "ETCDCTL_API": "3"}, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return end.stdout.split()

    def revision(self):
        end = subprocess.run(["etcdctl", f"--endpoints=127.0.0.1:{self.port}", "get", "belfry/", "--write-out=json"],
                             env={**os.environ, "ETCDCTL_API": "3"}, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return json.loads(end.stdout)["header"]["revision"]

    def history(self, prefix, since, count):
        """What became of the keys below the prefix after revision `since`: the first `count` of "PUT" and "DELETE"."""
        with subprocess.Popen(["etcdctl", f"--endpoints=127.0.0.1:{self.port}", "watch", "--prefix", prefix, f"--rev={since + 1}"],
                              env={**os.environ, "ETCDCTL_API": "3"}, stdout=subprocess.PIPE, text=True) as watch:
            kinds = []
            while len(kinds) < count:
                line = watch.stdout.readline()
                if not line:
                    break
                if line.strip() in ("PUT", "DELETE"):
                    kinds.append(line.strip())
            watch.kill()
        return kinds

    def put(self, key, value):
        subprocess.run(["etcdctl", f"--endpoints=127.0.0.1:{self.port}", "put", key, value],
                       env={**os.environ, "ETCDCTL_API": "3"}, capture_output=True, timeout=PATIENCE, check=True)

    def stop(self, number=signal.SIGKILL):
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        self.process.wait(PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.path, ignore_errors=True)


class Cluster(Scenario):
    def setUp(self):
        super().setUp()
        self.members = [Etcd()]
        self.etcd = self.members[0]
        self.addCleanup(lambda: [member.close() for member in self.members])

    def host(self, name, services, ttl="2s", more="", start=True):
        members = ", ".join(f'"http://127.0.0.1:{member.port}"' for member in self.members)
        top = f"cluster: {{etcd: [{members}], name: shop, host: {name}, ttl: {ttl}}}\n{more}"
        stack = self.stack(services, top=top, name=f"on-{name}")
        if start:
            stack.start()
            stack.wait_for_control()
        return stack

    def kafka(self, name, **options):
        port = free_port()
        stack = self.host(name, f"""
  kafka:
    command: {SERVER.format(port=port)}
    ready: {{port: {port}}}
    publish: {{address: "127.0.0.1:{port}"}}""", **options)
        stack.port = port
        return stack

    def follower(self, ready="{cluster: kafka}", on_loss="restart", name="z", more="", start=True):
        return self.host(name, f"""
  quorum: {{type: external, ready: {ready}}}
  app:
    command: [sh, -c, "echo started with $$ADDRESS fence $$FENCE; exec sleep 1000"]
    environment: {{ADDRESS: "${{quorum.ADDRESS}}", FENCE: "${{quorum.FENCE}}"}}
    depends_on: {{quorum: {{condition: ready, on_loss: {on_loss}}}}}
{more}""", start=start)

    def shown(self, stack):
        status, body = stack.get("/v1/cluster")
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def test_a_bell_rings_on_another_host_and_carries_what_was_published(self):
        z = self.follower()
        self.assertEqual(z.services()["app"]["state"], "waiting")
        a = self.kafka("a")
        self.assertEqual(z.wait("app"), 200)
        started = z.output.text() if z.output.index_of("started with") else z.output.text()
        found = re.search(r"started with (\S+) fence (\d+)", started)
        self.assertEqual(found[1], f"127.0.0.1:{a.port}")
        published = self.shown(z)["published"]
        self.assertEqual([(one["service"], one["host"], one["generation"]) for one in published],
                         [("kafka", "a", int(found[2]))])
        self.assertEqual(self.etcd.keys(), ["belfry/shop/s/kafka/h/a"])
        until(lambda: self.shown(z)["published"][0]["generation"] is not None)
        table = z.cli("status", "--cluster")
        self.assertEqual(table.returncode, 0, table.stderr)
        self.assertRegex(table.stdout, r"SERVICE +HOST +SINCE +GENERATION +OUTPUTS\nkafka +a +\ds +" + found[2])
        self.assertIn("cluster shop, this host is a;", a.cli("status", "--cluster").stdout)
        self.assert_clean_end(a)
        self.assertEqual(self.etcd.keys(), [], "a graceful end leaves nothing behind")
        self.assert_clean_end(z)

    def test_a_stop_is_told_before_the_service_is_asked(self):
        a = self.kafka("a")
        self.assertEqual(a.wait("kafka"), 200)
        z = self.follower()
        self.assertEqual(z.wait("app"), 200)
        first = z.services()["app"]["pid"]
        self.assertEqual(a.cli("stop", "kafka").returncode, 0)
        self.assertEqual(self.etcd.keys(), [])
        until(lambda: z.services()["app"]["state"] == "waiting")
        self.assertEqual(a.cli("start", "kafka").returncode, 0)
        self.assertEqual(z.wait("app"), 200)
        self.assertNotEqual(z.services()["app"]["pid"], first)
        z.output.index_of("app restarts: lost quorum ready")
        self.assert_clean_end(z)
        self.assert_clean_end(a)

    def test_a_quorum_counts_distinct_hosts_of_those_that_are_named(self):
        z = self.follower("{cluster: kafka, hosts: [a, b, c], require: 2}")
        hosts = {name: self.kafka(name) for name in ("a", "x")}
        until(lambda: len(self.shown(z)["published"]) == 2)
        self.assertEqual(z.services()["app"]["state"], "waiting")
        why = z.cli("why", "app").stdout
        self.assertIn("kafka is ready on 1 host of the 2 that it takes: a; not on b, c", why)
        hosts["b"] = self.kafka("b")
        self.assertEqual(z.wait("app"), 200)
        pid = z.services()["app"]["pid"]
        hosts["c"] = self.kafka("c")
        until(lambda: len(self.shown(z)["published"]) == 4)
        self.assert_clean_end(hosts["c"])
        until(lambda: len(self.shown(z)["published"]) == 3)
        self.assertEqual(z.services()["app"]["pid"], pid, "whoever the quorum can spare is not noticed")
        for stack in (z, hosts["a"], hosts["b"], hosts["x"]):
            self.assert_clean_end(stack)

    def test_why_it_is_not_ready_there_is_said_here(self):
        z = self.follower("{cluster: kafka, hosts: [a]}")
        a = self.host("a", """
  kafka: {command: [sh, -c, "exit 3"], restart: {delay: 60s}, ready: notify, publish: true}""")
        until(lambda: "exited with code 3" in z.cli("why", "app").stdout)
        self.assertRegex(z.cli("why", "app").stdout, r"kafka is ready on no host: not on a \(is backoff: .*exited with code 3")
        self.assert_clean_end(a)
        self.assert_clean_end(z)

    def test_the_whole_chain_of_causes_on_the_other_host_is_said_here(self):
        z = self.follower("{cluster: kafka, hosts: [a]}")
        a = self.host("a", """
  db: {command: [sh, -c, "exit 3"], restart: {delay: 60s}, ready: notify}
  migrate: {type: oneshot, command: "true", depends_on: [db]}
  kafka: {command: sleep 1000, depends_on: [migrate], publish: true}""")
        until(lambda: "exited with code 3" in z.cli("why", "app").stdout)
        self.assertRegex(z.cli("why", "app").stdout, r"not on a \(is waiting: waits for migrate.* \(migrate waits for db.*; db .*exited with code 3")
        self.assert_clean_end(a)
        self.assert_clean_end(z)

    def test_without_etcd_what_runs_runs_on_and_nobody_new_starts(self):
        a = self.kafka("a")
        self.assertEqual(a.wait("kafka"), 200)
        z = self.follower(more="""
  late: {command: sleep 1000, depends_on: [quorum], profiles: [later]}""")
        self.assertEqual(z.wait("app"), 200)
        pid = z.services()["app"]["pid"]
        self.etcd.process.send_signal(signal.SIGSTOP)
        self.assertEqual(z.cli("start", "late", "--no-wait").returncode, 0)
        time_it_would_take = time.monotonic() + 1
        until(lambda: time.monotonic() > time_it_would_take)
        services = z.services()
        self.assertEqual(services["late"]["state"], "waiting", "it would start on what is older than its wait")
        self.assertIn("news of quorum", " ".join(services["late"]["waiting_for"]))
        self.assertEqual(services["app"]["pid"], pid)
        self.assertTrue(services["quorum"]["ready"])
        self.etcd.process.send_signal(signal.SIGCONT)
        self.assertEqual(z.wait("late"), 200)
        self.assertEqual(z.services()["app"]["pid"], pid)
        self.assert_clean_end(z)
        self.assert_clean_end(a)

    def test_a_stack_that_needs_nobody_does_not_wait_for_etcd(self):
        self.etcd.stop()
        a = self.kafka("a")
        self.assertEqual(a.wait("kafka"), 200)
        status, body = a.get("/v1/cluster?format=text")
        self.assertEqual(status, 200)
        self.assertIn("etcd cannot be asked: ", body)
        began = time.monotonic()
        self.assert_clean_end(a)
        self.assertLess(time.monotonic() - began, 5)

    def test_a_killed_host_is_lost_when_its_lease_has_run_out_and_confirm_is_quicker(self):
        a = self.kafka("a")
        self.assertEqual(a.wait("kafka"), 200)
        z = self.follower("{cluster: kafka, confirm: {tcp: \"${address}\"}}")
        self.assertEqual(z.wait("app"), 200)
        a.process.kill()
        a.process.wait(PATIENCE)
        self.assertEqual(self.etcd.keys(), ["belfry/shop/s/kafka/h/a"], "its lease has not run out")
        y = self.follower("{cluster: kafka, confirm: {tcp: \"${address}\"}}", name="y")
        until(lambda: "is confirmed on no host" in y.cli("why", "app").stdout or not self.etcd.keys())
        self.assertNotEqual(y.services()["app"]["state"], "ready")
        until(lambda: z.services()["app"]["state"] == "waiting")
        self.assert_clean_end(y)
        self.assert_clean_end(z)

    def test_the_next_belfry_of_a_host_replaces_what_a_killed_one_has_left(self):
        a = self.kafka("a", ttl="60s")
        self.assertEqual(a.wait("kafka"), 200)
        until(lambda: self.shown(a)["own"][0]["generation"] is not None)
        first = self.shown(a)["own"][0]
        a.process.kill()
        a.process.wait(PATIENCE)
        a.process.stdout.close()
        a.start()
        a.wait_for_control()
        self.assertEqual(a.wait("kafka"), 200)
        until(lambda: self.shown(a)["own"][0]["generation"] is not None)
        second = self.shown(a)["own"][0]
        self.assertGreater(second["generation"], first["generation"])
        self.assertNotEqual(second["boot_id"], first["boot_id"])
        self.assert_clean_end(a)

    def test_two_hosts_of_one_name_are_told_of_each_other(self):
        a = self.kafka("a", ttl="60s")
        self.assertEqual(a.wait("kafka"), 200)
        twin = self.kafka("a")
        self.assertEqual(twin.wait("kafka"), 200)
        twin.output.index_of("kafka cannot publish kafka as host a: the belfry of boot id")
        boots = {self.shown(a)["boot_id"], self.shown(twin)["boot_id"]}
        said = twin.output.text()
        for boot in boots:
            self.assertIn(boot, said)
        self.assert_clean_end(twin)
        self.assert_clean_end(a)

    def test_what_somebody_else_has_written_is_named_and_not_believed(self):
        z = self.follower()
        self.etcd.put("belfry/shop/s/kafka/h/evil", "ready!")
        self.etcd.put("belfry/shop/s/kafka/h/worse", '{"boot_id":"x"}')
        z.output.index_of("does not believe what stands in etcd at belfry/shop/s/kafka/h/")
        self.assertEqual(z.services()["app"]["state"], "waiting")
        self.assert_clean_end(z)

    def test_etcd_that_restarts_takes_nothing_away(self):
        a = self.kafka("a", ttl="30s")
        z = self.follower()
        self.assertEqual(z.wait("app"), 200)
        pid = z.services()["app"]["pid"]
        self.etcd.stop()
        z.output.index_of("does not know any more what other hosts publish")
        self.etcd.start()
        until(self.etcd.answers)
        until(lambda: self.shown(z)["etcd"]["trouble"] is None)
        self.assertEqual(z.services()["app"]["pid"], pid)
        self.assert_clean_end(z)
        self.assert_clean_end(a)

    def test_of_three_members_one_may_die_and_without_a_majority_nobody_new_starts(self):
        self.members[0].close()
        self.members = Etcd.three()
        self.etcd = self.members[0]
        hosts = [self.kafka(name, ttl="30s") for name in ("a", "b", "c")]
        z = self.follower("{cluster: kafka, hosts: [a, b, c], require: 2}", more="""
  second: {command: sleep 1000, depends_on: [quorum], profiles: [later]}
  third: {command: sleep 1000, depends_on: [quorum], profiles: [later]}""")
        self.assertEqual(z.wait("app"), 200)
        pid = z.services()["app"]["pid"]
        self.members[0].stop()  # a leader, in a third of the runs
        self.assertEqual(z.cli("start", "second").returncode, 0, "the others agree")
        self.members[1].process.send_signal(signal.SIGSTOP)
        self.assertEqual(z.cli("start", "third", "--no-wait").returncode, 0)
        until(lambda: any("news of quorum" in text for text in z.services()["third"]["waiting_for"]))
        self.assertEqual(z.services()["app"]["pid"], pid)
        self.members[1].process.send_signal(signal.SIGCONT)
        self.assertEqual(z.wait("third"), 200)
        self.assertEqual(z.services()["app"]["pid"], pid, "nobody has noticed")
        for stack in (z, *hosts):
            self.assert_clean_end(stack)

    def careful_kafka(self, name, update="{max_unavailable: 1, hosts: [a, b, c]}", more=""):
        port = free_port()
        return self.host(name, f"""
  kafka:
    command: {SERVER.format(port=port)}
    ready: {{port: {port}}}
    publish: {{address: "127.0.0.1:{port}"}}
    update: {update}
{more}""")

    def until_published_on(self, *hosts):
        until(lambda: self.etcd.keys() == [f"belfry/shop/s/kafka/h/{host}" for host in hosts])

    def pid(self, stack):
        return stack.services()["kafka"]["pid"]

    def restart(self, stack):
        return subprocess.Popen([BELFRY, "restart", "kafka"], env=stack.environment(BELFRY_SOCKET=stack.control), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def restarts(self, stack):
        return {one["service"]: one["waits_for"] for one in self.shown(stack)["restarts"]}

    def test_hosts_that_restart_in_one_moment_go_one_after_the_other(self):
        stacks = [self.careful_kafka(name) for name in "abc"]
        self.until_published_on("a", "b", "c")
        since = self.etcd.revision()
        before = [self.pid(stack) for stack in stacks]
        commands = [self.restart(stack) for stack in stacks]
        for command in commands:
            self.assertEqual(command.wait(PATIENCE), 0, command.stdout.read())
            command.stdout.close()
        self.until_published_on("a", "b", "c")
        self.assertTrue(all(self.pid(stack) != pid for stack, pid in zip(stacks, before)))
        # DELETE and PUT by turns: never is a second one away.
        self.assertEqual(self.etcd.history("belfry/shop/s/kafka/h/", since, 6), ["DELETE", "PUT"] * 3)
        for stack in stacks:
            self.assertEqual(self.restarts(stack), {})
            self.assert_clean_end(stack)

    def test_a_member_that_does_not_come_back_stops_the_others_and_is_named(self):
        a = self.careful_kafka("a", update="{max_unavailable: 1}")
        broken = os.path.join(self.members[0].path, "broken")
        b = self.host("b", f"""
  kafka:
    command: [sh, -c, "test ! -e {broken} && exec sleep 1000"]
    restart: {{policy: on-failure, limit: 1 per 1h}}
    publish: true
    update: {{max_unavailable: 1}}
  other: {{command: [sleep, "1000"]}}""")
        self.until_published_on("a", "b")
        open(broken, "w").close()
        b.cli("restart", "kafka")
        until(lambda: b.services()["kafka"]["state"] == "failed")
        pid = self.pid(a)
        waiting = a.cli("restart", "kafka", "--timeout", "300ms")
        self.assertNotEqual(waiting.returncode, 0)
        self.assertEqual(self.pid(a), pid, "nothing has happened")
        a.output.index_of("kafka does not restart yet: no more than 1 may be without it, and b (is failed")
        self.assertRegex(a.cli("status", "--cluster").stdout, r"cluster shop")
        # Who is down already takes nothing away from anybody.
        os.unlink(broken)
        self.assertEqual(b.cli("start", "kafka").returncode, 0)
        self.assertEqual(a.cli("restart", "kafka").returncode, 0)
        self.assertNotEqual(self.pid(a), pid)

    def test_a_reload_that_restarts_it_waits_for_its_turn_as_well(self):
        services = """
  kafka:
    command: [sleep, "{seconds}"]
    publish: true
    update: {{max_unavailable: 1, hosts: [a, b]}}"""
        a = self.host("a", services.format(seconds=1000))
        self.until_published_on("a")
        pid = self.pid(a)
        with open(a.file, encoding="utf-8") as file:
            text = file.read()
        with open(a.file, "w", encoding="utf-8") as file:
            file.write(text.replace('"1000"', '"1001"'))
        reload = subprocess.Popen([BELFRY, "reload"], env=a.environment(BELFRY_SOCKET=a.control), text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        until(lambda: self.restarts(a))
        self.assertEqual(self.restarts(a), {"kafka": "no more than 1 may be without it, and b (has not published it) is"})
        self.assertEqual(self.pid(a), pid)
        b = self.host("b", services.format(seconds=1000))
        self.assertEqual(reload.wait(PATIENCE), 0, reload.stdout.read())
        reload.stdout.close()
        self.assertNotEqual(self.pid(a), pid)
        self.assert_clean_end(a)
        self.assert_clean_end(b)

    def test_a_stop_and_the_end_wait_for_nobody(self):
        a = self.careful_kafka("a")
        self.until_published_on("a")
        command = self.restart(a)
        until(lambda: self.restarts(a))
        self.assertEqual(self.restarts(a), {"kafka": "no more than 1 may be without it, and b (has not published it), "
                                                     "c (has not published it) are"})
        self.assertEqual(a.cli("stop", "kafka").returncode, 0)
        self.assertNotEqual(command.wait(PATIENCE), 0)
        self.assertIn("its stop was asked for meanwhile", command.stdout.read())
        command.stdout.close()
        self.assertEqual(a.cli("start", "kafka").returncode, 0)
        command = self.restart(a)
        until(lambda: self.restarts(a))
        self.assert_clean_end(a)
        self.assertNotEqual(command.wait(PATIENCE), 0)
        self.assertIn("shutting down", command.stdout.read())
        command.stdout.close()

    def test_a_file_without_a_cluster_says_what_is_missing(self):
        stack = self.stack("\n  q: {type: external, ready: {cluster: kafka}}")
        said = stack.cli("check", stack.file)
        self.assertEqual(said.returncode, 65)
        self.assertIn("a `cluster` probe asks etcd, and this file has no `cluster`", said.stderr + said.stdout)
        alone = self.stack("\n  a: {command: sleep 1000}")
        alone.start()
        alone.wait_for_control()
        self.assertEqual(alone.get("/v1/cluster")[0], 404)
        self.assertEqual(alone.cli("status", "--cluster").returncode, 64)
        self.assert_clean_end(alone)
