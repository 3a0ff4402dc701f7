"""The clusters of these tests are real ones: Spark's own client gets its work done in them."""

import subprocess

import pytest



def submit(spark_home, env, *arguments, timeout=240):
    """spark-submit, to its end: status, stdout, stderr."""
    done = subprocess.run([str(spark_home / "bin" / "spark-submit"), *map(str, arguments)], env=env, timeout=timeout,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def pi(spark_home):
    return spark_home / "examples" / "src" / "main" / "python" / "pi.py"


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_pi_runs_in_yarn(yarn, spark_home, mode):
    tag = f"pi-{spark_home.parent.name}-{mode}"
    status, out, err = submit(spark_home, yarn.env(spark_home), "--deploy-mode", mode, "--conf", f"spark.yarn.tags={tag}",
                              pi(spark_home), 2)
    assert status == 0, err[-4000:] + yarn.tails()
    [app] = yarn.apps(applicationTags=tag)
    assert (app["state"], app["finalStatus"]) == ("FINISHED", "SUCCEEDED"), app
    if mode == "client":
        assert "Pi is roughly 3." in out, (out, err[-2000:])


def test_pi_runs_in_a_standalone_cluster(standalone, spark_home):
    status, out, err = submit(spark_home, standalone.env(), pi(spark_home), 2)
    assert status == 0, err[-4000:] + standalone.tails()
    assert "Pi is roughly 3." in out, (out, err[-2000:])
    assert ("PythonPi", "FINISHED") in [(app["name"], app["state"]) for app in standalone.state()["completedapps"]]


def test_a_file_goes_into_hdfs_and_comes_back(hdfs):
    path = f"{hdfs.url}/webhdfs/v1/folder/file.txt?user.name=root"
    assert hdfs.send(f"{path}&op=CREATE", "PUT", b"lines\n")[0] == 201
    assert hdfs.send(f"{path}&op=OPEN", "GET") == (200, b"lines\n")
