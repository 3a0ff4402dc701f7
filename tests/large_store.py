"""A store with very much in it, made by SQL in place of months of use."""

import sqlite3
import time

REQUEST = ('{"kind":"pyspark","proxyUser":null,"jars":["hdfs:///libraries/common.jar"],"driverMemory":"4g",'
           '"numExecutors":8,"executorMemory":"8g","conf":{"spark.sql.shuffle.partitions":"400","spark.app.name":"etl"}}')
INFO = '{"appId":"application_1700000000000_0001","appInfo":{"sparkUiUrl":"http://resourcemanager:8088/proxy/application_1"}}'
CODE = "df = spark.read.table('sales').groupBy('region').agg({'amount': 'sum'}); df.show()"
BUNDLE = '{"text/plain":"DataFrame[region: string, amount: double] ' + 'x' * 150 + '"}'


def fill(data, sessions, statements, batches=0, ended=None):
    """Adds ended sessions from 0 on, every tenth of them deleted, and batches to the store of a server that is stopped. A
    tenth of the statements is the last session's, the rest is spread evenly. Returns how many the last one has."""
    ended = int(time.time() * 1000) if ended is None else ended
    database = sqlite3.connect(data / "hearth.db")
    deep = statements // 10
    many = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1) "
    with database:
        database.execute(
            many + "INSERT INTO sessions (id, name, owner, proxy_user, kind, state, reason, request, info, recovery, folder,"
            " created, state_since, ended, deleted) SELECT i, 'job-' || i, 'ann', '', 'pyspark', 'dead', 'idle for 1h', ?, ?,"
            " '', ? || i, ?3, ?3, ?3, i % 10 = 0 FROM n".replace("?3", str(ended)),
            (sessions, REQUEST, INFO, str(data / "sessions") + "/"))
        database.execute(
            many + "INSERT INTO statements (session, id, kind, code, state, outcome, bundle, out, err, progress, submitted,"
            " started, completed) SELECT CASE WHEN i < ? THEN ? ELSE i % ? END, CASE WHEN i < ? THEN i ELSE i / ? END,"
            " 'pyspark', ?, 'available', 'ok', ?, '', '', 1, 1, 1, 1 FROM n",
            (statements, deep, sessions - 1, sessions - 1, deep, sessions - 1, CODE, BUNDLE))
        if batches:
            database.execute(
                many + "INSERT INTO batches (id, name, owner, proxy_user, state, reason, request, info, tag, folder,"
                " idempotency_key, request_digest, ending, created, submitted, state_since, ended, deleted)"
                " SELECT i, '', 'ann', '', 'success', '', '{\"file\":\"/jobs/a.py\"}', ?, 'tag', ? || i, '', '', '',"
                " 1, 1, 1, ?, 0 FROM n", (batches, INFO, str(data / "batches") + "/", ended))
        database.execute("UPDATE counters SET value = ? WHERE name = 'session'", (sessions,))
        database.execute("UPDATE counters SET value = ? WHERE name = 'batch'", (batches,))
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return deep


def ask_both_ends(server, sessions, deep, times):
    """Lists of sessions, batches and statements, from the first and from the last; returns the longest each took, in
    seconds by the client's clock."""
    slowest = {}
    last = sessions - 1
    paths = [
        "/sessions", f"/sessions?from={sessions * 9 // 10 - 101}", f"/sessions?from={sessions // 2}&size=1000",
        "/v1/sessions", f"/v1/sessions?from={sessions - 100}&deleted=true",
        "/batches", f"/batches?from={sessions - 100}", "/v1/batches",
        f"/sessions/{last}/statements?size=100", f"/sessions/{last}/statements?from={deep - 100}",
        f"/sessions/{last}/statements?order=desc&size=100", f"/sessions/{last}/statements?order=desc&from={deep - 100}",
        f"/v1/sessions/{last}/statements?from={deep // 2}", f"/sessions/{last}/statements/{deep - 1}",
        f"/sessions/{last // 2}/statements", f"/sessions/job-{last - 3}"]
    for _ in range(times):
        for path in paths:
            begin = time.monotonic()
            with server.stream(path) as answer:
                answer.read()
            slowest[path] = max(slowest.get(path, 0), time.monotonic() - begin)
            assert answer.status == 200, (path, answer.status)
    return slowest
