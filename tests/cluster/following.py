"""The host's followers of applications, by themselves, and applications that cost next to nothing."""

import json
import queue
import subprocess
import threading
import time

from clusters import QUICK_JVM, fetch
from harness import build_dir

PATIENCE = 120


class Probe:
    """cluster_probe: reports come as dicts."""

    def __init__(self, managers="-", pages="-", *more):
        self.process = subprocess.Popen([str(build_dir() / "bin" / "cluster_probe"), managers, pages, *more],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.reports = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def tell(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def follow(self, name, master, tag="-", app="-"):
        self.tell("follow", name, master, tag, app)

    def until(self, name, *states, seconds=PATIENCE):
        """The first report of `name`, of all that have not been asked for before, with one of these states."""
        kept = self.reports.setdefault(name, [])
        end = time.monotonic() + seconds
        while True:
            while kept:
                report = kept.pop(0)
                if report["state"] in states:
                    return report
            try:
                report = self.lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{name} is not {states} within {seconds} s") from None
            self.reports.setdefault(report["name"], []).append(report)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


def submit_command(yarn, command, *tags):
    """An application whose master is a shell command: accepted while that runs, failed when it ends."""
    status, body = fetch(f"{yarn.url}/ws/v1/cluster/apps/new-application", method="POST", body=b"")
    assert status == 200, body
    app = json.loads(body)["application-id"]
    status, body = fetch(f"{yarn.url}/ws/v1/cluster/apps", method="POST", body=json.dumps({
        "application-id": app, "application-name": "a command", "application-type": "SPARK",
        "application-tags": {"tag": list(tags)}, "max-app-attempts": 1,
        "am-container-spec": {"commands": {"command": command}}, "resource": {"memory": 128, "vCores": 1},
    }).encode())
    assert status == 202, body
    return app



class Sleeper:
    """A Spark application in Java that does a little and then waits to be ended."""

    SOURCE = """
        import java.util.Arrays;
        import org.apache.spark.SparkConf;
        import org.apache.spark.api.java.JavaSparkContext;
        public class Sleeper {
            public static void main(String[] arguments) throws Exception {
                try (JavaSparkContext context = new JavaSparkContext(new SparkConf())) {
                    context.parallelize(Arrays.asList(1, 2)).count();
                    Thread.sleep(600000);
                }
            }
        }"""
    # In a standalone cluster a driver gets none of what Spark needs of Java 17.
    DRIVER_JAVA = " ".join(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in (
        "java.lang", "java.lang.invoke", "java.io", "java.net", "java.nio", "java.util", "java.util.concurrent",
        "sun.nio.ch", "sun.security.action"))

    def __init__(self, folder, spark_home):
        self.folder, self.jar, self.started = folder, folder / "sleeper.jar", []
        (folder / "Sleeper.java").write_text(self.SOURCE)
        for command in (["javac", "--release", "8", "-nowarn", "-cp", f"{spark_home}/jars/*", "Sleeper.java"],
                        ["jar", "cf", self.jar.name, "Sleeper.class"]):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)

    def start(self, spark_home, env):
        """Its driver in the cluster; gives the process that submits it."""
        java = f"{' '.join(QUICK_JVM)} -XX:+IgnoreUnrecognizedVMOptions --add-modules=jdk.incubator.vector {self.DRIVER_JAVA}"
        with open(self.folder / f"submit-{len(self.started)}.log", "wb") as log:
            self.started.append(subprocess.Popen(
                [str(spark_home / "bin" / "spark-submit"), "--deploy-mode", "cluster", "--class", "Sleeper",
                 "--conf", f"spark.driver.extraJavaOptions={java}", str(self.jar)],
                env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return self.started[-1]

    def stop(self):
        for process in self.started:
            process.kill()
            process.wait(10)
