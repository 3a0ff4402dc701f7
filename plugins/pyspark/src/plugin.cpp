#include "PysparkSession.h"

HEARTH_PLUGIN_WITH(hearth::pyspark::PysparkSession, hearth::pyspark::PysparkInstance, R"({
  "id": "pyspark", "version": "1.0.0",
  "kinds": ["pyspark"], "aliases": {"python": "pyspark"}, "leader": "spark",
  "magics": ["json", "matplot", "sql", "table"],
  "mime": ["text/plain", "application/json", "application/vnd.livy.table.v1+json", "image/png"],
  "config": {
    "python": {"type": "string", "default": "",
      "doc": "Python that runs sessions, where their conf names none; empty: PYSPARK_PYTHON, python3"}
  }
})")
