#include "ScalaSession.h"

HEARTH_PLUGIN(hearth::scala::ScalaSession, R"({
  "id": "scala", "version": "1.0.0",
  "kinds": ["spark"], "aliases": {"scala": "spark"},
  "magics": ["json", "sql", "table"],
  "mime": ["text/plain", "application/json", "application/vnd.livy.table.v1+json"],
  "config": {
    "spark_home": {"type": "string", "default": "",
      "doc": "Folder of the Spark distribution; empty: SPARK_HOME of the server's environment"},
    "master": {"type": "string", "default": "",
      "doc": "Master of every session; empty: the request's conf, spark-defaults.conf, local[*]"},
    "deploy_mode": {"type": "string", "default": "client",
      "doc": "Where drivers run: client, beside the server, or cluster"},
    "driver_jar": {"type": "string", "default": "",
      "doc": "hearth-driver.jar as the cluster finds it (hdfs://.., local:///..); empty: the one installed here"},
    "shared_dir": {"type": "string", "default": "",
      "doc": "Drivers in a standalone cluster: a folder that workers see under the same path, for link files; empty: the session's own"},
    "driver_java_options": {"type": "string", "default": "",
      "doc": "More options for the JVM of drivers"},
    "java_home": {"type": "string", "default": "",
      "doc": "JAVA_HOME for drivers; empty: that of the server's environment"}
  }
})")
