"""The REPL behind the kind "sqlite": one SQLite connection.

One JSON object a line. Told: {"execute": STATEMENT, "code": .., "maxRows": ..},
{"interrupt": STATEMENT}, {"complete" | "inspect": REQUEST, "cursor": .., "code": ..}.
Tells: {"ready": 1} or {"failed": 1, "reason": ..}; {"display": STATEMENT, "bundle": {..}}
while code runs; then one of {"ok" | "error" | "incomplete" | "cancelled": STATEMENT,
"bundle": {..}}; {"request": REQUEST, "answer": {..}}.

usage: sqlite_repl.py DATABASE READ_ONLY ATTACH BUSY_SECONDS
"""

import json
import math
import os
import queue
import re
import sqlite3
import sys
import threading
import urllib.parse

RESULT_BYTES = 4 << 20  # of cells in one result; what is more is left out
CELL = 60  # characters of a cell in the text table
TEXT_ROWS = 100  # rows in the text table

# Where ";" ends nothing. The last alternatives: a text, name or comment without its end.
TOKEN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/|;"""
    r"""|['"`\[].*|/\*.*""", re.S)
KEYWORDS = """
ALTER ANALYZE AND AS ASC ATTACH BEGIN BETWEEN BY CASE CAST COLLATE COMMIT CREATE CROSS DEFAULT
DELETE DESC DETACH DISTINCT DROP ELSE END ESCAPE EXCEPT EXISTS EXPLAIN FROM FULL GROUP HAVING IN
INDEX INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LIMIT NOT NULL OFFSET ON OR ORDER OUTER PRAGMA
PRIMARY RECURSIVE REFERENCES REPLACE RIGHT ROLLBACK SELECT SET TABLE THEN TRIGGER UNION UNIQUE
UPDATE USING VACUUM VALUES VIEW WHEN WHERE WITH
""".split()

telling = threading.Lock()


def tell(**what):
    line = json.dumps(what, allow_nan=False)
    with telling:
        print(line, flush=True)


class Cancelled(Exception):
    pass


def pieces(source):
    """(first line, statement) of each statement; the last one may lack its ";"."""
    begin = 0
    for token in TOKEN.finditer(source):
        if token[0] != ";":
            continue
        # A ";" within CREATE TRIGGER .. END ends nothing either, which SQLite knows.
        if sqlite3.complete_statement(source[begin : token.end()]):
            yield begin, source[begin : token.end()]
            begin = token.end()
    yield begin, source[begin:]


def blank(statement):
    return not re.sub(r"--[^\n]*|/\*.*?\*/|[\s;]", "", statement, flags=re.S)


def whole(statement):
    """Whether a statement without ";" could be run. An open text, comment or trigger is not."""
    return sqlite3.complete_statement(statement + "\n;")


def cell(value):
    """A value of SQLite as one of JSON."""
    if isinstance(value, bytes):
        return "X'" + value.hex() + "'"
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value


def kind(values):
    """What Livy's table calls the type of a column; SQLite's columns have none of their own."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        return "BIGINT_TYPE"
    return "DOUBLE_TYPE" if kinds and kinds <= {int, float} else "STRING_TYPE"


def text_table(names, rows):
    """The rows as text, one line each."""
    def short(value):
        text = "NULL" if value is None else str(value)[: CELL + 1]
        text = re.sub(r"\s", " ", text)
        text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
        return text if len(text) <= CELL else text[: CELL - 1] + "…"

    lines = [[short(value) for value in row] for row in [names, *rows[:TEXT_ROWS]]]
    widths = [max(map(len, column)) for column in zip(*lines)]
    lines.insert(1, ["-" * width for width in widths])
    text = "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in lines)
    if len(rows) > TEXT_ROWS:
        text += f"\n… {len(rows) - TEXT_ROWS} rows more"
    return text


class Repl:
    def __init__(self, path, read_only, attach, busy):
        # Without "isolation_level" Python would begin transactions of its own.
        mode = "ro" if read_only else "rwc"
        name = ":memory:" if path == ":memory:" else f"file:{urllib.parse.quote(path)}?mode={mode}"
        self.db = sqlite3.connect(name, uri=name != ":memory:", timeout=busy, isolation_level=None,
                                  check_same_thread=False)  # interrupt() comes from another thread
        self.db.text_factory = lambda data: data.decode("utf-8", "replace")
        if read_only:
            self.db.execute("PRAGMA query_only = 1")
        # A file that is no database is refused here.
        self.db.execute("SELECT count(*) FROM sqlite_master")
        if not attach:  # else SQL could open any other file
            self.db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self.work = queue.Queue()
        self.running = 0  # the statement
        self.cancelled = False
        self.ended = threading.Event()
        self.names = {}  # of each table and view: (columns, DDL); as of the last statement's end
        self.look()

    # The worker's thread ------------------------------------------------------------------------

    def serve(self):
        while True:
            told = self.work.get()
            statement = told["execute"]
            try:
                outcome, bundle = self.execute(told["code"], told["maxRows"])
            except Cancelled:
                outcome, bundle = "cancelled", {}
            except Exception as error:  # a defect, or no memory; the session goes on
                name = type(error).__name__
                outcome, bundle = "error", {"ename": name, "evalue": str(error), "traceback": []}
            self.running = 0
            self.ended.set()
            try:
                self.look()
            except sqlite3.Error:  # locked, or damaged: the names of before are better than none
                pass
            tell(**{outcome: statement, "bundle": bundle})

    def execute(self, source, most):
        """(outcome, bundle). Each result but the last is a display."""
        todo = [(begin, piece) for begin, piece in pieces(source) if not blank(piece)]
        if todo and not sqlite3.complete_statement(todo[-1][1]) and not whole(todo[-1][1]):
            error = "the code is not whole: a text, a comment or a trigger has no end"
            return "incomplete", {"ename": "IncompleteCode", "evalue": error, "traceback": []}
        shown, changes = None, self.db.total_changes
        for begin, piece in todo:
            if self.cancelled:
                raise Cancelled
            try:
                result = self.query(piece, most)
            except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
                if self.cancelled:
                    raise Cancelled from None
                return "error", self.error(error, source, begin, piece)
            if result is not None:
                if shown is not None:
                    shown.pop("hearth")  # has a meaning in a result only
                    tell(display=self.running, bundle=shown)
                shown = result
        if shown is None:
            changes = self.db.total_changes - changes
            text = f"{changes} row{'s' * (changes != 1)} changed" if changes else ""
            shown = {"text/plain": text}
        return "ok", shown

    def query(self, statement, most):
        """The bundle of a statement that has columns, or None."""
        cursor = self.db.execute(statement)
        if cursor.description is None:
            return None
        names = [column[0] for column in cursor.description]
        rows, size, truncated = [], 0, False
        for row in cursor:
            if self.cancelled:
                raise Cancelled
            size += sum(len(value) if isinstance(value, (str, bytes)) else 8 for value in row)
            if len(rows) >= most or size > RESULT_BYTES:
                truncated = True
                break
            rows.append([cell(value) for value in row])
        cursor.close()
        columns = list(zip(*rows)) or [()] * len(names)
        headers = [{"name": name, "type": kind(column)} for name, column in zip(names, columns)]
        return {
            "hearth": {"metadata": {"rows": len(rows), "maxRows": most, "truncated": truncated}},
            "text/plain": text_table(names, rows) + ("\n(truncated)" if truncated else ""),
            "application/vnd.livy.table.v1+json": {"headers": headers, "data": rows},
        }

    @staticmethod
    def error(error, source, begin, piece):
        """With the line of the text that SQLite calls near, else of the statement."""
        text = str(error)
        begin += len(piece) - len(piece.lstrip())
        near = re.match(
            r'near "(.+?)": |no such \w+: (?:.*\.)?(.+)$|unrecognized token: "(.+)"$', text, re.S)
        if near:
            found = source.find(next(filter(None, near.groups())), begin, begin + len(piece))
            begin = max(begin, found)
        line = source.count("\n", 0, begin) + 1
        shown = source.split("\n")[line - 1][:200]
        code = getattr(error, "sqlite_errorname", None)
        return {"ename": type(error).__name__, "evalue": f"line {line}: {text[:2000]}",
                "traceback": [f"line {line}: {shown}"] + ([code] if code else [])}

    def look(self):
        names = {}
        for schema in [row[1] for row in self.db.execute("PRAGMA database_list")]:
            quoted = '"' + schema.replace('"', '""') + '"'
            found = self.db.execute(
                f"SELECT name, sql FROM {quoted}.sqlite_master"
                " WHERE type IN ('table', 'view') LIMIT 5000").fetchall()
            for name, sql in found:
                try:
                    columns = self.db.execute(
                        "SELECT name FROM pragma_table_info(?, ?)", (name, schema)).fetchall()
                except sqlite3.Error:  # a view of what is gone
                    columns = []
                names[name] = ([column[0] for column in columns], sql or "")
        self.names = names

    # The reader's thread ------------------------------------------------------------------------

    def read(self):
        for line in sys.stdin.buffer:
            told = json.loads(line)
            if "execute" in told:
                self.ended.clear()
                self.cancelled = False
                self.running = told["execute"]
                self.work.put(told)
            elif "interrupt" in told:
                statement = told["interrupt"]
                threading.Thread(target=self.interrupt, args=(statement,), daemon=True).start()
            elif "complete" in told:
                tell(request=told["complete"], answer=self.complete(told["code"][: told["cursor"]]))
            elif "inspect" in told:
                tell(request=told["inspect"], answer=self.inspect(told["code"], told["cursor"]))

    def interrupt(self, statement):
        # Again and again, as interrupt() does nothing between two statements of SQLite's.
        while self.running == statement:
            self.cancelled = True
            self.db.interrupt()
            self.ended.wait(0.05)

    def complete(self, before):
        before = before[-200:]  # the search takes time by the square of it
        word = re.search(r"[\w$]*$", before)[0]
        owner = re.search(r'([\w$]+)"?\.[\w$]*$', before)
        columns = [c for name, (found, _) in self.names.items() for c in found
                   if not owner or name.lower() == owner[1].lower()]
        known = columns if owner else [*self.names, *columns, *(KEYWORDS if word else [])]
        found = {name for name in known if name.lower().startswith(word.lower())}
        return {"candidates": sorted(found, key=str.lower)[:500]}

    def inspect(self, source, cursor):
        before, after = source[max(0, cursor - 200) : cursor], source[cursor : cursor + 200]
        word = re.search(r"[\w$]*$", before)[0] + re.match(r"[\w$]*", after)[0]
        for name, (columns, sql) in self.names.items():
            if name.lower() == word.lower():
                text = sql or f"{name}({', '.join(columns)})"
                return {"found": True, "data": {"text/plain": text}}
        return {"found": False, "data": {}}


def main():
    path, read_only, attach, busy = sys.argv[1:]
    try:
        repl = Repl(path, read_only == "true", attach == "true", float(busy))
    except sqlite3.Error as error:
        tell(failed=1, reason=f"{path}: {error}")
        return
    threading.Thread(target=repl.serve, daemon=True).start()
    tell(ready=1)
    repl.read()
    os._exit(0)  # the host is gone; a query that runs is nobody's


main()
