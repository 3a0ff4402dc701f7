"""Applications for batches, compiled with the Spark that they run on."""

import pathlib
import subprocess

SOURCES = pathlib.Path(__file__).resolve().parent / "batches"


def build(spark_home, folder):
    """applications.jar with SparkPi (Scala), Words and Hello (Java); returns its path."""
    classes = folder / "classes"
    classes.mkdir(parents=True)
    jars = f"{spark_home}/jars/*"
    commands = [
        # Scala by the compiler that Spark's own shell has.
        ["java", "-XX:TieredStopAtLevel=1", "-cp", jars, "scala.tools.nsc.Main", "-usejavacp",
         "-d", str(classes), str(SOURCES / "SparkPi.scala")],
        ["javac", "--release", "8", "-Xlint:-options", "-cp", jars, "-d", str(classes),
         str(SOURCES / "Words.java"), str(SOURCES / "Hello.java")],
    ]
    for process in [subprocess.Popen(command) for command in commands]:
        assert process.wait(300) == 0
    jar = folder / "applications.jar"
    subprocess.run(["jar", "--create", "--file", str(jar), "-C", str(classes), "."], check=True)
    return jar
