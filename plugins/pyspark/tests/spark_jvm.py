"""A JVM with the Spark session that the scala plugin's driver would have, for tests.

Runs beside SPARK_HOME's own pyspark. Prints one line {"port", "secret", "app"}; ends with its stdin.
"""

import json
import sys

from pyspark import SparkConf
from pyspark.java_gateway import launch_gateway

conf = SparkConf(loadDefaults=False)
for key, value in {
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.app.name": "hearth-tests",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.warehouse.dir": sys.argv[1] + "/warehouse",
    "spark.local.dir": sys.argv[1],
}.items():
    conf.set(key, value)
gateway = launch_gateway(conf)
session = gateway.jvm.org.apache.spark.repl.Main.createSparkSession()
parameters = gateway.gateway_parameters
line = {
    "port": parameters.port,
    "secret": parameters.auth_token,
    "app": session.sparkContext().applicationId(),
}
print(json.dumps(line), flush=True)
for command in sys.stdin:
    # "jobs": how many jobs run that carry the property hearth.channel; "cancel": ends them, as the driver does.
    tracker = session.sparkContext().statusTracker()
    active = list(tracker.getActiveJobIds())
    if command.strip() == "cancel":
        for job in active:
            session.sparkContext().cancelJob(job)
    print(json.dumps(len(active)), flush=True)
session.stop()
gateway.shutdown()
