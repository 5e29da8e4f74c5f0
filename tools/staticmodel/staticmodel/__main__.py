"""python -m staticmodel: makes the model, from nothing to model.bin, and measures it."""

import argparse
import json
import os

import numpy as np

from . import corpus, evaluate, fit, golden, graded, pack, stages, teacher, vocabulary

NAME = "static-minilm-l6"


def arguments():
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    p = argparse.ArgumentParser(prog="staticmodel", description=__doc__)
    p.add_argument("--catalogs", required=True, help="folder of catalogues: mcpm-sh/, docker/, official-v0/, toolhive/")
    p.add_argument("--summaries", action="append", default=[], help="list of packages, tab separated, name first and summary last; may be repeated")
    p.add_argument("--wordnet", default="/usr/share/wordnet", help="folder with data.noun and so on (Debian: wordnet-base)")
    p.add_argument("--work", default=f"{here}/.work", help="where stages leave their files")
    p.add_argument("--out", default=f"{here}/../../internal/embed/model.bin")
    p.add_argument("--golden", default=f"{here}/../../internal/embed/testdata")
    p.add_argument("--scale", type=float, default=1.0, help="share of the texts to use")
    p.add_argument("--dims", type=int, default=256)
    p.add_argument("--epochs", type=int, default=16, help="0 leaves the distilled vectors as they are")
    p.add_argument("--rate", type=float, default=0.003)
    p.add_argument("--pull", type=float, default=0.003, help="how strongly tokens are held at their start")
    p.add_argument("--pairs", type=float, default=30.0, help="weight of the similarities between the texts of a batch")
    p.add_argument("--graded", default=f"{here}/../../bench/search", help="folder with corpus.jsonl and queries.jsonl")
    p.add_argument("--queries", default=f"{here}/queries.txt")
    return p.parse_args()


def main():
    cfg = arguments()
    os.makedirs(cfg.work, exist_ok=True)
    teacher.fetch(cfg.work)
    texts = stages.texts(cfg)
    tokens = texts["tokens"]
    token_vectors = stages.vectors(cfg, "tokens", [t[2:] if t.startswith("##") and len(t) > 2 else t for t in tokens])
    train = stages.vectors(cfg, "train", texts["train"], fast=True)
    tok = vocabulary.tokenizer(tokens)
    with open(cfg.queries, encoding="utf-8") as f:
        paraphrases = f.read().splitlines()
    parts = {"test-" + n.replace(" ", "-"): t for n, t in texts["test"].items()}
    parts |= {"servers": corpus.servers(cfg.catalogs), "paraphrases": paraphrases}
    parts = {n: (fit.bags(tok, t, len(tokens)), stages.vectors(cfg, n, t)) for n, t in parts.items()}

    directions, kept = fit.basis(train[::4], cfg.dims)
    test = evaluate.Test(parts, directions)
    bags = fit.bags(tok, texts["train"], len(tokens))
    counts = np.asarray(bags.sum(0)).ravel()
    start = fit.distilled(token_vectors @ directions, counts).astype(np.float32)
    report = {"dims": cfg.dims, "tokens": len(tokens), "texts": len(train), "kept by projection": round(float(kept), 4)}
    report["mean of teacher's tokens, no weights"] = test.measure(fit.unit(token_vectors @ directions))
    report["distilled"] = test.measure(start)
    print(json.dumps(report, indent=1), flush=True)
    v = start
    if cfg.epochs:
        targets = fit.unit(train @ directions)
        lone = len(targets)  # every token is a text too: searches are often one word
        words = [i for i, t in enumerate(tokens) if len(t) > 2 and t.isalpha()]
        bags = fit.sparse.vstack([bags, fit.bags(tok, [tokens[i] for i in words], len(tokens))]).tocsr()
        targets = np.concatenate([targets, fit.unit(token_vectors[words] @ directions)])
        seen = np.asarray((bags[:lone] > 0).sum(0)).ravel()
        v = fit.Fit(start, cfg.pull, cfg.pairs, corpus.SEED).run(bags, targets, cfg.epochs, cfg.rate, report=test.brief)
        report["fitted, before carrying over"] = test.measure(v)
        v = fit.carry_over(v, start, seen)
        report["fitted"] = test.measure(v)
    size = pack.write(cfg.out, tokens, v, f"{NAME}-{cfg.dims}")
    report["bytes"] = size
    final = pack.read(cfg.out)[1]
    report["quantised"] = test.measure(final)
    docs, names, queries = graded.read(cfg.graded)
    asked = [q["query"] for q in queries]
    report["graded, teacher"] = graded.ndcg(names, queries, *(stages.vectors(cfg, n, t) for n, t in (("graded-queries", asked), ("graded-servers", docs))))
    for name, vectors in (("distilled", start), ("quantised", final)):
        report[f"graded, {name}"] = graded.ndcg(names, queries, *(fit.unit(fit.bags(tok, t, len(tokens)) @ vectors) for t in (asked, docs)))
    print(json.dumps(report, indent=1))
    with open(f"{cfg.work}/report.json", "w", encoding="utf-8") as f:
        json.dump(report, f, indent=1)
    golden.write(cfg.golden, tok, cfg.out, paraphrases[:5])


if __name__ == "__main__":
    main()
