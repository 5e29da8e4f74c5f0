#!/usr/bin/env python3
"""Checks queries.jsonl against corpus.jsonl and prints what is in them: python3 bench/search/check.py"""

import collections
import json
import pathlib
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
CLASSES = ("keyword", "paraphrase", "typo", "capability", "non-english", "filter")
FIELDS = {"id", "query", "class", "lang", "need", "split", "relevant"}


def read(name):
    with open(HERE / name, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def problems(names, queries):
    ids, texts, grades, splits = set(), set(), {}, {}
    for q in queries:
        at = q.get("id", "?")
        if set(q) != FIELDS:
            yield f"{at}: fields {sorted(q)}"
            continue
        if at in ids or q["query"] in texts:
            yield f"{at}: id or query is there twice"
        ids.add(at)
        texts.add(q["query"])
        if not q["query"].strip() or q["class"] not in CLASSES or q["split"] not in ("dev", "test"):
            yield f"{at}: query, class or split"
        if (q["lang"] != "en") != (q["class"] == "non-english"):
            yield f"{at}: language {q['lang']} in class {q['class']}"
        if max(q["relevant"].values(), default=0) < 2:
            yield f"{at}: nothing of grade 2 or 3"
        for name, grade in q["relevant"].items():
            if name not in names:
                yield f"{at}: {name} is not in the corpus"
            if grade not in (1, 2, 3):
                yield f"{at}: grade {grade} of {name}"
        if grades.setdefault(q["need"], q["relevant"]) != q["relevant"]:
            yield f"{at}: other grades than another query for {q['need']}"
        if splits.setdefault(q["need"], q["split"]) != q["split"]:
            yield f"{at}: {q['need']} is in both splits"


def main():
    corpus, queries = read("corpus.jsonl"), read("queries.jsonl")
    names = {d["name"] for d in corpus}
    bad = list(problems(names, queries))
    if len(names) != len(corpus):
        bad.append("a server is in the corpus twice")
    for line in bad:
        print(line)
    if bad:
        sys.exit(1)

    print(f"{len(corpus)} servers, {sum('capabilities' in d for d in corpus)} with capabilities, "
          f"{sum('description' not in d for d in corpus)} without a description")
    print(f"{'class':12} {'dev':>4} {'test':>5} {'all':>4}")
    for c in (*CLASSES, None):
        of = [q for q in queries if c in (None, q["class"])]
        n = collections.Counter(q["split"] for q in of)
        print(f"{c or 'all':12} {n['dev']:4} {n['test']:5} {len(of):4}")
    good = [sum(g >= 2 for g in q["relevant"].values()) for q in queries]
    print(f"{len({q['need'] for q in queries})} needs; servers of grade 2 or 3 for a query: "
          f"{min(good)} to {max(good)}, median {statistics.median(good):g}")
    print(f"{len({n for q in queries for n in q['relevant']})} servers are relevant to some query")
    langs = collections.Counter(q["lang"] for q in queries if q["lang"] != "en")
    print("languages: " + ", ".join(f"{k} {v}" for k, v in sorted(langs.items())))


if __name__ == "__main__":
    main()
