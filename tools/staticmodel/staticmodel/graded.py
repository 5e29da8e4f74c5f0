"""The graded queries of bench/search, answered by vectors alone. Nothing here is tuned on them."""

import json

import numpy as np


def read(folder):
    """(texts of the servers, their names, queries)."""
    with open(f"{folder}/corpus.jsonl", encoding="utf-8") as f:
        docs = [json.loads(line) for line in f]
    with open(f"{folder}/queries.jsonl", encoding="utf-8") as f:
        queries = [json.loads(line) for line in f]
    text = lambda d: f"{d.get('title') or d['name'].split('/')[-1].replace('-', ' ')}. {d.get('description', '')}"
    return [text(d) for d in docs], [d["name"] for d in docs], queries


def ndcg(names, queries, query_vectors, doc_vectors):
    """Mean nDCG@10 of each split and class, as bench/search/README.md defines it."""
    gain = lambda grades: sum((2**g - 1) / np.log2(i + 2) for i, g in enumerate(grades))
    out = {}
    for q, scores in zip(queries, query_vectors @ doc_vectors.T):
        found = [q["relevant"].get(names[i], 0) for i in np.argsort(-scores, kind="stable")[:10]]
        share = gain(found) / gain(sorted(q["relevant"].values(), reverse=True)[:10])
        for key in (q["split"], f"{q['split']} {q['class']}"):
            out.setdefault(key, []).append(share)
    return {k: round(float(np.mean(v)), 3) for k, v in sorted(out.items())}
