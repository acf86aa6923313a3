"""A real Prometheus that scrapes a real belfry."""
import contextlib
import json
import os
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml
from harness import PATIENCE, free_port

PROMETHEUS = shutil.which("prometheus")


class PrometheusServer:
    """Scrapes `ports` twice a second; takes itself down with `case`. `scrape`: more keys of the job."""

    def __init__(self, case, folder, ports, rules=None, **scrape):
        case.assertIsNotNone(PROMETHEUS, "there is no prometheus: run deploy/install-deps test")
        self.port = free_port()
        settings = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "250ms"},
            "rule_files": [rules] if rules else [],
            "scrape_configs": [{"job_name": "belfry", "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]} | scrape],
        }
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            yaml.safe_dump(settings, file)
        self.process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={file.name}", f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        case.addCleanup(self.close)
        for line in self.process.stderr:
            if "Server is ready to receive web requests" in line:
                break
        self.drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.drain.start()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.drain.join()
        self.process.stderr.close()

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?" + urllib.parse.urlencode(parameters)
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]
        raise AssertionError(f"Prometheus refuses {parameters or path}")

    def ask(self, question):
        return self.get("query", query=question)["result"]

    def until(self, question):
        """What it answers once that is something. It tells nobody of its scrapes, so it is asked every tenth of a second."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self.ask(question)):
            if time.monotonic() > deadline:
                raise AssertionError(f"Prometheus never had an answer to {question}")
            time.sleep(0.1)
        return found
