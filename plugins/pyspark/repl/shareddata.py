"""SharedRdd: RDDs that all languages of the session know by a name.

The names are kept in the driver's JVM (io.hearth.driver.SharedData), so that they outlive this
process. What goes from here to there is pickled: an RDD as Spark holds it anyway, a pair that is
set as a tuple of two.
"""

import pickle
import re

PROTOCOL = 4  # what the JVM's reader knows

_TOLD = re.compile(r"io\.hearth\.driver\.NotPortable: ([^\n]*)")
_UNKNOWN = re.compile(r"(there is no shared RDD named [^\n]*)")


def make(context):
    """The class SharedRdd of a Spark context."""

    def call(name, *arguments):
        try:
            return getattr(context._jvm.io.hearth.driver.SharedData, name)(*arguments)
        except Exception as error:
            raise _plain(error) from None

    def dumps(value):
        return bytearray(pickle.dumps(value, PROTOCOL))

    def pickled(rdd):
        """The JVM's RDD of pickled lists."""
        from pyspark.serializers import AutoBatchedSerializer, BatchedSerializer, CPickleSerializer

        form = rdd._jrdd_deserializer
        # As it is, where it can be, since this is the one that the user has cached.
        if type(form) in (BatchedSerializer, AutoBatchedSerializer) and isinstance(
            form.serializer, CPickleSerializer
        ):
            return rdd._jrdd
        return rdd._reserialize(AutoBatchedSerializer(CPickleSerializer()))._jrdd

    class SharedRdd:
        """An RDD that all languages of the session know by a name.

        SharedRdd("states", rdd) names an RDD, or the elements of a list, or the pairs of a dict;
        SharedRdd("states") is what has that name, from Python or from Scala. For RDDs of pairs:

        >>> srdd = SharedRdd("states", sc.parallelize([("ak", "Alaska")]))
        >>> srdd.set("ca", "California")
        >>> srdd.get("ca")
        'California'

        Scala reads None, bool, int, float, str, bytes, list, tuple, dict, set, Decimal, date and
        datetime; an element of any other class is for Python alone.
        """

        def __init__(self, name, rdd=None):
            if not isinstance(name, str):
                raise TypeError("the name of a SharedRdd is a str, not %s" % type(name).__name__)
            self.name = name
            if rdd is not None:
                self._put(rdd)

        def _put(self, rdd):
            from pyspark import RDD

            if isinstance(rdd, dict):
                rdd = context.parallelize(list(rdd.items()))
            elif isinstance(rdd, (list, tuple, set, range)):
                rdd = context.parallelize(list(rdd))
            elif not isinstance(rdd, RDD):
                hint = ""
                if hasattr(rdd, "createOrReplaceTempView"):
                    hint = "; a DataFrame is shared by its createOrReplaceTempView(name)"
                raise TypeError("a SharedRdd wants an RDD, not %s%s" % (type(rdd).__name__, hint))
            call("putPickled", self.name, pickled(rdd))

        @property
        def rdd(self):
            """The RDD, with the pairs that were set in place of those that had their keys."""
            from pyspark import RDD
            from pyspark.serializers import AutoBatchedSerializer, CPickleSerializer

            serializer = AutoBatchedSerializer(CPickleSerializer())
            base = RDD(call("pickled", self.name), context, serializer)
            pairs = [pickle.loads(pair) for pair in pickle.loads(call("pickledPairs", self.name))]
            if not pairs:
                return base
            keys = {key for key, _ in pairs}

            def replaced(element):
                try:
                    return len(element) == 2 and element[0] in keys
                except (TypeError, KeyError, IndexError):
                    return False

            kept = base.filter(lambda element: not replaced(element))
            return kept.union(context.parallelize(pairs, 1))

        def get(self, key, default=None):
            """The first value under a key."""
            found = self._values(key, 1)
            return found[0] if found else default

        def lookup(self, key):
            """All values under a key, as a list."""
            return self._values(key, None)

        def _values(self, key, most):
            pair = call("pickledPair", self.name, dumps(key))
            if pair is not None:
                return [pickle.loads(pair)[1]]

            def has_key(element):
                try:
                    return len(element) == 2 and element[0] == key
                except (TypeError, KeyError, IndexError):
                    return False

            found = self.rdd.filter(has_key).map(lambda element: element[1])
            try:
                return found.collect() if most is None else found.take(most)
            except Exception as error:
                raise _plain(error) from None

        def set(self, key, value):
            """Puts one pair in place of all that have the key. Starts no job."""
            hash(key)
            # Classes of the session are pickled by value.
            call("setPickled", self.name, dumps(key), bytearray(_cloudpickle((key, value))))

        def save(self, path):
            """Writes it to a folder that must not exist, in a form that Scala's load() reads."""
            try:
                pickled(self.rdd).saveAsObjectFile(path)
            except Exception as error:
                raise _plain(error) from None

        def load(self, path):
            """Gives the name to what save() has written."""
            call("load", self.name, path)
            return self

        def remove(self):
            """Forgets the name."""
            call("remove", self.name)

        @staticmethod
        def names():
            """The names in use."""
            return list(call("names"))

        def __repr__(self):
            return "SharedRdd(%r)" % self.name

        def __reduce__(self):
            raise TypeError("a SharedRdd is not there on executors: use its rdd")

    SharedRdd.__module__ = "hearth"
    SharedRdd.__qualname__ = "SharedRdd"
    return SharedRdd


def _cloudpickle(value):
    from pyspark import cloudpickle

    return cloudpickle.dumps(value, PROTOCOL)


def _plain(error):
    """What the JVM has said, without what py4j and Spark put around it."""
    text = str(error)
    java = getattr(error, "java_exception", None)
    if java is not None:
        text = "%s\n%s" % (text, java.toString())
    for pattern, kind in ((_TOLD, TypeError), (_UNKNOWN, NameError)):
        told = pattern.search(text)
        if told:
            return kind(told.group(1))
    return error
