"""Real clusters on loopback for tests: YARN, HDFS, and Spark's standalone Master and Worker.

Each is a context manager that has started when it is entered and leaves no process behind. All its files are in the
folder it is given.
"""

import json
import os
import pathlib
import random
import re
import selectors
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import xml.sax.saxutils

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HADOOP_VERSION = re.search("<hadoop.version>(.*)</hadoop.version>",
                           (ROOT / "tests" / "cluster" / "hadoop.xml").read_text())[1]
HADOOP_JARS = ROOT / ".cache" / f"hadoop-{HADOOP_VERSION}"
START_TIME = 120  # far more than it takes
# Processes of tests live for seconds: what matters is their start.
QUICK_JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
SMALL_JVM = [*QUICK_JVM, "-Xmx256m", "-Djava.net.preferIPv4Stack=true", "-Djava.awt.headless=true"]


def java_home():
    named = os.environ.get("JAVA_HOME")
    return pathlib.Path(named) if named else pathlib.Path(shutil.which("java")).resolve().parent.parent


def free_ports(count):
    """Ports that nobody listens on, from below those that the kernel gives to clients, so that none is taken
    before its daemon comes to it."""
    taken = []
    try:
        while len(taken) < count:
            one = socket.socket()
            try:
                one.bind(("127.0.0.1", random.randrange(15000, 32000)))
            except OSError:
                one.close()
                continue
            taken.append(one)
        return [one.getsockname()[1] for one in taken]
    finally:
        for one in taken:
            one.close()


def fetch(url, timeout=10, method="GET", body=None, content_type="application/json"):
    """Status and body; a refused connection is status 0."""
    request = urllib.request.Request(url, method=method, data=body, headers={"Accept": "application/json"})
    if body is not None:
        request.add_header("Content-Type", content_type)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        return 0, str(error).encode()


def fetch_json(url, **more):
    """None where there is no answer that is JSON."""
    status, body = fetch(url, **more)
    try:
        return json.loads(body) if status == 200 else None
    except ValueError:
        return None


class AtTheirWord(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_):
        return None


def write_hadoop_conf(path, values):
    lines = [f"<property><name>{key}</name><value>{xml.sax.saxutils.escape(str(value))}</value></property>"
             for key, value in values.items()]
    path.write_text("<configuration>\n" + "\n".join(lines) + "\n</configuration>\n")


class Cluster:
    """Daemons under one keeper."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.logs = self.folder / "logs"
        self.keepers = []

    def start_daemons(self, daemons):
        """`daemons`: name -> (argv, env). They end with this object."""
        self.logs.mkdir(parents=True, exist_ok=True)
        plan = []
        for name, (argv, env) in daemons.items():
            work = self.folder / "work" / name
            work.mkdir(parents=True, exist_ok=True)
            plan.append({"name": name, "argv": [str(word) for word in argv], "env": env, "cwd": str(work),
                         "log": str(self.logs / f"{name}.log")})
        keeper = subprocess.Popen([sys.executable, "-S", str(pathlib.Path(__file__).with_name("keeper.py"))],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.keepers.append(keeper)
        keeper.stdin.write(json.dumps(plan).encode() + b"\n")
        keeper.stdin.flush()
        assert keeper.stdout.readline() == b"started\n"
        return keeper

    def wait(self, what, probe, keeper):
        """Until `probe` gives something; fails at once where a daemon ends."""
        end = time.monotonic() + START_TIME
        with selectors.DefaultSelector() as selector:
            selector.register(keeper.stdout, selectors.EVENT_READ)
            while time.monotonic() < end:
                found = probe()
                if found:
                    return found
                if selector.select(0.1):
                    raise AssertionError(f"no {what}: {keeper.stdout.readline().decode()}{self.tails()}")
        raise AssertionError(f"no {what} within {START_TIME} s{self.tails()}")

    def tails(self):
        return "".join(f"\n--- {log.name}\n{log.read_text(errors='replace')[-2000:]}"
                       for log in sorted(self.logs.glob("*.log")))

    def start(self):
        raise NotImplementedError

    def stop(self):
        for keeper in reversed(self.keepers):
            keeper.stdin.close()
        for keeper in self.keepers:
            keeper.stdout.close()
            assert keeper.wait(60) == 0, self.tails()
        self.keepers.clear()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()


def environment(**more):
    """What a daemon or a client sees: nothing of the settings of whoever runs the tests."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "HOME", "USER", "TMPDIR") if key in os.environ}
    return {**kept, "JAVA_HOME": str(java_home()), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "127.0.0.1",
            **{key: str(value) for key, value in more.items()}}


def hadoop_daemon(conf, main):
    if not HADOOP_JARS.is_dir():
        raise AssertionError(f"no {HADOOP_JARS}: run script/setup --tests")
    return [java_home() / "bin" / "java", *SMALL_JVM, "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "-cp", f"{conf}:{HADOOP_JARS}/*", main]


class Yarn(Cluster):
    """A ResourceManager and a NodeManager. Files are on the local disk unless `default_fs` is given."""

    def __init__(self, folder, default_fs="file:///", memory_mb=12288, cores=16):
        super().__init__(folder)
        self.conf = self.folder / "conf"
        self.default_fs, self.memory_mb, self.cores = default_fs, memory_mb, cores
        self.url = None  # of the ResourceManager's web services

    def start(self):
        self.conf.mkdir(parents=True, exist_ok=True)
        names = ("address", "scheduler.address", "resource-tracker.address", "admin.address", "webapp.address")
        ports = free_ports(len(names))
        self.url = f"http://127.0.0.1:{ports[-1]}"
        write_hadoop_conf(self.conf / "core-site.xml", {
            "fs.defaultFS": self.default_fs,
            "hadoop.tmp.dir": self.folder / "tmp",
            "ipc.client.connect.max.retries.on.timeouts": 2,
        })
        write_hadoop_conf(self.conf / "yarn-site.xml", {
            "yarn.resourcemanager.hostname": "127.0.0.1",
            **{f"yarn.resourcemanager.{name}": f"127.0.0.1:{port}" for name, port in zip(names, ports)},
            "yarn.resourcemanager.am.max-attempts": 2,
            "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 100,
            "yarn.resourcemanager.connect.retry-interval.ms": 200,
            "yarn.resourcemanager.max-completed-applications": 200,
            "yarn.scheduler.minimum-allocation-mb": 128,
            "yarn.scheduler.maximum-allocation-mb": self.memory_mb,
            "yarn.nodemanager.address": "127.0.0.1:0",
            "yarn.nodemanager.localizer.address": "127.0.0.1:0",
            "yarn.nodemanager.webapp.address": "127.0.0.1:0",
            "yarn.nodemanager.resource.memory-mb": self.memory_mb,
            "yarn.nodemanager.resource.cpu-vcores": self.cores,
            "yarn.nodemanager.pmem-check-enabled": "false",
            "yarn.nodemanager.vmem-check-enabled": "false",
            "yarn.nodemanager.disk-health-checker.enable": "false",
            "yarn.nodemanager.local-dirs": self.folder / "local",
            "yarn.nodemanager.log-dirs": self.folder / "containers",
            "yarn.nodemanager.delete.debug-delay-sec": 0,
            "yarn.nodemanager.sleep-delay-before-sigkill.ms": 1000,
            "yarn.nodemanager.env-whitelist": "JAVA_HOME,SPARK_LOCAL_IP,SPARK_LOCAL_HOSTNAME,PATH,LANG",
        })
        write_hadoop_conf(self.conf / "capacity-scheduler.xml", {
            "yarn.scheduler.capacity.root.queues": "default",
            "yarn.scheduler.capacity.root.default.capacity": 100,
            "yarn.scheduler.capacity.maximum-am-resource-percent": 1,
        })
        (self.conf / "log4j.properties").write_text(
            "log4j.rootLogger=INFO,C\nlog4j.appender.C=org.apache.log4j.ConsoleAppender\n"
            "log4j.appender.C.layout=org.apache.log4j.PatternLayout\n"
            "log4j.appender.C.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n\n")
        env = environment(HADOOP_CONF_DIR=self.conf)
        server = "org.apache.hadoop.yarn.server"
        keeper = self.start_daemons({
            "resourcemanager": (hadoop_daemon(self.conf, f"{server}.resourcemanager.ResourceManager"), env),
            "nodemanager": (hadoop_daemon(self.conf, f"{server}.nodemanager.NodeManager"), env),
        })
        self.wait("YARN with a node", self.ready, keeper)

    def ready(self):
        answer = fetch_json(f"{self.url}/ws/v1/cluster/metrics")
        return answer and answer["clusterMetrics"]["activeNodes"] == 1

    def env(self, spark_home, **defaults):
        """Environment in which spark-submit of this Spark uses the cluster; `defaults` go to its spark-defaults.conf,
        with _ for dots."""
        conf = self.folder / f"spark-conf-{spark_home.parent.name}"
        conf.mkdir(exist_ok=True)
        write_spark_defaults(conf, {
            "spark.master": "yarn",
            "spark.yarn.jars": f"local:{spark_home}/jars/*",
            "spark.yarn.stagingDir": f"{self.default_fs if self.default_fs != 'file:///' else 'file://'}"
                                     f"{self.folder / 'staging'}",
            "spark.yarn.maxAppAttempts": 1,
            "spark.yarn.am.memory": "384m",
            "spark.yarn.am.extraJavaOptions": " ".join(QUICK_JVM),
            "spark.yarn.report.interval": "200ms",
            **{key.replace("_", "."): value for key, value in defaults.items()},
        })
        return environment(SPARK_HOME=spark_home, SPARK_CONF_DIR=conf, HADOOP_CONF_DIR=self.conf, YARN_CONF_DIR=self.conf,
                           SPARK_SUBMIT_OPTS=" ".join(QUICK_JVM))

    def apps(self, **query):
        """Applications as the ResourceManager shows them."""
        text = "&".join(f"{key}={value}" for key, value in query.items())
        answer = fetch_json(f"{self.url}/ws/v1/cluster/apps?{text}")
        assert answer is not None, self.tails()
        return (answer["apps"] or {}).get("app", [])

    def kill(self, app):
        status, body = fetch(f"{self.url}/ws/v1/cluster/apps/{app}/state", method="PUT", body=b'{"state":"KILLED"}')
        assert status in (200, 202), (status, body)


    def requests_with(self, part):
        """Lines of requests to the ResourceManager's web services with this in them, so far."""
        lines = (self.logs / "resourcemanager.log").read_text(errors="replace").splitlines()
        return [line for line in lines if "/ws/v1/cluster/" in line and part in line]


def write_spark_defaults(conf, values):
    text = "".join(f"{key} {value}\n" for key, value in {
        "spark.ui.enabled": "false",
        "spark.driver.extraJavaOptions": " ".join(QUICK_JVM),
        "spark.executor.extraJavaOptions": " ".join(QUICK_JVM),
        "spark.driver.memory": "512m",
        "spark.executor.memory": "512m",
        "spark.executor.instances": 1,
        "spark.executor.cores": 1,
        "spark.cores.max": 1,
        "spark.sql.shuffle.partitions": 2,
        **values,
    }.items())
    (conf / "spark-defaults.conf").write_text(text)


class Hdfs(Cluster):
    """A NameNode and a DataNode, formatted anew."""

    def __init__(self, folder):
        super().__init__(folder)
        self.conf = self.folder / "conf"
        self.uri = self.url = None

    def start(self):
        # The daemons look for the folders of their web pages.
        for name in ("hdfs", "datanode"):
            (self.conf / "webapps" / name / "WEB-INF").mkdir(parents=True)
        rpc, http = free_ports(2)
        self.uri, self.url = f"hdfs://127.0.0.1:{rpc}", f"http://127.0.0.1:{http}"
        write_hadoop_conf(self.conf / "core-site.xml", {
            "fs.defaultFS": self.uri, "hadoop.tmp.dir": self.folder / "tmp"})
        write_hadoop_conf(self.conf / "hdfs-site.xml", {
            "dfs.namenode.http-address": f"127.0.0.1:{http}",
            "dfs.namenode.name.dir": f"file://{self.folder}/name",
            "dfs.datanode.data.dir": f"file://{self.folder}/data",
            "dfs.datanode.address": "127.0.0.1:0",
            "dfs.datanode.http.address": "127.0.0.1:0",
            "dfs.datanode.ipc.address": "127.0.0.1:0",
            "dfs.replication": 1,
            "dfs.permissions.enabled": "false",
            "dfs.heartbeat.interval": 1,
            "dfs.namenode.safemode.extension": 0,
        })
        env = environment(HADOOP_CONF_DIR=self.conf)
        name_node = hadoop_daemon(self.conf, "org.apache.hadoop.hdfs.server.namenode.NameNode")
        self.logs.mkdir(parents=True, exist_ok=True)
        with open(self.logs / "format.log", "ab") as log:
            subprocess.run([str(word) for word in [*name_node, "-format", "-nonInteractive"]], env=env,
                           cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=True, timeout=START_TIME)
        keeper = self.start_daemons({
            "namenode": (name_node, env),
            "datanode": (hadoop_daemon(self.conf, "org.apache.hadoop.hdfs.server.datanode.DataNode"), env),
        })
        self.wait("HDFS with a node", self.ready, keeper)

    def ready(self):
        answer = fetch_json(f"{self.url}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState")
        return answer and answer["beans"] and answer["beans"][0]["NumLiveDataNodes"] == 1

    def send(self, url, method, body=None):
        """One operation on a file by WebHDFS, which sends to the node that has it."""
        try:
            opener = urllib.request.build_opener(AtTheirWord)
            opener.open(urllib.request.Request(url, method=method), timeout=30)
            raise AssertionError("no redirect")
        except urllib.error.HTTPError as error:
            assert error.code == 307, error.read()
            return fetch(error.headers["Location"], timeout=30, method=method, body=body)


class Standalone(Cluster):
    """Spark's own Master and a Worker, of the given Spark."""

    def __init__(self, folder, spark_home, memory="8g", cores=16):
        super().__init__(folder)
        self.spark_home, self.memory, self.cores = pathlib.Path(spark_home), memory, cores
        self.master = self.rest = self.url = None

    def start(self):
        rpc, web, rest = free_ports(3)
        self.master, self.url, self.rest = f"spark://127.0.0.1:{rpc}", f"http://127.0.0.1:{web}", f"http://127.0.0.1:{rest}"
        [library] = (self.spark_home / "jars").glob("scala-library-*.jar")
        scala = ".".join(library.stem.rpartition("-")[2].split(".")[:2])  # as bin/load-spark-env.sh would
        env = environment(SPARK_HOME=self.spark_home, SPARK_SCALA_VERSION=scala)
        java = [java_home() / "bin" / "java", *SMALL_JVM, "-XX:+IgnoreUnrecognizedVMOptions",
                "--add-modules=jdk.incubator.vector",
                *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in (
                    "java.lang", "java.lang.invoke", "java.io", "java.net", "java.nio", "java.util",
                    "java.util.concurrent", "sun.nio.ch", "sun.security.action")),
                "-Dspark.master.rest.enabled=true", f"-Dspark.master.rest.port={rest}",
                "-Dspark.master.rest.host=127.0.0.1",
                "-cp", f"{self.spark_home}/jars/*"]
        deploy = "org.apache.spark.deploy"
        keeper = self.start_daemons({
            "master": ([*java, f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", rpc,
                        "--webui-port", web], env),
            "worker": ([*java, f"{deploy}.worker.Worker", "--host", "127.0.0.1", "--webui-port", 0,
                        "--memory", self.memory, "--cores", self.cores,
                        "--work-dir", self.folder / "applications", self.master], env),
        })
        self.wait("Master with a Worker", self.ready, keeper)

    def state(self):
        """What the Master's JSON page shows."""
        return fetch_json(f"{self.url}/json/")

    def kill(self, app):
        """An application or a driver, as its page does it, which of late wants a token that it shows itself."""
        token = re.search(rb'csrfToken" value="([^"]+)"', fetch(f"{self.url}/")[1])
        body = f"id={app}&terminate=true" + (f"&csrfToken={token[1].decode()}" if token else "")
        kind = "driver" if app.startswith("driver-") else "app"
        status, answer = fetch(f"{self.url}/{kind}/kill/", method="POST", body=body.encode(),
                               content_type="application/x-www-form-urlencoded")
        assert status == 200, (status, answer)

    def until(self, field, seconds=START_TIME):
        """What is there once something is: "activeapps", "activedrivers"."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.state()[field]
            if found:
                return found
            time.sleep(0.2)
        raise AssertionError(f"no {field} within {seconds} s{self.tails()}")

    def ready(self):
        answer = self.state()
        return answer and answer["aliveworkers"] == 1

    def env(self, **defaults):
        """Environment in which spark-submit uses the cluster; `defaults` go to its spark-defaults.conf, with _ for dots."""
        conf = self.folder / "spark-conf"
        conf.mkdir(exist_ok=True)
        write_spark_defaults(conf, {
            "spark.master": self.master, **{key.replace("_", "."): value for key, value in defaults.items()}})
        return environment(SPARK_HOME=self.spark_home, SPARK_CONF_DIR=conf, SPARK_SUBMIT_OPTS=" ".join(QUICK_JVM))
