"""RDDs in the session that have a name."""

import math


class SharedRdd:
    """An RDD in a session, known to all its languages and clients by a name.

    >>> states = session.shared_rdd("states", {"ak": "Alaska"})
    >>> states.set("ca", "California")
    >>> states.get("ca")
    'California'

    Values come back as JSON has them: a tuple as a list, bytes as base64.
    """

    def __init__(self, session, name):
        self._session = session
        self.name = name

    @classmethod
    def names(cls, session):
        """The names in use in a session."""
        return session.json("SharedRdd.names()", "pyspark")

    def put(self, values):
        """Gives the name to values: a list of elements, or a dict of pairs."""
        self._run("SharedRdd(%s, %s)" % (literal(self.name), literal(values)))
        return self

    def get(self, key, default=None):
        """The first value under a key."""
        found = self._json(".get(%s, %s)" % (literal(key), literal(default)))
        return found

    def lookup(self, key):
        """All values under a key."""
        return self._json(".lookup(%s)" % literal(key))

    def set(self, key, value):
        """Puts one pair in place of all that have the key."""
        self._run("%s.set(%s, %s)" % (self._code, literal(key), literal(value)))

    def count(self):
        return self._json(".rdd.count()")

    def take(self, most):
        """The first elements."""
        return self._json(".rdd.take(%d)" % most)

    def save(self, path):
        """Writes it to a folder, as the session sees it, that must not exist."""
        self._run("%s.save(%s)" % (self._code, literal(path)))

    def load(self, path):
        """Gives the name to what save() has written."""
        self._run("%s.load(%s)" % (self._code, literal(path)))
        return self

    def remove(self):
        """Takes the name away."""
        self._run(self._code + ".remove()")

    @property
    def _code(self):
        return "SharedRdd(%s)" % literal(self.name)

    def _json(self, call):
        return self._session.json(self._code + call, "pyspark")

    def _run(self, code):
        self._session.run(code + "\nNone", "pyspark")

    def __repr__(self):
        return "SharedRdd(%r)" % self.name


def literal(value):
    """Python code for a simple value. TypeError for any other: it would not be that there."""
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes):
        return repr(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else "float(%r)" % str(value)
    if kind in (list, tuple, set):
        parts = [literal(part) for part in value]
        if kind is tuple:
            return "(%s,)" % ", ".join(parts) if parts else "()"
        if kind is set:
            return "{%s}" % ", ".join(parts) if parts else "set()"
        return "[%s]" % ", ".join(parts)
    if kind is dict:
        return "{%s}" % ", ".join(
            "%s: %s" % (literal(key), literal(part)) for key, part in value.items()
        )
    raise TypeError(
        "%s cannot be sent to the session: make it there, or of None, bool, int, float, str, bytes,"
        " list, tuple, set and dict" % kind.__name__
    )
