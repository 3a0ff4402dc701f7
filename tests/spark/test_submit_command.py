"""The command that skips Spark's launcher is the one that the launcher gives, word by word."""

import os
import subprocess

import pytest

from harness import build_dir

# What bash itself, and the check for a terminal, leave in the environment.
OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_", "SPARK_BEELINE_OPTS"}

SHIM = r"""#!/bin/sh
# Java for the launcher; any other program is shown instead of run.
case " $* " in *" org.apache.spark.launcher.Main "*) exec JAVA "$@" ;; esac
printf '%s\0' "$0" "$@"
printf '\n\0'
env -0
"""

CASES = {
    "plain": {},
    "memory": {"spark.driver.memory": "777m", "spark.master": "local[2]"},
    "options": {"spark.driver.extraJavaOptions": "-Da=b \"-Dc=d e\" -Df='g h' -Di=j\\ k", "spark.driver.defaultJavaOptions": "-Dz=1"},
    "paths": {"spark.driver.extraClassPath": "/tmp:/tmp/a.jar:/tmp:/nonexistent/*", "spark.driver.extraLibraryPath": "/opt/lib:/opt/lib64"},
    "client": {"spark.master": "yarn", "spark.submit.deployMode": "client", "spark.driver.memory": "2g"},
    "cluster": {"spark.master": "yarn", "spark.submit.deployMode": "cluster", "spark.driver.memory": "2g",
                "spark.driver.extraClassPath": "/tmp", "spark.driver.extraJavaOptions": "-Da=b",
                "spark.driver.extraLibraryPath": "/opt/lib"},
    "standalone": {"spark.master": "spark://h:7077", "spark.submit.deployMode": "cluster"},
    "kubernetes": {"spark.master": "k8s://https://h:6443", "spark.submit.deployMode": "cluster"},
}


@pytest.fixture(scope="session")
def java_home(tmp_path_factory):
    """A Java that runs the launcher and shows all else."""
    home = tmp_path_factory.mktemp("java")
    (home / "bin").mkdir()
    java = subprocess.run(["sh", "-c", "command -v java"], capture_output=True, text=True, check=True).stdout.strip()
    (home / "bin" / "java").write_text(SHIM.replace("JAVA", java))
    (home / "bin" / "java").chmod(0o755)
    return home


def split(output):
    words = output.split(b"\0")[:-1]
    at = words.index(b"\n")
    return words[:at], dict(word.split(b"=", 1) for word in words[at + 1:])


def compare(spark_home, java_home, tmp_path, properties, variables=None, main="Main", user="", resource="/a b.jar",
            arguments=("x", "two words", "", "--class", "$(id)")):
    file = tmp_path / "spark.properties"
    file.write_text("".join(f"{key}={value.replace(chr(92), chr(92) * 2)}\n" for key, value in properties.items()))
    env = {"PATH": os.environ["PATH"], "JAVA_HOME": str(java_home), **(variables or {})}
    own = subprocess.run([str(build_dir() / "bin" / "submit_probe"), str(spark_home), str(file), main, user, resource,
                          *arguments], env=env, capture_output=True, check=True).stdout
    command, added = split(own)
    assert command[0] == f"{java_home}/bin/java".encode(), command  # not the script
    given = [*(["--class", main] if main else []), *(["--proxy-user", user] if user else [])]
    spark = subprocess.run([f"{spark_home}/bin/spark-submit", "--properties-file", str(file), *given, resource, *arguments],
                           env={**env, "SPARK_HOME": str(spark_home)}, capture_output=True, check=True).stdout
    expected, environment = split(spark)
    assert command == expected
    environment = {name: value for name, value in environment.items() if name.decode() not in OF_THE_SHELL}
    assert {**{name.encode(): value.encode() for name, value in env.items()}, **added} == environment


@pytest.mark.parametrize("case", CASES)
def test_the_command_is_the_launchers(spark_home, java_home, tmp_path, case):
    compare(spark_home, java_home, tmp_path, CASES[case])


def test_it_is_also_for_a_script_a_proxy_user_and_other_configuration_folders(spark_home, java_home, tmp_path):
    conf = tmp_path / "conf"
    conf.mkdir()
    # The launcher must not read these: all properties are in the file.
    (conf / "spark-defaults.conf").write_text("spark.driver.memory 5g\nspark.driver.extraClassPath /tmp\n")
    (conf / "java-opts").write_text("-Dfrom=java-opts\n")
    compare(spark_home, java_home, tmp_path, {}, {"SPARK_CONF_DIR": str(conf), "HADOOP_CONF_DIR": str(conf)},
            main="", user="ann", resource="/a.py")


def test_a_spark_env_sh_is_left_to_sparks_own_scripts(spark_home, tmp_path):
    (tmp_path / "spark-env.sh").write_text("export A=b\n")
    file = tmp_path / "p"
    file.write_text("")
    env = {"PATH": os.environ["PATH"], "SPARK_CONF_DIR": str(tmp_path)}
    own = subprocess.run([str(build_dir() / "bin" / "submit_probe"), str(spark_home), str(file), "Main", "", "/a.jar"],
                         env=env, capture_output=True, check=True).stdout
    assert split(own)[0][0] == f"{spark_home}/bin/spark-submit".encode()
