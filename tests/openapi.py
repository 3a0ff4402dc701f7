"""Holds answers of a server against docs/openapi.json."""

import functools
import json
import pathlib
import re

import jsonschema

DOCUMENT = json.loads((pathlib.Path(__file__).resolve().parent.parent / "docs" / "openapi.json").read_text())
LARGE = 64 * 1024  # validation of a list of thousands takes seconds and finds nothing new


def _pattern(path):
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part)
                              for part in re.split(r"(\{[^}]*\})", path)) + "/?$")


PATHS = sorted(((_pattern(path), path) for path in DOCUMENT["paths"]), key=lambda item: item[1].count("{"))


@functools.lru_cache(maxsize=None)
def _validator(path, method, status):
    """(media types, validator) of an answer; None where the document has no such operation."""
    operation = DOCUMENT["paths"][path].get(method)
    if operation is None:
        return None
    answer = operation["responses"].get(str(status))
    if answer is None:
        assert status >= 400, f"{method} {path} answered {status}, which docs/openapi.json does not have"
        answer = operation["responses"]["default"]
    content = answer.get("content", {})
    schemas = [media["schema"] for media in content.values()]
    schema = {**(schemas[0] if schemas else {}), "components": DOCUMENT["components"]}
    return set(content), jsonschema.Draft202012Validator(schema)


def check(method, path, answer):
    """Raises AssertionError where the answer is not what the document promises."""
    bare = path.split("?")[0]
    method = method.lower()
    known = next((name for pattern, name in PATHS if pattern.match(bare)), None)
    if known is None or not answer.body or len(answer.body) > LARGE or method == "head":
        return
    found = _validator(known, method, answer.status)
    if found is None:
        return
    types, validator = found
    media = answer.headers.get("content-type", "").split(";")[0]
    if answer.status < 400:
        assert media in types, f"{method} {path}: {media} is not documented"
    if "json" not in media or "content-encoding" in answer.headers:
        return
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
              for error in validator.iter_errors(json.loads(answer.body))]
    assert not errors, f"{method} {path} answered {answer.status} against docs/openapi.json: {errors[:3]}"
