#include <catch2/catch.hpp>

#include "submit/RequestProperties.h"

using namespace hearth::submit;

TEST_CASE("every field of a request reaches Spark under its key", "[batch]") {
  RequestFields request;
  request.name = "n";
  request.queue = "q";
  request.pythonPath = "/py";
  request.driverMemory = "1g";
  request.executorMemory = "2g";
  request.driverCores = 1;
  request.executorCores = 2;
  request.numExecutors = 3;
  request.jars = {"/a.jar", "hdfs:///b.jar"};
  request.pyFiles = {"/a.py"};
  request.files = {"/a#b"};
  request.archives = {"/a.zip"};
  CHECK(requestProperties(request) == Properties{{"spark.app.name", "n"},
                                                 {"spark.yarn.queue", "q"},
                                                 {"spark.pyspark.python", "/py"},
                                                 {"spark.driver.memory", "1g"},
                                                 {"spark.executor.memory", "2g"},
                                                 {"spark.driver.cores", "1"},
                                                 {"spark.executor.cores", "2"},
                                                 {"spark.executor.instances", "3"},
                                                 {"spark.jars", "/a.jar,hdfs:///b.jar"},
                                                 {"spark.submit.pyFiles", "/a.py"},
                                                 {"spark.files", "/a#b"},
                                                 {"spark.archives", "/a.zip"}});
}

TEST_CASE("a field wins over conf, a list goes before the one of conf", "[batch]") {
  RequestFields request;
  request.conf = {
      {"spark.driver.memory", "9g"}, {"spark.jars", "/c.jar"},         {"spark.files", ""},
      {"spark.sql.x", "y"},          {"livy.spark.x", "of no effect"}, {"sparkling", "neither"}};
  request.driverMemory = "1g";
  request.jars = {"/a.jar"};
  request.files = {"/f"};
  CHECK(requestProperties(request) == Properties{{"spark.driver.memory", "1g"},
                                                 {"spark.jars", "/a.jar,/c.jar"},
                                                 {"spark.files", "/f"},
                                                 {"spark.sql.x", "y"}});
}

TEST_CASE("what is not given is not said to Spark", "[batch]") {
  CHECK(requestProperties({}).empty());
}
