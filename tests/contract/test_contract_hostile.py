"""Whatever is sent: an answer or a closed connection, bounded memory, and a server that still serves."""

import gzip
import json
import socket
import threading
import time

import pytest

from contract_wire import connect, in_parallel, send_raw, status_of

SERVER_SETTINGS = {"server.request_time": "3s", "server.idle_time": "5s", "session.limit": "200"}

MEBIBYTE = 1 << 20


@pytest.fixture(autouse=True)
def still_serves(server):
    yield
    made = server.session(kind="echo")
    assert server.text(made, "alive") == "alive"
    assert server.delete(f"/sessions/{made}").status == 200


def growth(server, work, rounds):
    """Bytes by which the server grew from after the first quarter of the rounds to the end."""
    quarter = max(1, rounds // 4)
    for _ in range(quarter):
        work()
    before = server.memory()
    for _ in range(rounds - quarter):
        work()
    return server.memory() - before


# ---- Bodies ---------------------------------------------------------------------------------------

def test_a_body_of_100_mb_is_413_and_not_taken_into_memory(server, session):
    head = (f"POST /sessions/{session}/statements HTTP/1.1\r\nHost: x\r\n"
            f"Content-Length: {100 * MEBIBYTE}\r\n\r\n").encode()
    before = server.memory()
    answer = send_raw(server, head)
    assert status_of(answer) == 413

    def push():
        with connect(server) as client:
            try:
                client.sendall(head)
                for _ in range(100):
                    client.sendall(b"x" * MEBIBYTE)
            except OSError:
                pass
            received = b""
            try:
                while chunk := client.recv(65536):
                    received += chunk
            except OSError:
                pass
            assert not received or status_of(received) == 413

    for _ in range(4):
        push()
    assert server.memory() - before < 60 * MEBIBYTE


def test_a_chunked_body_without_end_is_413(server, session):
    head = f"POST /sessions/{session}/statements HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with connect(server) as client:
        received = b""
        try:
            client.sendall(head)
            for _ in range(100):
                client.sendall(b"100000\r\n" + b"x" * MEBIBYTE + b"\r\n")
        except OSError:
            pass
        try:
            while chunk := client.recv(65536):
                received += chunk
        except OSError:
            pass
    assert not received or status_of(received) == 413


def test_a_small_body_that_unpacks_to_a_big_one_is_413(server, session):
    bomb = gzip.compress(b'{"code":"' + b"x" * (100 * MEBIBYTE) + b'"}')
    assert len(bomb) < MEBIBYTE
    before = server.memory()
    for _ in range(5):
        answer = server.post(f"/sessions/{session}/statements", bomb, headers={"Content-Encoding": "gzip"})
        assert answer.status == 413
    # What was unpacked up to the bound may stay with the allocator, once.
    assert server.memory() - before < 200 * MEBIBYTE


@pytest.mark.parametrize("body", [
    b"[" * 100_000, b'{"code":' * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 1000 + b"1" + b"}" * 1000,
    b'{"conf":' + b"[" * 100_000 + b"}",
], ids=["open arrays", "open objects", "arrays", "objects", "field"])
def test_deep_nesting_is_400_and_no_overflow(server, session, body):
    for path in ("/sessions", "/v1/sessions", f"/sessions/{session}/statements"):
        assert server.post(path, body).status == 400


@pytest.mark.parametrize("text", [
    b"\xff\xfe", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\\ud800", b"\\udc00x", b"\x01", b"\x00",
    b"\\x41", b"\\u00"], ids=repr)
def test_text_that_is_no_json_string_is_400(server, session, text):
    answer = server.post(f"/sessions/{session}/statements", b'{"code":"' + text + b'"}')
    assert answer.status == 400
    answer.json  # the answer itself is valid
    assert server.post("/sessions", b'{"kind":"' + text + b'"}').status == 400


@pytest.mark.parametrize("field", ["name", "proxyUser", "queue", "driverMemory"])
def test_a_nul_in_a_property_is_refused(server, field):
    refused = server.post("/sessions", {"kind": "echo", field: "a\0b"})
    assert refused.status == 400 and "NUL" in json.dumps(refused.json)


def test_a_nul_in_conf_or_a_file_is_refused(server):
    for fields in ({"conf": {"a\0": "b"}}, {"conf": {"a": "b\0"}}, {"jars": ["a\0"]}, {"files": ["\0"]}):
        assert server.post("/sessions", {"kind": "echo", **fields}).status == 400


def test_numbers_beyond_all_bounds_are_400(server):
    for number in ("1e999", "-0", "9" * 400, "1" + "0" * 5000, "0x10", "NaN", "Infinity", "01"):
        body = '{"kind":"echo","numExecutors":%s}' % number
        assert server.post("/sessions", body).status in (400, 201 if number == "-0" else 400)


def test_a_hundred_thousand_fields_are_400_in_reasonable_time(server, session):
    body = json.dumps({f"field{n}": n for n in range(100_000)})
    started = time.monotonic()
    assert server.post(f"/sessions/{session}/statements", body).status == 400
    assert time.monotonic() - started < 20


def test_a_conf_with_many_keys_comes_back(server):
    conf = {f"spark.key{n}": "v" * 20 for n in range(5000)}
    made = server.post("/sessions", {"kind": "echo", "conf": conf})
    assert made.status == 201 and made.json["conf"] == conf
    server.delete(made.headers["location"])


def test_a_create_request_of_megabytes_is_413(server):
    # Every view of the session would repeat it, and every list all of them.
    conf = {f"spark.key{n}": "v" * 1000 for n in range(1100)}
    for face in ("", "/v1"):
        assert server.post(f"{face}/sessions", {"kind": "echo", "conf": conf}).status == 413


def test_code_that_waits_is_bounded_by_its_size_too(server, session):
    server.post(f"/sessions/{session}/statements", {"code": "slow 600"})
    statuses = [server.post(f"/sessions/{session}/statements", {"code": "x" * 8_000_000}).status for _ in range(10)]
    assert statuses == [201] * 8 + [429] * 2
    server.post(f"/sessions/{session}/statements/0/cancel")
    server.finish(session, 8)
    assert server.post(f"/sessions/{session}/statements", {"code": "x" * 8_000_000}).status == 201


def test_a_list_of_large_results_ends_early_and_the_rest_can_be_asked_for(server, session):
    for number in range(12):
        server.run(session, str(number) + "x" * 4_000_000)
    path = f"/sessions/{session}/statements"
    before = server.memory()
    for query, first in (("", 0), ("?order=desc", 11)):
        page = server.get(path + query).json
        assert page["total_statements"] == 12
        numbers = [view["id"] for view in page["statements"]]
        assert numbers == [abs(first - n) for n in range(len(numbers))]
        assert 8 <= len(numbers) < 12
        rest = server.get(f"{path}?from={len(numbers)}").json["statements"]
        assert [view["id"] for view in rest] == list(range(len(numbers), 12))
    # One page with its text twice over; never all statements of a session.
    assert server.memory() - before < 400 * MEBIBYTE


def test_an_unknown_field_with_a_huge_name_is_not_echoed_whole(server):
    refused = server.post("/sessions", {"x" * 1_000_000: 1})
    assert refused.status == 400 and len(refused.body) < 10_000


# ---- Paths ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", [
    "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "-1", "-9223372036854775809", "+1",
    "0x0", "1e3", "9" * 1000, "00000000000000000000", "%30"])
def test_ids_of_all_sizes_are_answered_as_mistakes(server, number):
    for face in ("", "/v1"):
        for method, path in (("GET", f"/sessions/{number}"), ("GET", f"/sessions/0/statements/{number}"),
                             ("DELETE", f"/sessions/{number}"), ("POST", f"/sessions/{number}/statements"),
                             ("POST", f"/sessions/0/statements/{number}/cancel")):
            answer = server.request(method, face + path, body='{"code":"1"}' if method == "POST" else None)
            assert 200 <= answer.status < 500
            assert answer.status == 204 or answer.json


def test_an_id_with_leading_zeros_is_that_id(server, session):
    assert server.get(f"/sessions/000{session}").json["id"] == session


@pytest.mark.parametrize("path", [
    "/" + "x" * 10_000, "/sessions/" + "x" * 10_000, "/sessions/" + "9" * 10_000, "/sessions" + "/x" * 5_000,
    "/v1/sessions/" + "%C3%A9" * 1_600, "/sessions?name=" + "x" * 10_000, "/sessions?from=" + "9" * 10_000,
    "/sessions/0/statements/" + "1" * 10_000], ids=range(8))
def test_a_path_of_10000_characters_is_answered_and_not_echoed_whole(server, path):
    answer = server.get(path)
    assert 200 <= answer.status < 500 and len(answer.body) < 5_000


@pytest.mark.parametrize("path", ["/sessions/%", "/sessions/%zz", "/sessions/%4", "/sessions/%00", "/sessions/%ff",
                                  "/sessions/a%00b", "/sessions?from=%zz", "/sessions?%", "/sessions/%C0%AF",
                                  "/sessions/%ED%A0%80"])
def test_a_percent_code_that_is_none_is_400(server, path):
    answer = server.get(path)
    assert answer.status == 400
    answer.json
    assert server.get("/v1" + path).headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/sessions/../../etc/passwd", "/sessions/..%2f..%2fetc",
                                  "/sessions/%2e%2e/log", "/sessions/0/log/../../x", "/sessions/./log"])
def test_a_path_that_climbs_leads_nowhere(server, path):
    answer = server.get(path)
    assert answer.status in (400, 404) and b"root:" not in answer.body


def test_a_path_cannot_forge_a_line_of_the_servers_log(server):
    server.get("/sessions/a%0aforged%20line%0d%1b%5b31m")
    server.request("GET", "/sessions/x", headers={"X-Forwarded-For": "forged"})
    text = server.log.read_bytes()
    assert b"\nforged line" not in text and b"\x1b" not in text


# ---- Connections ------------------------------------------------------------------------------------

@pytest.mark.parametrize("garbage", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2, b"\x00" * 1000, b"\r\n" * 1000,
    b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b" GET / HTTP/1.1\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"A" * 1_000_000,
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100_000 + b"\r\n", b"GET / HTTP/1.1\r\nX: " + b"y" * 1_000_000,
    b"POST /sessions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}",
    b"POST /sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
    b"POST /sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    b"POST /sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    b"POST /sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST /sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: nonsense\r\n\r\n{}",
], ids=range(18))
def test_garbage_is_an_error_or_a_closed_connection(server, garbage):
    answer = send_raw(server, garbage)
    assert answer == b"" or 400 <= status_of(answer) < 600


def test_one_who_sends_byte_by_byte_is_cut_off_and_holds_up_nobody(server):
    slow = [connect(server) for _ in range(200)]
    for client in slow:
        client.sendall(b"POST /sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    end = time.monotonic() + 2
    while time.monotonic() < end:
        for client in slow:
            try:
                client.sendall(b" ")
            except OSError:
                pass
        assert server.get("/version").status == 200
    for client in slow:
        client.settimeout(20)
        received = b""
        try:
            while chunk := client.recv(4096):
                received += chunk
        except ConnectionError:
            pass
        client.close()
        assert not received or status_of(received) == 408


def test_clients_that_come_and_go_leave_nothing_behind(server):
    def crowd():
        for _ in range(200):
            client = connect(server)
            client.sendall(b"GET /sessions HTTP/1.1\r\nHost")
            client.close()
    assert growth(server, crowd, 12) < 40 * MEBIBYTE


def test_one_who_asks_and_never_reads_is_cut_off_and_bounded(server, session):
    server.run(session, "x" * 500_000)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    before = server.memory()
    client.settimeout(1)
    try:
        for _ in range(2000):
            client.sendall(f"GET /sessions/{session}/statements/0 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    except OSError:
        pass
    assert server.memory() - before < 60 * MEBIBYTE
    client.close()


# ---- Crowds ---------------------------------------------------------------------------------------

def test_1000_concurrent_creates_make_as_many_sessions_as_the_limit(make_server):
    with make_server({"session.limit": "200"}) as server:
        answers = in_parallel(1000, lambda _: server.post("/sessions", {"kind": "echo"}), threads=100)
        made = [answer for answer in answers if answer.status == 201]
        refused = [answer for answer in answers if answer.status == 429]
        assert len(made) == 200 and len(refused) == 800
        assert all(answer.json["msg"] and int(answer.headers["retry-after"]) > 0 for answer in refused)
        assert len({answer.json["id"] for answer in made}) == 200
        assert server.get("/sessions").json["total"] == 200
        in_parallel(200, lambda i: server.delete(made[i].headers["location"]))
        assert server.get("/sessions").json["total"] == 0
        assert server.post("/sessions", {"kind": "echo"}).status == 201


def test_sessions_and_statements_by_the_hundred_do_not_stay_in_memory(server):
    def generation():
        def one(_):
            made = server.session(kind="echo")
            for _ in range(3):
                server.run(made, "x" * 20_000)
            server.delete(f"/sessions/{made}")
        in_parallel(40, one)
    # 9 generations of 40 sessions with 3 x 40 kB would be 43 MB.
    assert growth(server, generation, 12) < 25 * MEBIBYTE


def test_results_of_one_session_do_not_pile_up_in_memory(make_server):
    with make_server({"statement.cached_bytes": "1m"}) as server:
        made = server.session(kind="echo")
        # 60 results and their codes of 300 kB each would be 36 MB.
        assert growth(server, lambda: server.run(made, "x" * 300_000), 80) < 20 * MEBIBYTE


def test_readers_writers_and_deleters_of_one_session_get_answers(server):
    made = server.session(kind="echo")
    wrong = []

    def hammer(work):
        for _ in range(40):
            try:
                answer = work()
                if answer.status >= 500:
                    wrong.append(answer)
            except OSError as error:
                wrong.append(error)

    works = [lambda: server.get(f"/sessions/{made}"), lambda: server.get(f"/v1/sessions/{made}/statements"),
             lambda: server.post(f"/sessions/{made}/statements", {"code": "slow 0.01"}),
             lambda: server.post(f"/sessions/{made}/statements/3/cancel"),
             lambda: server.post(f"/sessions/{made}/completion", {"code": "a", "cursor": 1, "kind": "echo"}),
             lambda: server.get(f"/sessions/{made}/log"), lambda: server.get("/sessions"),
             lambda: server.post(f"/sessions/{made}/interrupt")]
    threads = [threading.Thread(target=hammer, args=(work,)) for work in works * 2]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert server.delete(f"/sessions/{made}").status == 200
    for thread in threads:
        thread.join()
    assert not wrong
