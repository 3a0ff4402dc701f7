"""Joins the SparkContext of the driver's JVM through the py4j gateway that the environment names.
"""

import os
import sys
import warnings

from . import shareddata


def attach(channel):
    """Returns (globals for the user, Attachment), or ({}, None) where there is no gateway. Main
    thread.
    """
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return {}, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names, attachment = _attach(channel)
    # sparkmagic reads the printed rows of toJSON(), and nothing else, as the answer of its %%sql.
    warnings.filterwarnings("ignore", message="The return type of DataFrame.toJSON")
    return names, attachment


def sql(query):
    """The bundle that the kind sql answers a query with, as JSON text in UTF-8."""
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    if context is None:
        raise RuntimeError("%sql needs the session's Spark context, and that is stopped")
    return bytes(context._jvm.io.hearth.driver.SqlMagic.run(query))


def _attach(channel):
    from pyspark import SparkConf, SparkContext, cloudpickle
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession, SQLContext

    gateway = launch_gateway()
    # Child processes have no business with this gateway.
    os.environ.pop("PYSPARK_GATEWAY_SECRET", None)
    os.environ.pop("PYSPARK_GATEWAY_PORT", None)
    _tame_py4j()
    jvm = gateway.jvm
    jsession = jvm.org.apache.spark.repl.Main.sparkSession()
    jcontext = jvm.org.apache.spark.api.java.JavaSparkContext.fromSparkContext(
        jsession.sparkContext()
    )
    conf = SparkConf(_jvm=jvm, _jconf=jcontext.getConf())
    _choose_python(conf)
    context = SparkContext(gateway=gateway, jsc=jcontext, conf=conf)
    session = SparkSession(context, jsession)
    names = {
        "sc": context,
        "spark": session,
        "sqlContext": SQLContext._get_or_create(context),
        "cloudpickle": cloudpickle,
        "SharedRdd": shareddata.make(context),
    }
    try:
        from pyspark.sql import HiveContext

        names["HiveContext"] = HiveContext
    except ImportError:
        pass
    try:
        from pyspark.streaming import StreamingContext

        names["StreamingContext"] = StreamingContext
    except ImportError:
        pass
    return names, Attachment(gateway, context, channel)


def _choose_python(conf):
    """Says which Python the executors run, as spark-submit does for an application in Python."""
    executors = conf.get("spark.pyspark.python", None)
    if executors:
        os.environ["PYSPARK_PYTHON"] = executors
    elif conf.get("spark.master", "").startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)


def _tame_py4j():
    """Changes what py4j does when an interrupt ends a call."""
    import py4j.clientserver
    import py4j.java_gateway

    # It reports that through the root logger, which would print it and set up the user's logging.
    py4j.java_gateway.logging = _Py4jLogging()

    # Newer versions shut all of the process's connections down then, also from the JVM's side, and
    # that can hit the connection that is opened next. Only the one whose call was interrupted is
    # of no more use.
    def close_own(self, *_ports):
        if self.java_client.get_thread_connection() is self:
            self.close()
        else:
            self.java_client.deque.appendleft(self)  # where its caller has just taken it from

    if hasattr(py4j.clientserver.ClientServerConnection, "shutdown_socket"):
        py4j.clientserver.ClientServerConnection.shutdown_socket = close_own


class _Py4jLogging:
    """The logging module as py4j.java_gateway sees it: its own logger where it used the root one.
    """

    def __getattr__(self, name):
        import logging

        if name in ("exception", "info"):
            return getattr(logging.getLogger("py4j.java_gateway"), name)
        return getattr(logging, name)


class Attachment:
    """The main thread's place in the JVM: what its jobs are known by, and how they are left behind.

    The JVM keeps local properties per thread, and py4j a JVM thread per connection. An interrupt
    inside a call makes py4j drop the connection: the next call gets a new thread, and the old one
    goes on with what it was asked for.
    """

    def __init__(self, gateway, context, channel):
        self._gateway = gateway
        self._context = context
        self._channel = str(channel)
        self._name = "hearth-channel-%s-%d" % (channel, os.getpid())
        self._tag = self._name
        self._marked = 0
        self._connection = None
        self._thread = None
        self.mark()

    def mark(self):
        """Marks the main thread's JVM thread, unless it is still the one that was marked; that
        costs no call.
        """
        if self._connection is not None and self._connection is self._current():
            return
        context = self._context._jsc.sc()
        self._marked += 1
        context.setLocalProperty("hearth.channel", self._channel)
        context.setLocalProperty("hearth.lane", self._lane())
        context.setLocalProperty("spark.job.interruptOnCancel", "true")
        try:
            context.addJobTag(self._tag)
        except Exception:
            self._tag = None  # before Spark 3.5
        self._thread = self._gateway.jvm.java.lang.Thread.currentThread()
        self._connection = self._current()

    def settle(self):
        """After an interrupt: ends what a call that was left behind still does in the JVM, then
        marks anew.
        """
        left = self._thread
        if self._connection is None or self._connection is self._current() or left is None:
            return
        self._thread = None
        self._forsake()
        self._cancel_jobs()
        left.join(2000)
        if left.isAlive():
            # Between jobs, or outside any: wake it, and once more cancel what it may have begun.
            left.interrupt()
            left.join(2000)
            self._cancel_jobs()
        self.mark()

    def _lane(self):
        return "%s-%d" % (self._name, self._marked)

    def _forsake(self):
        """Has the driver end what jobs the thread that is left behind is yet to start."""
        try:
            self._gateway.jvm.io.hearth.driver.LeftBehind.addLane(self._lane())
        except TypeError:
            pass  # a JVM that is not the driver's

    def _cancel_jobs(self):
        if self._tag is not None:
            self._context._jsc.sc().cancelJobsWithTag(self._tag)

    def _current(self):
        find = getattr(self._gateway._gateway_client, "get_thread_connection", None)
        connection = find() if find is not None else None
        return None if connection is None or connection.socket is None else connection
