// Attempts to get round the policy. Each section is one; the file system it acts on is real.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "policy/Policy.h"
#include "policy/PolicyRefusal.h"
#include "temp_folder.h"

using namespace hearth::host;
using hearth::test::TempFolder;
namespace fs = std::filesystem;

namespace {

// A folder with what users may name, and beside it what they may not.
class Deployment {
 public:
  Deployment() : root(fs::canonical(folder_.path()).string()), allowed(root + "/allowed") {
    fs::create_directories(allowed + "/lib");
    fs::create_directories(root + "/allowed_not_really");
    fs::create_directories(root + "/data");
    for (const char* file : {"/allowed/app.jar", "/allowed/lib/a.jar", "/secret.txt",
                             "/allowed_not_really/x.jar", "/data/hearth.db"})
      std::ofstream(root + file) << "x";
    options.paths.local = {allowed};
    options.paths.closed = {root + "/data"};
    options.paths.schemes = {"hdfs", "s3a", "https"};
    options.sessionConf.denied = {"spark.kerberos.keytab", "spark.yarn.access.*", "spark.ui.port",
                                  "spark.driver.memory"};
    options.sessionConf.forced = {{"spark.executor.memory", "2g"}, {"spark.yarn.queue", "users"}};
    options.sessionConf.fixed = {{"spark.master", {"yarn"}}};
  }

  // The rule that refuses, or "" where nothing does. The request is then what would be carried out.
  std::string rule(SparkRequest& request) {
    Policy policy(options);
    try {
      policy.admit("ann", Resource::session, request);
    } catch (const PolicyRefusal& refusal) {
      last = refusal.what();
      return last.substr(0, last.find(':'));
    }
    return {};
  }
  std::string file(const std::string& item) {
    SparkRequest request;
    request.files = {item};
    return rule(request);
  }
  std::string jar(const std::string& item) {
    SparkRequest request;
    request.jars = {item};
    return rule(request);
  }
  std::string conf(const std::string& key, const std::string& value) {
    SparkRequest request;
    request.conf = {{key, value}};
    return rule(request);
  }

 private:
  TempFolder folder_;

 public:
  const std::string root, allowed;
  Policy::Options options;
  std::string last;
};

constexpr const char* local = "policy.paths.local";
constexpr const char* denied = "policy.conf.denied";

}  // namespace

TEST_CASE("what the policy allows passes in every form that clients write it in") {
  Deployment at;
  for (const std::string& form :
       {at.allowed + "/app.jar", "file:" + at.allowed + "/app.jar",
        "file://" + at.allowed + "/app.jar", "FILE:" + at.allowed + "/app.jar",
        "file://localhost" + at.allowed + "/app.jar", "local:" + at.allowed + "/app.jar",
        "  " + at.allowed + "/app.jar ", at.allowed + "/lib/../app.jar", at.allowed + "//./app.jar",
        at.allowed + "/not-there-yet.jar", at.allowed + "/lib/*.jar", at.allowed + "/app.jar#alias",
        at.allowed + "/my%20app.jar", at.allowed + "/app.jar," + at.allowed + "/lib/a.jar",
        std::string("hdfs://nn/user/x.jar"), std::string("S3A://bucket/x.jar")}) {
    INFO(form);
    CHECK(at.jar(form) == "");
  }
  CHECK(at.conf("spark.driver.extraClassPath", at.allowed + "/lib/*:" + at.allowed) == "");
  CHECK(at.conf("spark.driver.extraJavaOptions",
                "-XX:+UseG1GC -Dhttp.proxy=http://proxy:80 -Dlog4j.configurationFile=file:" +
                    at.allowed + "/log4j.properties -Djdbc.url=jdbc:postgresql://db:5432/x") == "");
  CHECK(at.conf("spark.pyspark.python", "./environment/bin/python") == "");
  CHECK(at.conf("spark.pyspark.python", "python3.11") == "");
  CHECK(at.conf("spark.hadoop.fs.s3a.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem") == "");
  CHECK(at.conf("spark.ui.proxyBase", "/spark") == "");
  CHECK(at.conf("spark.eventLog.dir", "hdfs://nn:8020/logs") == "");
  CHECK(at.conf("spark.master", "yarn") == "");
  CHECK(at.conf("livy.uri", "http://x") == "");
}

TEST_CASE("a local path does not get out of the allowed folders") {
  Deployment at;

  SECTION("1: a plain path elsewhere, in each field") {
    CHECK(at.file("/etc/passwd") == local);
    CHECK(at.jar("/etc/passwd") == local);
    SparkRequest python, archives, batch;
    python.pyFiles = {"/etc/passwd"};
    archives.archives = {"/etc/passwd"};
    batch.file = "/etc/passwd";
    for (SparkRequest* request : {&python, &archives, &batch}) CHECK(at.rule(*request) == local);
  }
  SECTION("2: '..' out of an allowed folder") {
    CHECK(at.file(at.allowed + "/../secret.txt") == local);
  }
  SECTION("3: '..' by way of a folder that is not there") {
    CHECK(at.file(at.allowed + "/none/../../secret.txt") == local);
  }
  SECTION("4: a folder whose name begins like the allowed one") {
    CHECK(at.file(at.root + "/allowed_not_really/x.jar") == local);
  }
  SECTION("5: file: with one, two, three and four slashes") {
    for (const char* prefix : {"file:", "file://", "file:///..", "file:///", "file:////"})
      CHECK(at.file(prefix + at.root + "/secret.txt") == local);
  }
  SECTION("6: the scheme in capitals, or mixed") {
    CHECK(at.file("FILE:///etc/passwd") == local);
    CHECK(at.file("fIlE:/etc/passwd") == local);
    CHECK(at.file("LOCAL:/etc/passwd") == local);
  }
  SECTION("7: a URI with a host that most readers ignore") {
    CHECK(at.file("file://elsewhere" + at.allowed + "/app.jar") == local);
    CHECK(at.file("file://localhost/etc/passwd") == local);
    CHECK(at.file("file://..") == local);
  }
  SECTION("8: local:, which Spark opens as a file on every node") {
    CHECK(at.jar("local:/etc/passwd") == local);
    CHECK(at.jar("local:///etc/passwd") == local);
  }
  SECTION("9: percent-encoded dots and slashes") {
    CHECK(at.file("file:" + at.allowed + "/%2e%2e/secret.txt") == local);
    CHECK(at.file("file:" + at.allowed + "%2F..%2Fsecret.txt") == local);
    CHECK(at.file(at.allowed + "/%2E%2E/secret.txt") == local);
    CHECK(at.file("file:%2Fetc%2Fpasswd") == local);
  }
  SECTION("10: encoded twice, for who decodes twice") {
    CHECK(at.file("file:" + at.allowed + "/%252e%252e/secret.txt") == local);
  }
  SECTION("11: an encoded scheme") {
    CHECK(at.file("f%69le:/etc/passwd") == local);
    CHECK(at.file("file%3A/etc/passwd") == local);
  }
  SECTION("12: a symbolic link in an allowed folder") {
    fs::create_symlink(at.root + "/secret.txt", at.allowed + "/link.txt");
    fs::create_symlink("..", at.allowed + "/up");
    CHECK(at.file(at.allowed + "/link.txt") == local);
    CHECK(at.file(at.allowed + "/up/secret.txt") == local);
  }
  SECTION("13: a link that leads to nothing yet") {
    fs::create_symlink(at.root + "/later.txt", at.allowed + "/later");
    CHECK(at.file(at.allowed + "/later") == local);
  }
  SECTION("14: a link, and '..' that text alone takes back") {
    fs::create_directories(at.root + "/deep/er");
    fs::create_symlink(at.root + "/deep/er", at.allowed + "/link");
    CHECK(at.file(at.allowed + "/link/../secret.txt") == local);
  }
  SECTION("15: links in a circle") {
    fs::create_symlink(at.allowed + "/b", at.allowed + "/a");
    fs::create_symlink(at.allowed + "/a", at.allowed + "/b");
    CHECK(at.file(at.allowed + "/a") == local);
  }
  SECTION("16: a fragment or query behind which the path goes back") {
    CHECK(at.file("/etc/passwd#/../.." + at.allowed + "/app.jar") == local);
    CHECK(at.file("file:/etc/passwd#" + at.allowed) == local);
    CHECK(at.file("file:/etc/passwd?/../../.." + at.allowed + "/app.jar") == local);
    CHECK(at.file("/etc/passwd%23/../.." + at.allowed + "/app.jar") == local);
  }
  SECTION("17: an alias that is a path, which an archive would be unpacked to") {
    CHECK(at.file(at.allowed + "/app.jar#../../x") == local);
    CHECK(at.file(at.allowed + "/app.jar#..") == local);
    CHECK(at.file(at.allowed + "/app.jar#..%2Fx") == local);
  }
  SECTION("18: a comma in one item, and an encoded one") {
    CHECK(at.file(at.allowed + "/app.jar,/etc/passwd") == local);
    CHECK(at.file(at.allowed + "/app.jar%2C/etc/passwd") == local);
  }
  SECTION("19: a pattern in front of the last part") {
    fs::create_directory_symlink("/etc", at.allowed + "/xx");
    CHECK(at.file(at.allowed + "/x*/passwd") == local);
    CHECK(at.file(at.allowed + "/*/../../secret.txt") == local);
    CHECK(at.file(at.allowed + "/{lib,/etc}/a") == local);
  }
  SECTION("20: a pattern that takes in a link") {
    fs::create_symlink(at.root + "/secret.txt", at.allowed + "/lib/z.jar");
    CHECK(at.jar(at.allowed + "/lib/*.jar") == local);
    CHECK(at.jar(at.allowed + "/lib/[a-z].jar") == local);
  }
  SECTION("21: backslashes, which Hadoop's patterns take off") {
    CHECK(at.file(at.allowed + "/\\.\\./secret.txt") == local);
  }
  SECTION("22: control characters and blanks around and inside") {
    CHECK(at.file("\t\n /etc/passwd \r\n") == local);
    CHECK(at.file(at.allowed + "/a\n/etc/passwd") == local);
    CHECK(at.file(at.allowed + std::string("/a\0/../../secret.txt", 20)) == local);
    CHECK(at.file(at.allowed + "/a%00.jar") == local);
  }
  SECTION("23: a relative path, which starts who knows where") {
    CHECK(at.file("secret.txt") == local);
    CHECK(at.file("../../secret.txt") == local);
    CHECK(at.file("~/secret.txt") == local);
    CHECK(at.file("file:secret.txt") == local);
  }
  SECTION("24: Spark's variables in a value") {
    CHECK(at.conf("spark.jars", at.allowed + "/${env:UP}/secret.txt") == local);
    CHECK(at.conf("spark.jars", "${spark.mine}") == local);
    CHECK(at.conf("spark.driver.extraClassPath", "$HOME/x.jar") == local);
  }
  SECTION("25: the server's own folder, also where it is inside an allowed one") {
    at.options.paths.local = {at.root};
    CHECK(at.file(at.root + "/data/hearth.db") == local);
    CHECK(at.file(at.root) == local);
    CHECK(at.file(at.root + "/secret.txt") == "");
  }
  SECTION("26: an allowed folder that is a link itself is followed, not fooled") {
    fs::create_directory_symlink(at.allowed, at.root + "/alias");
    at.options.paths.local = {at.root + "/alias"};
    CHECK(at.file(at.allowed + "/app.jar") == "");
    CHECK(at.file(at.root + "/alias/app.jar") == "");
    CHECK(at.file(at.root + "/alias/../secret.txt") == local);
  }
  SECTION("27: /proc's ways to the root") {
    CHECK(at.file("/proc/self/root/etc/passwd") == local);
  }
  SECTION("28: no local path at all") {
    at.options.paths.local.emplace();
    CHECK(at.file(at.allowed + "/app.jar") == local);
    CHECK(at.file("/") == local);
    CHECK(at.file("hdfs://nn/x") == "");
  }
  SECTION("29: thousands of paths cost a bounded number of looks") {
    SparkRequest request;
    for (int i = 0; i < 50000; ++i) request.files.push_back(at.allowed + "/" + std::to_string(i));
    CHECK(at.rule(request) == local);
    CHECK_THAT(at.last, Catch::Contains("too many"));
  }
}

TEST_CASE("a local path does not get in by a key of conf") {
  Deployment at;

  SECTION("30: every key that takes files") {
    for (const char* key : {"spark.jars",
                            "spark.files",
                            "spark.archives",
                            "spark.submit.pyFiles",
                            "spark.yarn.jar",
                            "spark.yarn.jars",
                            "spark.yarn.archive",
                            "spark.yarn.dist.files",
                            "spark.yarn.dist.jars",
                            "spark.yarn.dist.archives",
                            "spark.jars.ivySettings",
                            "spark.jars.ivy",
                            "spark.driver.log.dfsDir",
                            "spark.eventLog.dir",
                            "spark.local.dir",
                            "spark.metrics.conf",
                            "spark.kubernetes.driver.podTemplateFile",
                            "spark.kubernetes.executor.podTemplateFile",
                            "spark.kubernetes.authenticate.driver.caCertFile",
                            "spark.scheduler.allocation.file",
                            "spark.kubernetes.file.upload.path",
                            "spark.sql.hive.metastore.jars.path",
                            "spark.kubernetes.driver.volumes.hostPath.x.options.path",
                            "spark.ssl.ui.keyStore",
                            "spark.driver.extraClassPath",
                            "spark.executor.extraClassPath",
                            "spark.driver.extraLibraryPath",
                            "spark.pyspark.python",
                            "spark.r.shell.command",
                            "spark.hearth.env.LD_PRELOAD",
                            "spark.executorEnv.PYTHONPATH",
                            "spark.yarn.appMasterEnv.CLASSPATH",
                            "spark.hadoop.fs.gs.auth.service.account.json.keyfile"}) {
      INFO(key);
      CHECK(at.conf(key, "/etc/passwd") == local);
      CHECK(at.conf(key, "file:///etc/passwd") == local);
    }
  }
  SECTION("31: an old name of a key") {
    at.options.sessionConf.denied.clear();
    CHECK(at.conf("spark.yarn.keytab", "/etc/krb5.keytab") == local);
    CHECK(at.conf("spark.kerberos.keytab", "/etc/krb5.keytab") == local);
  }
  SECTION("32: blanks around a key") {
    CHECK(at.conf(" spark.files\t", "/etc/passwd") == local);
  }
  SECTION("33: the second folder of a class path, and one behind '//'") {
    CHECK(at.conf("spark.driver.extraClassPath", at.allowed + "/lib/a.jar:/etc") == local);
    CHECK(at.conf("spark.driver.extraClassPath", "hdfs://etc/evil") == local);
    CHECK(at.conf("spark.driver.defaultExtraClassPath", at.allowed + ":/etc") == local);
    CHECK(at.conf("spark.acme.searchpath", at.allowed + ":/etc") == local);
    CHECK(at.conf("spark.driver.extraClassPath", "lib/../../x") == local);
  }
  SECTION("34: files in Java's options") {
    for (const char* options :
         {"-Dlog4j.configuration=file:/etc/passwd", "-Dlog4j2.configurationFile=/etc/passwd",
          "-Dlog4j.configurationFile=file:%2Fetc%2Fpasswd", "-javaagent:/tmp/evil.jar=x",
          "-agentpath:/tmp/evil.so", "-Xbootclasspath/a:/tmp/evil.jar", "-Xloggc:/etc/x",
          "-XX:HeapDumpPath=/etc/x", "\"-javaagent:/tmp/evil.jar\"", "-jav\\aagent:/tmp/evil.jar",
          "-Djava.library.path=x://etc/evil", "-cp /tmp", "-Dx=jar:file:/tmp/evil.jar!/x",
          "-Dlog4j.configurationFile=../../../etc/x", "-Dx=${user.home}/x"}) {
      INFO(options);
      CHECK(at.conf("spark.driver.extraJavaOptions", options) == local);
      CHECK(at.conf("spark.executor.defaultJavaOptions", options) == local);
      CHECK(at.conf("spark.executorEnv.JAVA_TOOL_OPTIONS", options) == local);
    }
  }
  SECTION("35: options from a file, where nobody can see them") {
    for (const char* options :
         {"@/tmp/options", "-ea @options", "-XX:VMOptionsFile=options", "-XX:Flags=.hotspotrc"}) {
      INFO(options);
      CHECK(at.conf("spark.driver.extraJavaOptions", options) == "policy.conf");
      CHECK(at.conf("spark.yarn.appMasterEnv.JDK_JAVA_OPTIONS", options) == "policy.conf");
    }
  }
  SECTION("36: a scheme with the local file system behind it") {
    CHECK(at.conf("spark.hadoop.fs.hdfs.impl", "org.apache.hadoop.fs.RawLocalFileSystem") == local);
    CHECK(at.conf("spark.hadoop.fs.AbstractFileSystem.s3a.impl",
                  "org.apache.hadoop.fs.local.RawLocalFs") == local);
    CHECK(at.conf("spark.hadoop.fs.viewfs.mounttable.default.link./x", "file:///etc") == local);
    CHECK(at.conf("spark.hadoop.hadoop.security.credential.provider.path", "jceks://file/etc/x") ==
          local);
    CHECK(at.jar("har://file-/etc/x.har") == "policy.paths.schemes");
    CHECK(at.jar("jar:file:/etc/x!/y") == "policy.paths.schemes");
    CHECK(at.jar("c:/etc/x") == "policy.paths.schemes");
  }
  SECTION("37: a file in a key that nobody has heard of") {
    CHECK(at.conf("spark.hadoop.net.topology.script.file.name", "/tmp/evil.sh") == local);
    CHECK(at.conf("spark.hadoop.mapreduce.job.credentials.binary", "x,/etc/passwd") == local);
    CHECK(at.conf("spark.some.new.thing", "x,file:///etc/passwd") == local);
  }
  SECTION("38: a batch's environment and Python") {
    SparkRequest environment, python;
    environment.env = {{"PYTHONSTARTUP", "/tmp/evil.py"}};
    python.pythonPath = "/tmp/python";
    CHECK(at.rule(environment) == local);
    CHECK(at.rule(python) == local);
  }
  SECTION("39: a key of files that only this deployment has") {
    at.options.paths.keys = {"spark.acme.*"};
    CHECK(at.conf("spark.acme.bundle", at.allowed + "/app.jar,/etc/passwd") == local);
    CHECK(at.conf("spark.acme.bundle", "gopher://x/y") == "policy.paths.schemes");
  }
}

TEST_CASE("a key of conf does not get past the rules") {
  Deployment at;

  SECTION("40: a denied key") {
    CHECK(at.conf("spark.ui.port", "1") == denied);
    CHECK_THAT(at.last, Catch::Contains("spark.ui.port"));
  }
  SECTION("41: with blanks around it") {
    CHECK(at.conf("\t spark.ui.port ", "1") == denied);
  }
  SECTION("42: by another of its names") {
    CHECK(at.conf("spark.yarn.keytab", "hdfs://x/y") == denied);
  }
  SECTION("43: by a name that a pattern means by another one") {
    CHECK(at.conf("spark.kerberos.access.hadoopFileSystems", "hdfs://x") == denied);
  }
  SECTION("44: by a field") {
    SparkRequest request;
    request.driverMemory = "64g";
    CHECK(at.rule(request) == denied);
  }
  SECTION("45: given twice, with and without a blank") {
    SparkRequest request;
    request.conf = {{"spark.x", "1"}, {"spark.x ", "2"}};
    CHECK(at.rule(request) == "policy.conf");
  }
  SECTION("46: with a line end, which a properties file might take for two keys") {
    CHECK(at.conf("spark.x\nspark.ui.port", "1") == "policy.conf");
  }
  SECTION("47: by -D in Java's options, plain, quoted and escaped") {
    for (const char* options :
         {"-Dspark.ui.port=1", "\"-Dspark.ui.port=1\"", "-D'spark.ui.port'=1",
          "-Dspark\\.ui.port=1", "-ea  -Dspark.ui.port", "-Dspark.yarn.keytab=x"}) {
      INFO(options);
      CHECK(at.conf("spark.driver.extraJavaOptions", options) == denied);
    }
    CHECK(at.conf("spark.driver.extraJavaOptions", "-Dspark.executor.memory=9g") ==
          "policy.conf.forced");
  }
  SECTION("48: what is forced is forced over conf, field and other names") {
    SparkRequest request;
    request.executorMemory = "64g";
    request.queue = "root";
    request.conf = {{"spark.executor.memory", "65g"}, {" spark.yarn.queue", "root"}};
    CHECK(at.rule(request) == "");
    CHECK(request.executorMemory.empty());
    CHECK(request.queue.empty());
    CHECK(request.conf == std::map<std::string, std::string>{{"spark.executor.memory", "2g"},
                                                             {"spark.yarn.queue", "users"}});
  }
  SECTION("49: a master of one's own where the server has chosen one") {
    CHECK(at.conf("spark.master", "local[64]") == denied);
    CHECK(at.conf(" spark.master", "k8s://x") == denied);
    CHECK(at.conf("spark.driver.extraJavaOptions", "-Dspark.master=local") == denied);
  }
  SECTION("50: another case is another key, of no effect in Spark, and no way in") {
    CHECK(at.conf("spark.UI.port", "1") == "");
    CHECK(at.conf("Spark.ui.port", "1") == "");
  }
  SECTION("51: with an allow list nothing else passes, denied stays denied") {
    at.options.sessionConf.allowed = {"spark.sql.*", "spark.ui.*"};
    CHECK(at.conf("spark.sql.shuffle.partitions", "4") == "");
    CHECK(at.conf("spark.sqlx", "4") == "policy.conf.allowed");
    CHECK(at.conf("spark.jars", at.allowed + "/app.jar") == "policy.conf.allowed");
    CHECK(at.conf("livy.uri", "x") == "policy.conf.allowed");
    CHECK(at.conf("spark.ui.port", "1") == denied);
  }
}

TEST_CASE("without folders local paths are free, as on a desk, and schemes are looked at still") {
  Deployment at;
  at.options.paths.local.reset();
  CHECK(at.file("/etc/passwd") == "");
  CHECK(at.file("relative.txt") == "");
  CHECK(at.conf("spark.driver.extraJavaOptions", "-Dlog4j.configuration=file:/etc/x") == "");
  CHECK(at.conf("spark.hadoop.fs.x.impl", "my.FileSystem") == "");
  CHECK(at.file("gopher://x/y") == "policy.paths.schemes");
  at.options.paths.schemes = {"*"};
  CHECK(at.file("gopher://x/y") == "");
}
