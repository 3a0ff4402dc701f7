"""A kernel that does what real kernels do seldom: the code is a list of steps, one a line, carried out in that order.

    ok [TEXT]        replies, with TEXT as result        idle            says that it is idle
    result TEXT      a result alone
    out TEXT         prints TEXT                         forged TEXT     prints TEXT, signed with another key
    show ID TEXT     a display, known as ID              change ID TEXT  changes it
    clear | clear-wait                                   input           asks for input, and prints the answer
    comm             messages about widgets              noise           frames that are no message at all
    abort            replies that it was aborted         wait            waits for an interrupt_request
    env NAME         prints a variable                   argument        prints its second argument
    orphan TEXT      prints TEXT under no request        raw JSON        replies with these bytes as content
"""

import hashlib
import hmac
import json
import os
import sys
import uuid

import zmq

DELIMITER = b"<IDS|MSG>"


class Kernel:
    def __init__(self, connection):
        self.connection = json.load(open(connection))
        assert os.stat(connection).st_mode & 0o777 == 0o600
        context = zmq.Context()
        self.sockets = {}
        for name, kind in (("shell", zmq.ROUTER), ("control", zmq.ROUTER), ("stdin", zmq.ROUTER), ("iopub", zmq.PUB), ("hb", zmq.REP)):
            self.sockets[name] = socket = context.socket(kind)
            separator = ":" if self.connection["transport"] == "tcp" else "-"
            socket.bind("%s://%s%s%d" % (self.connection["transport"], self.connection["ip"], separator, self.connection[name + "_port"]))
        self.session = uuid.uuid4().hex

    def sign(self, parts, key=None):
        return hmac.new((key or self.connection["key"]).encode(), b"".join(parts), hashlib.sha256).hexdigest().encode()

    def send(self, channel, kind, content, parent, to=(), key=None):
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self.session, "username": "k", "date": "2020-01-01T00:00:00Z", "version": "5.3"}
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        parts = [json.dumps(header).encode(), json.dumps(parent).encode(), b"{}", raw]
        self.sockets[channel].send_multipart([*to, DELIMITER, self.sign(parts, key), *parts])

    def receive(self, channel):
        frames = self.sockets[channel].recv_multipart()
        at = frames.index(DELIMITER)
        parts = frames[at + 2:at + 6]
        assert hmac.compare_digest(frames[at + 1], self.sign(parts)), "the host signs"
        return frames[:at], json.loads(parts[0]), json.loads(parts[3])

    def publish(self, kind, content, **more):
        self.send("iopub", kind, content, more.pop("parent", self.parent), **more)

    def status(self, state):
        self.publish("status", {"execution_state": state})

    def out(self, text, **more):
        self.publish("stream", {"name": "stdout", "text": text}, **more)

    def serve(self):
        poller = zmq.Poller()
        for name in ("shell", "control", "hb"):
            poller.register(self.sockets[name], zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            if self.sockets["hb"] in ready:
                self.sockets["hb"].send(self.sockets["hb"].recv())
            if self.sockets["control"] in ready:
                to, header, _ = self.receive("control")
                if header["msg_type"] == "shutdown_request":
                    return
            if self.sockets["shell"] in ready:
                self.to, self.parent, content = self.receive("shell")
                if self.parent["msg_type"] == "kernel_info_request":
                    self.status("busy")
                    self.reply("kernel_info_reply", {"status": "ok", "protocol_version": "5.3", "implementation": "scripted", "implementation_version": "1"})
                    self.status("idle")
                elif self.parent["msg_type"] == "execute_request":
                    self.asked = content
                    self.status("busy")
                    self.publish("execute_input", {"code": content["code"], "execution_count": 1})
                    for line in content["code"].splitlines():
                        word, _, rest = line.partition(" ")
                        getattr(self, "do_" + word.replace("-", "_"))(rest)

    def reply(self, kind, content):
        self.send("shell", kind, content, self.parent, self.to)

    def do_ok(self, text):
        if text:
            self.do_result(text)
        self.reply("execute_reply", {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}})

    def do_result(self, text):
        self.publish("execute_result", {"data": {"text/plain": text}, "metadata": {}, "execution_count": 1})

    def do_raw(self, text):
        self.reply("execute_reply", text.encode("latin-1"))

    def do_idle(self, _):
        self.status("idle")

    def do_out(self, text):
        self.out(text)

    def do_forged(self, text):
        self.out(text, key="another")

    def do_orphan(self, text):
        self.out(text, parent={})

    def do_show(self, rest):
        name, _, text = rest.partition(" ")
        self.publish("display_data", {"data": {"text/html": text}, "metadata": {}, "transient": {"display_id": name}})

    def do_change(self, rest):
        name, _, text = rest.partition(" ")
        self.publish("update_display_data", {"data": {"text/html": text}, "metadata": {}, "transient": {"display_id": name}})

    def do_clear(self, _):
        self.publish("clear_output", {"wait": False})

    def do_clear_wait(self, _):
        self.publish("clear_output", {"wait": True})

    def do_comm(self, _):
        for kind in ("comm_open", "comm_msg", "comm_close", "of_tomorrow"):
            self.publish(kind, {"comm_id": "1", "data": {}, "target_name": "jupyter.widget"})

    def do_noise(self, _):
        for frames in ([b"x"], [DELIMITER], [DELIMITER, b"", b"{}", b"{}", b"{}", b"{}"], [b"\xff" * 100] * 9):
            self.sockets["iopub"].send_multipart(frames)

    def do_abort(self, _):
        self.reply("execute_reply", {"status": "aborted"})

    def do_wait(self, _):
        _, header, _ = self.receive("control")
        while header["msg_type"] != "interrupt_request":
            _, header, _ = self.receive("control")

    def do_input(self, _):
        assert self.asked["allow_stdin"] is False
        self.send("stdin", "input_request", {"prompt": "name? ", "password": False}, self.parent, self.to)
        _, _, content = self.receive("stdin")
        self.out(repr(content["value"]))

    def do_env(self, name):
        self.out(os.environ.get(name, "unset"))

    def do_argument(self, _):
        self.out(sys.argv[2])


Kernel(sys.argv[1]).serve()
