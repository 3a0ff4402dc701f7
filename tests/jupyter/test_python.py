def test_text(server, python):
    assert server.text(python, "1 + 1") == "2"
