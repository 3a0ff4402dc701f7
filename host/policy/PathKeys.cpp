#include "policy/PathKeys.h"

#include <algorithm>

#include "policy/ConfKeys.h"
#include "policy/JavaOptions.h"

namespace hearth::host {

namespace {

struct Row {
  const char* pattern;  // '*' is any text
  PathShape shape;
};

using Shape = PathShape;

// The first that matches.
const Row table[] = {
    {"spark.jars", Shape::files},
    {"spark.files", Shape::files},
    {"spark.archives", Shape::files},
    {"spark.submit.pyFiles", Shape::files},
    {"spark.yarn.jar", Shape::files},
    {"spark.yarn.jars", Shape::files},
    {"spark.yarn.archive", Shape::files},
    {"spark.yarn.dist.forceDownloadSchemes", Shape::none},
    {"spark.yarn.dist.*", Shape::files},
    {"spark.yarn.secondary.jars", Shape::files},
    {"spark.repl.local.jars", Shape::files},
    {"spark.jars.ivySettings", Shape::files},
    {"spark.kerberos.keytab", Shape::files},
    {"spark.yarn.keytab", Shape::files},
    {"spark.kubernetes.driver.podTemplateFile", Shape::files},
    {"spark.kubernetes.executor.podTemplateFile", Shape::files},
    {"spark.metrics.conf", Shape::files},
    {"spark.scheduler.allocation.file", Shape::files},

    {"spark.jars.ivy", Shape::location},
    {"spark.jars.repositories", Shape::location},
    {"spark.kubernetes.file.upload.path", Shape::location},
    {"spark.kubernetes.kerberos.krb5.path", Shape::location},
    {"spark.kubernetes.*.volumes.hostPath.*.options.path", Shape::location},
    {"spark.kubernetes.*.mount.path", Shape::none},  // inside the container
    {"spark.kubernetes.*.mount.subPath*", Shape::none},
    {"spark.kubernetes.*.volumes.nfs.*", Shape::none},  // of another machine
    {"spark.kubernetes.driver.secrets.*", Shape::none},
    {"spark.kubernetes.executor.secrets.*", Shape::none},
    {"spark.kubernetes.*.label.*", Shape::none},
    {"spark.kubernetes.*.annotation.*", Shape::none},
    {"spark.local.dir", Shape::location},
    {"spark.driver.log.dfsDir", Shape::location},
    {"spark.driver.log.localDir", Shape::location},
    {"spark.eventLog.dir", Shape::location},
    {"spark.yarn.stagingDir", Shape::location},
    {"spark.yarn.config.*", Shape::location},
    {"spark.sql.warehouse.dir", Shape::location},
    {"spark.sql.catalog.*", Shape::location},
    {"spark.sql.hive.metastore.jars", Shape::words},
    {"spark.sql.hive.metastore.jars.path", Shape::location},

    {"spark.*ClassPath", Shape::words},
    {"spark.*LibraryPath", Shape::words},
    {"spark.pyspark.python", Shape::words},
    {"spark.pyspark.driver.python", Shape::words},
    {"spark.r.*command", Shape::words},
    {"spark.sparkr.*command", Shape::words},

    {"spark.*extraJavaOptions", Shape::javaOptions},
    {"spark.*defaultJavaOptions", Shape::javaOptions},

    {"spark.executorEnv.*", Shape::environment},
    {"spark.yarn.appMasterEnv.*", Shape::environment},
    {"spark.kubernetes.driverEnv.*", Shape::environment},
    {"spark.hearth.env.*", Shape::environment},
    {"jupyter.env.*", Shape::environment},

    {"spark.app.name", Shape::none},
    {"spark.job.*", Shape::none},
    {"spark.ui.*", Shape::none},
    {"spark.deploy.zookeeper.dir", Shape::none},
    {"spark.*znode.parent", Shape::none},
    {"livy.*", Shape::none},  // of no effect
};

// Goes back to the last '*' only: linear in what a client sends.
bool matches(const char* pattern, const char* text) {
  const char* star = nullptr;
  const char* resume = nullptr;
  while (*text != 0) {
    if (*pattern == '*') {
      star = ++pattern;
      resume = text;
    } else if (*pattern == *text) {
      ++pattern;
      ++text;
    } else if (star) {
      pattern = star;
      text = ++resume;
    } else {
      return false;
    }
  }
  while (*pattern == '*') ++pattern;
  return *pattern == 0;
}

// For what no list of keys will ever have: fs.*.keyfile, ssl.*.trustStore, sink.csv.directory ...
bool namesPath(const std::string& key) {
  const std::string last = lowered(key.substr(key.rfind('.') + 1));
  for (const char* const end : {"path", "dir", "dirs", "file", "files", "directory", "folder",
                                "location", "keystore", "truststore", "keytab", "jars", "archive",
                                "archives", "certchain", "privatekey", "config", "warehouse"}) {
    const std::string suffix = end;
    if (last.size() >= suffix.size() &&
        last.compare(last.size() - suffix.size(), suffix.size(), suffix) == 0)
      return true;
  }
  return false;
}

}  // namespace

PathShape pathShape(const std::string& key) {
  for (const Row& row : table) {
    if (!matches(row.pattern, key.c_str())) continue;
    if (row.shape == Shape::environment && isJavaOptionsVariable(key.substr(key.rfind('.') + 1)))
      return Shape::javaOptions;
    return row.shape;
  }
  if (key.rfind("spark.", 0) == 0 && namesPath(key)) return Shape::location;
  return Shape::unknown;
}

}  // namespace hearth::host
