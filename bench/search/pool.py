#!/usr/bin/env python3
"""Lets somebody else judge what the engines find.

    go run ./bench/search -found found.jsonl
    python3 bench/search/pool.py sheet found.jsonl > sheet.txt  # what is to be judged
    python3 bench/search/pool.py agree found.jsonl grades.jsonl  # how far the second judge agrees with the first
    python3 bench/search/pool.py merge found.jsonl grades.jsonl  # adds the second judge's grades to queries.jsonl

The sheet has, for each need, its queries and a pool: everything that is graded for it and the first ten that each mode
finds for each of its queries, in an order that tells nothing. It says neither which is which nor what the first judge
thought. grades.jsonl has a line {"need": "postgres", "grades": {"3": 2, "7": 1}} a need: the number that a server has in
the sheet, and its grade; those without a grade are left out. What both have judged keeps the first grade.
"""

import collections
import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SHORT = 180  # characters of a description
TOOLS = 8  # tools that are named


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def order(need, name):
    return hashlib.sha256(f"{need} {name}".encode()).digest()


def pools(queries, found):
    """The servers to judge for each need, in the order of the sheet."""
    out = collections.defaultdict(set)
    needs = {q["id"]: q["need"] for q in queries}
    for q in queries:
        out[q["need"]].update(q["relevant"])
    for f in found:
        out[needs[f["id"]]].update(f["found"] or [])
    return {need: sorted(names, key=lambda n: order(need, n)) for need, names in out.items()}


def cut(text, most):
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " ..."


def sheet(queries, corpus, all_pools):
    for need, names in sorted(all_pools.items()):
        print(f"# {need}")
        for q in queries:
            if q["need"] == need:
                print(f"? {q['query']}")
        for i, name in enumerate(names, 1):
            d = corpus[name]
            tools = [c["name"] for c in d.get("capabilities", []) if c["type"] == "tool"]
            more = f" [tools: {', '.join(tools[:TOOLS])}{' ...' if len(tools) > TOOLS else ''}]" if tools else ""
            print(f"{i}. {name}: {cut(d.get('description', d.get('title', '')), SHORT)}{more}")
        print()


def judged(all_pools, path):
    for line in lines(path):
        names = all_pools[line["need"]]
        yield line["need"], {names[int(i) - 1]: g for i, g in line["grades"].items() if g > 0}


def agree(queries, all_pools, path):
    first = {q["need"]: q["relevant"] for q in queries}
    table = collections.Counter()
    for need, second in judged(all_pools, path):
        for name in all_pools[need]:
            table[first[need].get(name, 0), second.get(name, 0)] += 1
    total = sum(table.values())
    print("first judge by line, second by column\n      0     1     2     3")
    for a in range(4):
        print(a, *(f"{table[a, b]:5}" for b in range(4)))
    # Cohen's kappa with weights that grow with the square of the distance (Cohen, 1968).
    rows = [sum(table[a, b] for b in range(4)) for a in range(4)]
    cols = [sum(table[a, b] for a in range(4)) for b in range(4)]
    seen = sum((a - b) ** 2 * n for (a, b), n in table.items()) / total
    chance = sum((a - b) ** 2 * rows[a] * cols[b] for a in range(4) for b in range(4)) / total**2
    print(f"{total} judgements, weighted kappa {1 - seen / chance:.2f}")


def merge(queries, all_pools, path):
    second = dict(judged(all_pools, path))
    added = 0
    for q in queries:
        new = {n: g for n, g in second.get(q["need"], {}).items() if n not in q["relevant"]}
        added += len(new)
        grades = {**q["relevant"], **new}
        q["relevant"] = dict(sorted(grades.items(), key=lambda item: (-item[1], item[0])))
    with open(HERE / "queries.jsonl", "w", encoding="utf-8") as f:
        for q in queries:
            f.write(json.dumps(q, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{added} grades added to {len(queries)} queries")


def main():
    what, found, *rest = sys.argv[1:]
    queries = lines(HERE / "queries.jsonl")
    all_pools = pools(queries, lines(found))
    if what == "sheet":
        sheet(queries, {d["name"]: d for d in lines(HERE / "corpus.jsonl")}, all_pools)
    elif what == "agree":
        agree(queries, all_pools, rest[0])
    elif what == "merge":
        merge(queries, all_pools, rest[0])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
