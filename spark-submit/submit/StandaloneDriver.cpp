#include "submit/StandaloneDriver.h"

namespace hearth::submit {

namespace {

constexpr const char* moduleOptions =
    "-XX:+IgnoreUnrecognizedVMOptions"
    " --add-opens=java.base/java.lang=ALL-UNNAMED"
    " --add-opens=java.base/java.lang.invoke=ALL-UNNAMED"
    " --add-opens=java.base/java.lang.reflect=ALL-UNNAMED"
    " --add-opens=java.base/java.io=ALL-UNNAMED"
    " --add-opens=java.base/java.net=ALL-UNNAMED"
    " --add-opens=java.base/java.nio=ALL-UNNAMED"
    " --add-opens=java.base/java.util=ALL-UNNAMED"
    " --add-opens=java.base/java.util.concurrent=ALL-UNNAMED"
    " --add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED"
    " --add-opens=java.base/jdk.internal.ref=ALL-UNNAMED"
    " --add-opens=java.base/sun.nio.ch=ALL-UNNAMED"
    " --add-opens=java.base/sun.nio.cs=ALL-UNNAMED"
    " --add-opens=java.base/sun.security.action=ALL-UNNAMED"
    " --add-opens=java.base/sun.util.calendar=ALL-UNNAMED"
    " --add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED"
    " -Djdk.reflect.useDirectMethodHandle=false"
    " -Dio.netty.tryReflectionSetAccessible=true";

}  // namespace

void addStandaloneDriver(Properties& properties) {
  std::string& options = properties["spark.driver.extraJavaOptions"];
  if (!options.empty()) options += ' ';
  options += moduleOptions;
  properties["spark.standalone.submit.waitAppCompletion"] = "false";
}

}  // namespace hearth::submit
