"""The driver's SQL interpreter, as the sql plugin opens it."""

import itertools
import json

import link_host

channels = itertools.count(100)
requests = itertools.count(5000)


class Sql:
    def __init__(self, driver, **opening):
        self.driver, self.host, self.channel = driver, driver.host, next(channels)
        self.host.send(self.channel, link_host.OPEN,
                       json.dumps({"interpreter": "sql", "maxRows": 1000, **opening}))
        self.wait(link_host.READY)

    def wait(self, type):
        return self.host.wait(lambda f: f.type == type and f.channel == self.channel, 300)

    def start(self, code, **options):
        """Sends a statement; returns its number."""
        if not options:
            return self.host.execute(self.channel, code)
        return self.host.execute(self.channel, json.dumps({"code": code, "options": options}),
                                 outcome=link_host.WITH_OPTIONS)

    def bundle(self, code, **options):
        outcome, bundle = self.host.result(self.start(code, **options))
        assert outcome == link_host.OK, bundle
        return bundle

    def raw(self, code):
        """The bundle as it was sent."""
        number = self.start(code)
        assert self.host.result(number)[0] == link_host.OK
        return self.host.wait(
            lambda f: f.type == link_host.DONE and f.statement == number).payload.decode()

    def data(self, code, **options):
        return self.bundle(code, **options)["application/json"]["data"]

    def text(self, code):
        return self.bundle(code)["hearth"]["data"]["text/plain"]

    def error(self, code, **options):
        outcome, bundle = self.host.result(self.start(code, **options))
        assert outcome == link_host.ERROR, bundle
        return bundle

    def complete(self, code, cursor=None):
        return self._ask(link_host.COMPLETE, code, cursor)["candidates"]

    def inspect(self, code, cursor=None, detail=0):
        """What is known of the name at the cursor, as text; None where nothing is."""
        answer = self._ask(link_host.INSPECT, code, cursor, detail=detail)
        assert sorted(answer) == ["data", "found"] and bool(answer["data"]) is answer["found"]
        return answer["data"].get("text/plain")

    def _ask(self, type, code, cursor, **more):
        request = next(requests)
        self.host.send(self.channel, type, json.dumps(
            {"code": code, "cursor": len(code) if cursor is None else cursor, **more}), request)
        reply = self.host.wait(
            lambda f: f.type == link_host.REPLY and f.statement == request
            and f.channel == self.channel)
        assert reply.outcome == 0, reply
        return json.loads(reply.payload)
