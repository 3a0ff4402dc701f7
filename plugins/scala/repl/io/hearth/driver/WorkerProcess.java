package io.hearth.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.api.python.Py4JServer;

/** A worker's process as an OPEN frame describes it, with the folder of its files. */
final class WorkerProcess implements AutoCloseable {
  private final ObjectNode open;
  private final Spark spark;
  private final Path folder;
  private RGateway backend;
  private WorkerGuard guard;

  /** Writes the files. close() removes them. */
  WorkerProcess(ObjectNode open, Spark spark) throws IOException {
    this.open = open;
    this.spark = spark;
    // Made with mode 0700; the working folder is the session's own and goes with it.
    this.folder = Files.createTempDirectory(Paths.get("").toAbsolutePath(), "worker-");
    JsonNode files = open.path("files");
    for (Iterator<String> names = files.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (name.contains("/") || name.startsWith(".")) {
        throw new IOException("a file may not be called " + name);
      }
      Files.write(folder.resolve(name),
          files.path(name).asText().getBytes(StandardCharsets.UTF_8));
    }
  }

  Process start() throws IOException {
    List<String> command = new ArrayList<>();
    for (JsonNode argument : open.path("argv")) {
      command.add(inFolder(argument.asText()));
    }
    if (command.isEmpty()) {
      throw new IOException("no command was given");
    }
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> env = builder.environment();
    env.remove(Main.LINK_FILE); // it is the driver's alone
    String attach = open.path("attach").asText();
    if (attach.equals("py4j")) {
      attachPython(env);
    } else if (attach.equals("sparkr")) {
      backend = RGateway.start(spark, env);
    }
    JsonNode variables = open.path("env");
    for (Iterator<String> names = variables.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (variables.path(name).isNull()) {
        env.remove(name);
      } else {
        env.put(name, inFolder(variables.path(name).asText()));
      }
    }
    String mark = Hex.random(16);
    env.put(WorkerGuard.MARK, mark);
    Process process = builder.start();
    guard = WorkerGuard.over(process, mark);
    return process;
  }

  /** Interrupts the calls into the JVM that the worker waits for. Returns whether there are any. */
  boolean interruptCalls() {
    return backend != null && backend.interrupt();
  }

  private String inFolder(String text) {
    return text.replace("{dir}", folder.toString());
  }

  private void attachPython(Map<String, String> env) throws IOException {
    Py4JServer gateway = spark.gateway();
    env.put("PYSPARK_GATEWAY_PORT", Integer.toString(gateway.getListeningPort()));
    env.put("PYSPARK_GATEWAY_SECRET", gateway.secret());
    // Python's string hashes have to be the same in all its processes.
    env.putIfAbsent("PYTHONHASHSEED", "0");
    String before = env.getOrDefault("PYTHONPATH", "");
    if (before.contains("pyspark.zip")) {
      return; // in YARN's containers Spark itself has brought it
    }
    Path lib = Paths.get(env.getOrDefault("SPARK_HOME", ""), "python", "lib");
    if (!Files.isDirectory(lib)) {
      return; // Python has its own pyspark, or says that there is none
    }
    List<String> paths = new ArrayList<>();
    paths.add(lib.resolve("pyspark.zip").toString());
    try (Stream<Path> files = Files.list(lib)) {
      files.filter(file -> file.getFileName().toString().matches("py4j-.*-src\\.zip"))
          .forEach(file -> paths.add(file.toString()));
    }
    if (!before.isEmpty()) {
      paths.add(before);
    }
    env.put("PYTHONPATH", String.join(File.pathSeparator, paths));
  }

  /** Waits for the process to exit by itself, then ends it and what it has started. */
  static void end(Process process, long millis) {
    if (process == null) {
      return;
    }
    try {
      if (millis > 0 && process.waitFor(millis, TimeUnit.MILLISECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    List<Object> descendants = descendants(process);
    process.destroyForcibly();
    for (Object child : descendants) {
      try {
        Class.forName("java.lang.ProcessHandle").getMethod("destroyForcibly").invoke(child);
      } catch (ReflectiveOperationException | RuntimeException e) {
        // It has just exited.
      }
    }
  }

  /** The process's number, of Java 9 and later; the driver is built for 8. */
  static String pid(Process process) throws IOException {
    try {
      return pid(handle(process));
    } catch (ReflectiveOperationException e) {
      throw new IOException("Java 9 or later is needed", e);
    }
  }

  private static String pid(Object handle) throws ReflectiveOperationException {
    return Class.forName("java.lang.ProcessHandle").getMethod("pid").invoke(handle).toString();
  }

  private static Object handle(Process process) throws ReflectiveOperationException {
    return Process.class.getMethod("toHandle").invoke(process);
  }

  private static List<Object> descendants(Process process) {
    List<Object> found = new ArrayList<>();
    try {
      Object handle = handle(process);
      Stream<?> stream = (Stream<?>) Class.forName("java.lang.ProcessHandle")
          .getMethod("descendants").invoke(handle);
      stream.forEach(found::add);
    } catch (ReflectiveOperationException e) {
      // Java 8: the process alone, then.
    }
    return found;
  }

  /** Sends SIGINT to the process and what it has started, as a terminal does. */
  static void interrupt(Process process) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(Arrays.asList("kill", "-INT", pid(process)));
    try {
      for (Object child : descendants(process)) {
        command.add(pid(child));
      }
    } catch (ReflectiveOperationException e) {
      throw new IOException(e);
    }
    // The shell's own, which is everywhere.
    new ProcessBuilder("sh", "-c", String.join(" ", command)).start().waitFor();
  }

  @Override
  public void close() {
    if (guard != null) {
      guard.close();
    }
    if (backend != null) {
      backend.close();
    }
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.delete(file);
      }
      Files.delete(folder);
    } catch (IOException e) {
      // A cache that the worker wrote there; the folder goes with the session's.
    }
  }
}
