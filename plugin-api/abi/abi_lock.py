#!/usr/bin/env python3
"""Holds hearth/plugin.h to what has been released of it.

    abi_lock.py print HEADER             the header's ABI, an entry a line: what a lock file keeps
    abi_lock.py check HEADER LOCK...     0: the header keeps every lock; 1: it breaks one, says which rule

An entry is a slot or field with its table, position, declaration and tags ([session], Required), an
enumerator with its value, or a type. Tags count: a plugin notices when a slot is called from another
thread, and no compiler would. Names of parameters and comments do not count.
The rules and their reasons: ../doc/abi.md, "Growth".
"""

import pathlib
import re
import sys

FROZEN = {"hearth_str", "hearth_error", "hearth_frame"}  # no struct_size: may not even grow

# Enumerators that may get company, as the side that reads them has a stated answer to what it does
# not know. All others are sent by the host to plugins, which were built before the new one was.
OPEN_ENUMS = {
    "HEARTH_OK": "a failure",
    "HEARTH_IDLE": "HEARTH_ERROR",
    "HEARTH_DONE_OK": "HEARTH_DONE_ERROR",
    "HEARTH_STDOUT": "HEARTH_STDOUT",
    "HEARTH_LOG_DEBUG": "HEARTH_LOG_ERROR",
    "HEARTH_SPAWN_LINES": "HEARTH_E_UNSUPPORTED",
}


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def squeezed(text):
    return re.sub(r"\s+", " ", text).strip()


def members(body):
    """(comment, declaration) of each member; a comment stands before it or behind it on its line."""
    tokens = re.findall(r"/\*.*?\*/|[^;/]+;|\n", body, flags=re.S)
    found = []
    comment = ""
    fresh = False  # on the line of the member before
    for token in tokens:
        if token.startswith("/*"):
            if fresh:
                found[-1][0] += token
            else:
                comment += token
        elif token == "\n":
            fresh = False
        elif token.strip():
            found.append([comment, squeezed(token)])
            comment, fresh = "", True
    return found


def unnamed(declaration):
    """The declaration without the names of parameters."""
    head, star, rest = declaration.partition(")(")
    if not star:
        return declaration
    parameters = [re.sub(r"(?<=[\s*])\w+$", "", p.strip()).strip() or p.strip()
                  for p in rest.rstrip(");").split(",")]
    return f"{head})({', '.join(parameters)});"


def name(declaration):
    found = re.search(r"\(\*(\w+)\)", declaration) or re.search(r"(\w+)(\[\d+\])?;$", declaration)
    return found.group(1)


def tags(comment):
    said = [f"[{tag}]" for tag in re.findall(r"\[(main|session|any)\]", comment)[-1:]]
    said += re.findall(r"\b(Required|Optional)\b", comment)[-1:]
    return said


def enumerators(text):
    """(group, name, value): a group is called by its first enumerator."""
    for body in re.findall(r"\benum \{(.*?)\};", without_comments(text), flags=re.S):
        group = None
        for entry in body.split(","):
            if entry.strip():
                key, value = (squeezed(part) for part in entry.split("="))
                group = group or key
                yield group, key, value


def entries(text):
    """{key: declaration} in the order of the header, {table: [name of each member]} beside it."""
    found, tables = {}, {}
    plain = without_comments(text)
    for target, alias in re.findall(r"^typedef ((?:struct )?\w+) (\w+);", plain, flags=re.M):
        found[f"type {alias}"] = target
    for struct, body in re.findall(r"typedef struct (\w+) \{(.*?)\n\} \1;", text, flags=re.S):
        tables[struct] = []
        for comment, declaration in members(body):
            member = name(declaration)
            tables[struct].append(member)
            found[f"{struct}.{member}"] = " ".join([unnamed(declaration)] + tags(comment))
    for group, key, value in enumerators(text):
        found[f"enum {group}: {key}"] = value
    for declaration in re.findall(r"^HEARTH_EXPORT (.*?);", plain, flags=re.M | re.S):
        found[f"export {declaration.rpartition('*')[2].partition('(')[0]}"] = squeezed(declaration)
    return found, tables


def lines(text):
    found, tables = entries(text)
    for key, declaration in found.items():
        struct, _, member = key.partition(".")
        if struct in tables:
            key = f"{struct}[{tables[struct].index(member)}] {member}"
        yield f"{key} = {declaration}"


def read_lock(path):
    """The same as entries(), of a lock file."""
    found, tables = {}, {}
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        key, _, declaration = line.partition(" = ")
        slot = re.fullmatch(r"(\w+)\[\d+\] (\w+)", key)
        if slot:
            key = f"{slot[1]}.{slot[2]}"
            tables.setdefault(slot[1], []).append(slot[2])
        found[key] = declaration
    return found, tables


def breaches(header, lock, closed):
    """What `header` breaks of `lock`: (what is seen, rule, what to do). `closed`: the lock is of the
    header's own minor, which then may not grow either."""
    now, tables = entries(header)
    then, released = lock
    for struct, order in released.items():
        have = tables.get(struct, [])
        for index, member in enumerate(order):
            if member not in have:
                yield (f"{struct}.{member} is gone",
                       "a released slot stays for ever",
                       "keep it; a host or plugin that does not use it leaves it null")
            elif have[index:index + 1] != [member]:
                at = have.index(member)
                intruder = have[index] if index < len(have) else "nothing"
                yield (f"{struct}.{member} was number {index} and is number {at}; {intruder} stands there",
                       "a table grows at its end only",
                       f"put the new slot last in {struct}, raise HEARTH_ABI_MINOR, test for it with HEARTH_HAS")
                break  # whatever follows has moved with it
        more = [member for member in have if member not in order]
        if more and struct in FROZEN:
            yield (f"{struct} has a new member, {more[0]}",
                   f"{struct} is frozen: it has no struct_size, so nobody could tell the long one from the short",
                   "pass the new thing by a new slot, or by a new structure that begins with struct_size")
        elif struct == "hearth_plugin" and any(now[f"{struct}.{m}"].endswith("Required") for m in more):
            yield (f"{struct} has a new required slot",
                   "a plugin of an earlier minor has no such slot and must still be loaded",
                   "make it Optional, and say in its comment what the host does without it")
        elif more and closed:
            yield (f"{struct}.{more[0]} is new, and HEARTH_ABI_MINOR is the one released already",
                   "what is new has a new minor",
                   "raise HEARTH_ABI_MINOR; at the release of that minor, print its lock beside the others")
    for key, declaration in then.items():
        if key not in now:
            if "." not in key:
                yield (f"{key} is gone", "what was released stays for ever", "keep it")
        elif now[key] != declaration:
            yield (f"{key} was\n      {declaration}\n    and is\n      {now[key]}",
                   "a released slot, type or value keeps its signature, its thread and whether it is required",
                   "leave it as it was; a new meaning is a new slot with a new name at the end of its table")
    groups = {key[5:].split(":")[0] for key in then if key.startswith("enum ")}
    for key in now:
        group = key[5:].split(":")[0] if key.startswith("enum ") else None
        if group in groups and key not in then and group not in OPEN_ENUMS:
            yield (f"{key.split()[-1]} is new",
                   "the host may not send a value that a plugin built before could not know",
                   "announce it by an extension that the plugin asks for, or send it by a new slot")


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "print":
        print("\n".join(lines(pathlib.Path(arguments[1]).read_text())))
        return 0
    if len(arguments) < 3 or arguments[0] != "check":
        print(__doc__, file=sys.stderr)
        return 2
    header = pathlib.Path(arguments[1]).read_text()
    version = "v{}.{}".format(*re.findall(r"#define HEARTH_ABI_M\w+ (\d+)", header))
    status = 0
    for path in map(pathlib.Path, arguments[2:]):
        lock = read_lock(path)
        if not lock[1]:
            print(f"{path} is no lock file", file=sys.stderr)
            return 2
        for seen, rule, remedy in breaches(header, lock, path.stem == version):
            status = 1
            print(f"{arguments[1]} breaks {path.stem} of the ABI ({path}):\n"
                  f"    {seen}\n  rule: {rule}\n  do instead: {remedy}\n", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
