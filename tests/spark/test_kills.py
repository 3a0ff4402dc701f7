"""Real Spark under a host that is killed at random: nothing that was acknowledged is lost, nothing runs twice."""

import random
import time

from conftest import serve

ANY_SPARK = True
KILLS = 20


def test_a_host_that_is_killed_again_and_again_loses_nothing(spark_home, tmp_path_factory):
    seed = random.SystemRandom().randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    kinds = {"pyspark": ("counter += 1\nprint(counter)", "{}"), "spark": ("count += 1; println(count)", "{}\n")}
    with serve(spark_home, tmp_path_factory) as server:
        session = server.session(kind="pyspark", conf={"spark.ui.enabled": "false"})
        server.run(session, "counter = 0")
        server.run(session, "var count = 0", kind="spark")
        expected = {kind: 0 for kind in kinds}
        made = []
        for _ in range(KILLS):
            for _ in range(chance.randrange(1, 4)):
                kind = chance.choice(list(kinds))
                answer = server.post(f"/sessions/{session}/statements", {"code": kinds[kind][0], "kind": kind})
                assert answer.status == 201, answer
                expected[kind] += 1
                made.append((answer.json["id"], kind, expected[kind]))
            time.sleep(chance.random() * 0.4)
            server.kill()
            server.start()
        for number, kind, count in made:
            output = server.finish(session, number, 120)["output"]
            assert output["status"] == "ok" and output["data"]["text/plain"].strip() == str(count), (seed, number, kind, count, output)
        assert server.get(f"/sessions/{session}").json["state"] == "idle"
