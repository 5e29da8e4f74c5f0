"""The stages before the fit. Each leaves a file in the work folder, and is not done again while it is there."""

import hashlib
import json
import os
import pickle

import numpy as np

from . import corpus, teacher, vocabulary

EXTRA = 10000  # whole words added to the teacher's vocabulary


def texts(cfg):
    """The texts, apart: to learn from, to test with; and the vocabulary."""
    path = f"{cfg.work}/texts.pickle"
    if not os.path.exists(path):
        mix, count = corpus.build(cfg)
        train = [t for ts in mix.values() for t in ts if not corpus.is_test(t)]
        test = {name: [t for t in ts if corpus.is_test(t)] for name, ts in mix.items()}
        t = teacher.Teacher(cfg.work)
        tokens, base = vocabulary.choose(t.tok, count, EXTRA)
        with open(path, "wb") as f:
            pickle.dump({"train": train, "test": test, "tokens": tokens, "base": base, "sizes": {k: len(v) for k, v in mix.items()}}, f)
    with open(path, "rb") as f:
        got = pickle.load(f)
    print("texts", json.dumps(got["sizes"]), "train", len(got["train"]), "tokens", len(got["tokens"]), flush=True)
    return got


def vectors(cfg, name, texts, fast=False):
    """The teacher's vectors of texts, kept under a name and the digest of the texts."""
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:8]
    path = f"{cfg.work}/{name}-{digest}.npy"
    if not os.path.exists(path):
        np.save(path, teacher.Teacher(cfg.work, fast).encode(texts, report=name).astype(np.float16))
    return np.load(path).astype(np.float32)
