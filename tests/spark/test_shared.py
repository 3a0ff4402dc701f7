"""Named RDDs that the languages of a session share."""

import pytest


def json_of(server, session, code, kind):
    return server.output(session, code, kind)["application/json"]


@pytest.fixture(scope="module")
def session(server):
    """A session with Scala, in which Python joins; RDDs named in both."""
    made = server.session(kind="spark", conf={"spark.ui.enabled": "false", "spark.master": "local[2]"})
    server.output(made, 'srdd = SharedRdd("states", sc.parallelize([("ak", "Alaska"), ("ca", "Kalifornia")]))', "pyspark")
    server.output(made, 'val cities = SharedRdd("cities", sc.parallelize(Seq(1 -> "Juneau", 2 -> "Anchorage")))', "spark")
    yield made
    server.delete(f"/sessions/{made}")


def test_an_rdd_named_in_python_is_read_in_scala(server, session):
    assert json_of(server, session, '%json srdd.get("ak")', "pyspark") == "Alaska"
    server.output(session, 'val srdd = SharedRdd("states")', "spark")
    assert json_of(server, session, '%json srdd.get("ak")', "spark") == "Alaska"
    assert json_of(server, session, '%json srdd.rdd.collect', "spark") == [
        {"_1": "ak", "_2": "Alaska"}, {"_1": "ca", "_2": "Kalifornia"}]
    assert server.text(session, 'srdd.as(classOf[(String, String)]).rdd.map(_._2.length).collect.sum', "spark").endswith("Int = 16\n")


def test_an_rdd_named_in_scala_is_read_in_python(server, session):
    assert json_of(server, session, '%json SharedRdd("cities").get(2)', "pyspark") == "Anchorage"
    assert json_of(server, session, '%json SharedRdd("cities").rdd', "pyspark") == [[1, "Juneau"], [2, "Anchorage"]]
    assert json_of(server, session, "%json SharedRdd.names()", "pyspark") == ["cities", "states"]
    assert json_of(server, session, "%json SharedRdd.names", "spark") == ["cities", "states"]


def test_what_one_language_sets_the_other_gets(server, session):
    server.output(session, 'SharedRdd("pairs", sc.parallelize([("a", 1), ("b", 2), ("b", 3)]))', "pyspark")
    assert json_of(server, session, '%json SharedRdd("pairs").lookup("b")', "spark") == [2, 3]
    server.output(session, 'val pairs = SharedRdd("pairs")\npairs.set("b", 20L); pairs.set("new", Map("x" -> Seq(1, 2)))', "spark")
    server.output(session, 'pairs = SharedRdd("pairs")\npairs.set("c", (4, None))', "pyspark")
    assert json_of(server, session, '%json [pairs.get("a"), pairs.lookup("b"), pairs.get("new"), pairs.get("c"), pairs.get("no", "none")]',
                   "pyspark") == [1, [20], {"x": [1, 2]}, [4, None], "none"]
    assert json_of(server, session, '%json sorted(pairs.rdd.keys().collect())', "pyspark") == ["a", "b", "c", "new"]
    assert json_of(server, session, '%json List(pairs.get("a"), pairs.get("b"), pairs.get("c"), pairs.get("no"), pairs.rdd.count)',
                   "spark") == [1, 20, {"_1": 4, "_2": None}, None, 4]


def test_a_python_int_set_into_an_rdd_of_scala_ints_is_one(server, session):
    server.output(session, 'SharedRdd("cities").set(2, "Sitka"); SharedRdd("cities").set(3, "Nome")', "pyspark")
    assert server.text(session, "cities.rdd.map(_._1 + 1).sum", "spark").endswith("Double = 9.0\n")
    assert json_of(server, session, "%json cities.get(2)", "spark") == "Sitka"


VALUES = """[None, True, 7, -2**40, 2**70, 1.5, "\\u00e9\\U0001F600", b"\\x00\\xff", [1, [2]], (1, "a"), {"k": {"l": 1}}]"""


def test_simple_values_survive_the_way_to_scala_and_back(server, session):
    server.output(session, f'values = {VALUES}\nSharedRdd("values", sc.parallelize(list(enumerate(values)), 3))', "pyspark")
    classes = json_of(server, session, '%json SharedRdd("values").rdd.collect.map { case (_, v) => if (v == null) "null" else v.getClass.getSimpleName.stripSuffix("$") }', "spark")
    assert classes == ["null", "Boolean", "Long", "Long", "BigInt", "Double", "String", "byte[]", "$colon$colon", "Tuple2", "Map1"]
    server.output(session, 'SharedRdd("back", SharedRdd("values").rdd.map(identity[Any](_)))', "spark")
    assert server.text(session, '[v for _, v in SharedRdd("back").rdd.collect()] == values', "pyspark") == "True"
    assert server.text(session, '[type(v) for _, v in SharedRdd("back").rdd.collect()] == list(map(type, values))', "pyspark") == "True"


def test_an_element_that_scala_cannot_read_is_refused_by_name(server, session):
    server.output(session, 'class Mine: pass\nSharedRdd("mine", sc.parallelize([("a", Mine())]))', "pyspark")
    assert server.text(session, 'type(SharedRdd("mine").get("a")).__name__', "pyspark") == "'Mine'", "its own language can"
    output = server.run(session, 'SharedRdd("mine").get("a")', "spark")["output"]
    assert output["status"] == "error" and output["evalue"].startswith("io.hearth.driver.NotPortable: an object of Python's own cannot be read in Scala"), output
    server.output(session, 'class Engine { }\nSharedRdd("engines", sc.parallelize(Seq(1, 2)).map(i => (i, sc)))'.replace("sc))", "new Object))"), "spark")
    output = server.run(session, 'SharedRdd("engines").get(1)', "pyspark")["output"]
    assert output["ename"] == "TypeError" and "java.lang.Object" in output["evalue"], output
    server.output(session, 'SharedRdd("mine").remove(); SharedRdd("engines").remove()', "pyspark")


def test_a_name_that_is_not_there_is_an_error_that_says_what_is(server, session):
    output = server.run(session, 'SharedRdd("nosuch").get("a")', "pyspark")["output"]
    assert output["ename"] == "NameError" and "'nosuch'" in output["evalue"] and "states" in output["evalue"]
    output = server.run(session, 'SharedRdd("nosuch").rdd', "spark")["output"]
    assert output["status"] == "error" and "'nosuch'" in output["evalue"] and "states" in output["evalue"]
    output = server.run(session, 'SharedRdd("frame", spark.range(3))', "pyspark")["output"]
    assert output["ename"] == "TypeError" and "createOrReplaceTempView" in output["evalue"]


def test_what_one_language_saves_the_other_loads(server, session, tmp_path):
    server.output(session, f'srdd.set("ak", "Alaska!")\nsrdd.save("file:{tmp_path}/python")', "pyspark")
    server.output(session, f'SharedRdd("loaded").load("file:{tmp_path}/python")\ncities.save("file:{tmp_path}/scala")', "spark")
    assert json_of(server, session, '%json SharedRdd("loaded").get("ak")', "spark") == "Alaska!"
    assert json_of(server, session, f'%json SharedRdd("also").load("file:{tmp_path}/scala").get(1)', "pyspark") == "Juneau"
    output = server.run(session, f'srdd.save("file:{tmp_path}/python")', "pyspark")["output"]
    assert output["status"] == "error" and "already exists" in output["evalue"], "nothing is overwritten"


def shared_items(server, session):
    answer = server.get(f"/v1/sessions/{session}/shared")
    assert answer.status == 200, answer
    return {(item["type"], item["name"]): item for item in answer.json["items"]}


def test_the_listing_shows_named_and_cached_rdds_views_and_tables(server, session):
    server.output(session, 'numbers = sc.parallelize(range(1000), 2).cache()\nSharedRdd("numbers", numbers)\nnumbers.sum()', "pyspark")
    server.output(session, 'val big = sc.parallelize(1 to 100, 3).setName("big").persist(org.apache.spark.storage.StorageLevel.DISK_ONLY)\nbig.count', "spark")
    server.output(session, 'spark.range(50).createOrReplaceTempView("fifty")\nspark.catalog.cacheTable("fifty"); spark.table("fifty").count\n'
                           'spark.range(3).createOrReplaceGlobalTempView("everywhere")\nspark.range(2).write.saveAsTable("kept_table")', "spark")
    items = shared_items(server, session)
    assert items["rdd", "states"]["shared"] and items["rdd", "states"]["language"] == "python"
    assert items["rdd", "states"]["storageLevel"] is None and items["rdd", "states"]["memoryBytes"] == 0
    assert items["rdd", "cities"]["language"] == "scala"
    numbers = items["rdd", "numbers"]
    assert (numbers["partitions"], numbers["cachedPartitions"], numbers["shared"]) == (2, 2, True)
    assert numbers["memoryBytes"] > 1000 and numbers["storageLevel"].startswith("Memory")
    big = items["rdd", "big"]
    assert not big["shared"] and big["partitions"] == 3 and big["diskBytes"] > 100 and big["storageLevel"].startswith("Disk")
    fifty = items["view", "fifty"]
    assert fifty["cachedPartitions"] > 0 and fifty["memoryBytes"] > 0 and fifty["storageLevel"]
    assert items["view", "everywhere"]["database"] == "global_temp"
    assert items["table", "kept_table"]["tableType"] == "MANAGED"


def test_the_listing_does_not_wait_for_a_running_statement(server, session):
    made = server.post(f"/sessions/{session}/statements", {"code": "print('begun')\nwhile True: pass", "kind": "pyspark"}).json["id"]
    path = f"/v1/sessions/{session}/statements/{made}"
    server.until("it runs", lambda: "begun" in server.get(path).json["stdout"], 60)
    assert ("rdd", "states") in shared_items(server, session)
    assert server.get(path).json["state"] == "running"
    server.post(f"/sessions/{session}/statements/{made}/cancel")
    server.finish(session, made)


def test_named_rdds_outlive_the_python_that_named_them(server, session):
    died = server.run(session, "import os; os._exit(3)", "pyspark")["output"]
    assert died["status"] == "error"
    assert json_of(server, session, '%json SharedRdd("states").lookup("ca")', "pyspark") == ["Kalifornia"]
    assert json_of(server, session, '%json SharedRdd("states").get("ak")', "spark").startswith("Alaska")
