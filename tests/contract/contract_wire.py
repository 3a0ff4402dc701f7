"""What http.client does not do: requests that are no HTTP, clients by the thousand, clients that hang up."""

import concurrent.futures
import json
import selectors
import socket
import time


def connect(server, timeout=30):
    return socket.create_connection(("127.0.0.1", server.port), timeout=timeout)


def send_raw(server, data, timeout=30):
    """Sends bytes and returns all that comes back until the server closes; "" also where it resets."""
    with connect(server, timeout) as client:
        received = b""
        try:
            client.sendall(data)
        except OSError:
            pass
        try:
            while chunk := client.recv(65536):
                received += chunk
        except ConnectionError:
            pass
        return received


def hold(server, path, count, headers=""):
    """Opens `count` connections that each GET `path`; does not read."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode()
    clients = []
    for _ in range(count):
        client = connect(server)
        client.sendall(request)
        clients.append(client)
    return clients


def read_all(clients, seconds=60):
    """The status and bytes of the one answer that each of `clients` gets; closes them."""
    chooser = selectors.DefaultSelector()
    received = {}
    for client in clients:
        client.setblocking(False)
        chooser.register(client, selectors.EVENT_READ)
        received[client] = b""
    end = time.monotonic() + seconds
    open_clients = len(clients)
    while open_clients and time.monotonic() < end:
        for key, _ in chooser.select(1):
            client = key.fileobj
            try:
                chunk = client.recv(65536)
            except ConnectionError:
                chunk = b""
            received[client] += chunk
            head, separator, body = received[client].partition(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                           if line.lower().startswith(b"content-length:")), 0)
            if not chunk or (separator and len(body) >= length):
                chooser.unregister(client)
                client.close()
                open_clients -= 1
    for client in clients:
        client.close()
    return list(received.values())


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


def in_parallel(count, work, threads=16):
    """[work(0), .., work(count - 1)], on several threads."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(count)))


def events(server, path, headers=None, until=None):
    """Reads an event stream to its end, or until `until(event)`; returns [(id, name, data)]."""
    with server.stream(path, headers) as answer:
        assert answer.status == 200, answer.read()
        assert answer.getheader("Content-Type").startswith("text/event-stream")
        fields, seen = {}, []
        for line in answer:
            line = line.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = fields[name] + "\n" + value if name == "data" and name in fields else value
                continue
            if "event" in fields:
                seen.append((fields["id"], fields["event"], json.loads(fields["data"])))
                if until and until(seen[-1]):
                    return seen
            fields = {}
        return seen
