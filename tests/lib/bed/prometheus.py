"""A real Prometheus on the loopback that scrapes one address each second."""
import json
import urllib.error
import urllib.parse
import urllib.request

from bed import monitor, run

CONFIG = """global:
  scrape_interval: 1s
scrape_configs:
  - job_name: kata
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


class Prometheus:
    """Owns the process and its data below `folder`."""

    def __init__(self, folder, target_port):
        folder.mkdir()
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(port=target_port))
        self.port = monitor.free_port()
        self.process = run.Background(
            ["/usr/bin/prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"])

    def query(self, expression):
        """[(labels, number)] of an instant query; empty while the server is not ready."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=10 * run.PATIENCE) as answer:
                result = json.load(answer)["data"]["result"]
        except (urllib.error.URLError, ConnectionError):
            return []
        return [(item["metric"], float(item["value"][1])) for item in result]

    def wait(self, expression, timeout=30):
        """The result of a query once it is not empty."""
        return run.wait_until(lambda: self.query(expression), timeout,
                              f"{expression}; prometheus says: {self.process.err[-2000:]}", interval=0.3)

    def one(self, expression, timeout=30):
        result = self.wait(expression, timeout)
        assert len(result) == 1, f"{expression}: {result}"
        return result[0][1]

    def close(self):
        self.process.close()
