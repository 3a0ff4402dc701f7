"""The network between drivers and the host, for tests that cut it."""

import contextlib
import socket
import struct
import threading


class Network:
    """Takes drivers' connections on 127.0.0.1 and passes them on to the host's listener on 127.0.0.2, same port: the
    host is told to listen there and to advertise 127.0.0.1."""

    def __init__(self, port):
        self.port = port
        self.up = True
        self.connections = 0  # that have been passed on so far
        self._changed = threading.Condition()
        self._pairs = set()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=50)
        threading.Thread(target=self._accept, daemon=True).start()

    settings = property(lambda self: {
        "link.host": "127.0.0.2", "link.port": str(self.port), "link.advertise": "127.0.0.1"})

    def cut(self, reset=False):
        """Ends all connections, by a reset where asked for, and turns new ones away until mend()."""
        with self._changed:
            self.up = False
            for pair in self._pairs:
                for end in pair:
                    if reset:
                        with contextlib.suppress(OSError):
                            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self._hang_up(end)

    def mend(self):
        with self._changed:
            self.up = True

    def wait_connections(self, count, seconds=60):
        """Until so many connections have been made since the start."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.connections >= count, seconds), self.connections

    def close(self):
        self.cut()
        self._hang_up(self._listener)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                driver, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                if not self.up:
                    driver.close()
                    continue
            threading.Thread(target=self._carry, args=(driver,), daemon=True).start()

    def _carry(self, driver):
        try:
            host = socket.create_connection(("127.0.0.2", self.port), timeout=20)
            host.settimeout(None)
        except OSError:
            driver.close()
            return
        pair = (driver, host)
        with self._changed:
            self._pairs.add(pair)
            self.connections += 1
            self._changed.notify_all()
        back = threading.Thread(target=self._pump, args=(host, driver), daemon=True)
        back.start()
        self._pump(driver, host)
        back.join()
        with self._changed:
            self._pairs.discard(pair)
            for end in pair:
                end.close()

    def _pump(self, source, target):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536)
                if not data:
                    break
                target.sendall(data)
        self._hang_up(source)
        self._hang_up(target)

    @staticmethod
    def _hang_up(end):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
