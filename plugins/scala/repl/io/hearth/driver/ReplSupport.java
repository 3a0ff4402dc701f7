package io.hearth.driver;

import java.io.BufferedReader;
import java.io.File;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.Writer;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.repl.Main;
import org.apache.spark.repl.SparkILoop;
import scala.Function1;
import scala.collection.Iterable;
import scala.collection.Iterator;
import scala.collection.immutable.List$;
import scala.runtime.BoxedUnit;

/**
 * Spark's Scala REPL, the same for Scala 2.12 and 2.13: what the two declare differently is called
 * by reflection. Not thread safe: its compiler serves one call at a time.
 */
final class ReplSupport {
  enum Verdict { SUCCESS, ERROR, INCOMPLETE }

  // One request instead of the six of spark-shell saves a second of its start.
  private static final String PRELUDE =
      "@transient val spark = org.apache.spark.repl.Main.sparkSession\n"
      + "@transient val sc = org.apache.spark.repl.Main.sparkContext\n"
      + "import org.apache.spark.SparkContext._\n"
      + "import spark.implicits._\n"
      + "import spark.sql\n"
      + "import org.apache.spark.sql.functions._\n"
      + "type SharedRdd[T] = io.hearth.SharedRdd[T]\n"
      + "val SharedRdd = new io.hearth.SharedRdds\n";

  private final Object interpreter;
  private final boolean scala213 = Reflect.exists("scala.tools.nsc.interpreter.shell.ILoop");
  private Object completer;

  /**
   * Starts the compiler, which needs no Spark context.
   *
   * @param echo takes what the REPL prints
   */
  ReplSupport(Writer echo) {
    SparkILoop loop = new SparkILoop(new BufferedReader(new StringReader("")),
        new PrintWriter(echo, true));
    Object settings = settings();
    if (scala213) {
      Reflect.call(loop, "createInterpreter", settings);
      interpreter = Reflect.call(loop, "intp");
      Reflect.call(interpreter, "initializeCompiler");
    } else {
      Reflect.call(loop, "settings_$eq", settings);
      Reflect.call(loop, "createInterpreter");
      interpreter = Reflect.call(loop, "intp");
      Reflect.call(interpreter, "initializeSynchronous");
    }
    Main.interp_$eq(loop);
  }

  boolean isScala213() {
    return scala213;
  }

  /** Defines spark and sc and the usual imports, on the thread that will evaluate. */
  void bindSpark() {
    Reflect.call(interpreter, "setContextClassLoader");
    if (verdict(Reflect.call(interpreter, "quietRun", PRELUDE)) != Verdict.SUCCESS) {
      throw new IllegalStateException("the Scala interpreter does not take Spark's imports");
    }
  }

  ClassLoader classLoader() {
    return (ClassLoader) Reflect.call(interpreter, "classLoader");
  }

  /** Whether the code could be compiled as far as its syntax goes. Runs nothing. */
  Verdict parse(String code) {
    return verdict(scala213
        ? Reflect.call(interpreter, "parseString", code)
        : Reflect.call(Reflect.call(interpreter, "parse"), "apply", code));
  }

  Verdict interpret(String code) {
    return verdict(Reflect.call(interpreter, "interpret", code));
  }

  /** The value that the last request has defined. */
  Object lastValue() {
    Object request = Reflect.call(interpreter, "lastRequest");
    Object line = Reflect.call(request, "lineRep");
    return Reflect.call(line, "call", "$result", List$.MODULE$.empty());
  }

  /** How many things the last request has defined. */
  int definitions() {
    return (Integer) Reflect.call(
        Reflect.call(Reflect.call(interpreter, "lastRequest"), "handlers"), "size");
  }

  /**
   * Completion.
   *
   * @param cursor in chars
   */
  List<String> complete(String code, int cursor) {
    if (completer == null) {
      completer = scala213
          ? Reflect.create("scala.tools.nsc.interpreter.shell.ReplCompletion", interpreter,
              Reflect.create("scala.tools.nsc.interpreter.shell.Accumulator"))
          : Reflect.create("scala.tools.nsc.interpreter.PresentationCompilerCompleter",
              interpreter);
    }
    // Its verbosity counts how often the same was asked, and then shows signatures instead.
    if (!scala213) {
      Reflect.call(completer, "resetVerbosity");
    }
    Object found = Reflect.call(completer, "complete", code, cursor);
    Set<String> names = new LinkedHashSet<>();
    Iterator<?> it = ((Iterable<?>) Reflect.call(found, "candidates")).iterator();
    while (it.hasNext()) {
      Object candidate = it.next();
      String name =
          scala213 ? (String) Reflect.call(candidate, "name") : candidate.toString();
      if (!name.isEmpty()) {
        names.add(name);
      }
    }
    return new ArrayList<>(names);
  }

  /**
   * What the name at the end of the code is defined as, overloads each.
   *
   * @param start of the name, in chars
   */
  Set<String> definitionsOf(String code, int start) {
    String name = code.substring(start);
    Set<String> found = members(code, name);
    boolean member = code.substring(0, start).trim().endsWith(".");
    if (!found.isEmpty() || member || scala213) {
      return found;
    }
    // What the session has defined is no scope member for 2.12, but it is one of its object.
    Object path = Reflect.call(interpreter, "originalPath", name);
    return path.equals(name) ? found : members((String) path, name);
  }

  private Set<String> members(String code, String name) {
    // A name that there is not makes 2.12 look at all that may stand there.
    Object compiled = scala213
        ? Reflect.call(interpreter, "presentationCompile", code.length(), code)
        : Reflect.call(interpreter, "presentationCompile", code + "__");
    Set<String> own = new LinkedHashSet<>();
    Set<String> implicit = new LinkedHashSet<>();
    if (!(Boolean) Reflect.call(compiled, "isRight")) {
      return own;
    }
    Object result = Reflect.call(compiled, "value");
    try {
      Object found = Reflect.call(result, "completionsAt", code.length());
      Iterator<?> it = ((Iterable<?>) Reflect.call(found, "results")).iterator();
      while (it.hasNext()) {
        Object member = it.next();
        Object symbol = Reflect.call(member, "sym");
        if (Reflect.call(symbol, "name").toString().trim().equals(name)) {
          String text =
              (String) Reflect.call(symbol, "defStringSeenAs", Reflect.call(member, "tpe"));
          ((Boolean) Reflect.call(member, "implicitlyAdded") ? implicit : own)
              .add(text.replaceFirst("^((private\\[this\\]|final|override) )+", ""));
        }
      }
    } finally {
      Reflect.call(result, "cleanup");
    }
    return own.isEmpty() ? implicit : own;
  }

  private Object settings() {
    List<String> arguments = new ArrayList<>();
    arguments.add("-usejavacp");
    arguments.add("-Yrepl-class-based");
    arguments.add("-Yrepl-outdir");
    arguments.add(Main.outputDir().getAbsolutePath());
    arguments.add("-classpath");
    arguments.add(userClassPath());
    // Summaries such as "warning: 1 deprecation (since ...)" would end up in results.
    arguments.add("-Wconf:cat=deprecation:s,cat=feature:s"
        + (scala213 ? ",cat=other-implicit-type:s" : ""));
    Object list = List$.MODULE$.empty();
    for (int i = arguments.size() - 1; i >= 0; i--) {
      list = Reflect.call(list, "$colon$colon", arguments.get(i));
    }
    List<String> complaints = new ArrayList<>();
    Function1<String, BoxedUnit> complain = text -> {
      complaints.add(text);
      return BoxedUnit.UNIT;
    };
    Object settings = Reflect.create("scala.tools.nsc.GenericRunnerSettings", complain);
    // Else the REPL would load the session's jars, and this one, a second time.
    Reflect.call(settings, "embeddedDefaults", Thread.currentThread().getContextClassLoader());
    Reflect.call(settings, "processArguments", list, true);
    if (!complaints.isEmpty()) {
      throw new IllegalStateException("the Scala compiler does not take its options: "
          + String.join("; ", complaints));
    }
    return settings;
  }

  // The session's jars, which spark-submit puts into a class loader of their own in client mode.
  private static String userClassPath() {
    Set<String> paths = new LinkedHashSet<>();
    for (String jar : Main.conf().get("spark.repl.local.jars", "").split(",")) {
      addPath(paths, jar);
    }
    ClassLoader system = ClassLoader.getSystemClassLoader();
    for (ClassLoader loader = Thread.currentThread().getContextClassLoader();
        loader != null && loader != system; loader = loader.getParent()) {
      if (loader instanceof URLClassLoader) {
        for (URL url : ((URLClassLoader) loader).getURLs()) {
          addPath(paths, url.toString());
        }
      }
    }
    return String.join(File.pathSeparator, paths);
  }

  private static void addPath(Set<String> paths, String jar) {
    String path = jar.trim();
    if (path.startsWith("file:")) {
      path = new File(URI.create(path).getPath()).getPath();
    }
    if (path.startsWith("/")) {
      paths.add(path);
    }
  }

  private static Verdict verdict(Object result) {
    String name = result.toString();
    if (name.startsWith("Success")) {
      return Verdict.SUCCESS;
    }
    return name.startsWith("Incomplete") ? Verdict.INCOMPLETE : Verdict.ERROR;
  }
}
