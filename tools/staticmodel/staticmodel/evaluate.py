"""How near the student is to the teacher."""

import numpy as np
from scipy.stats import spearmanr

from .fit import unit


def top(queries, docs, n=10):
    return np.argsort(-(queries @ docs.T), axis=1, kind="stable")[:, :n]


def recall(student_q, student_d, teacher_q, teacher_d, n=10):
    """The share of the teacher's first n documents that are among the student's."""
    a, b = top(student_q, student_d, n), top(teacher_q, teacher_d, n)
    return float(np.mean([len(set(x) & set(y)) / n for x, y in zip(a, b)]))


class Test:
    """Texts never learned from: bags (texts × tokens) and the teacher's vectors of the same texts."""

    def __init__(self, parts, basis, seed=1):
        self.parts, self.basis = parts, basis  # name -> (bags, teacher vectors)
        rng = np.random.default_rng(seed)
        names = [n for n in parts if n not in ("servers", "paraphrases")]
        teacher = np.concatenate([parts[n][1] for n in names])
        self.names = names
        a, b = rng.integers(0, len(teacher), (2, 100000))
        near = top(teacher[:1500], teacher, 21)[:, 1:]
        self.pairs = [(a, b), (np.repeat(np.arange(len(near)), near.shape[1]), near.ravel())]
        self.expect = [(teacher[i] * teacher[j]).sum(1) for i, j in self.pairs]

    def measure(self, v):
        vec = {n: unit(bags @ v) for n, (bags, _) in self.parts.items()}
        ref = {n: t for n, (_, t) in self.parts.items()}
        out = {"cosine": {n: round(float((vec[n] * unit(ref[n] @ self.basis)).sum(1).mean()), 4) for n in vec}}
        student = np.concatenate([vec[n] for n in self.names])
        out["cosine of all"] = round(float((student * unit(np.concatenate([ref[n] for n in self.names]) @ self.basis)).sum(1).mean()), 4)
        got = [(student[i] * student[j]).sum(1) for i, j in self.pairs]
        out["spearman, random pairs"] = round(float(spearmanr(got[0], self.expect[0])[0]), 4)
        both = [np.concatenate([x[0][:30000], x[1]]) for x in (got, self.expect)]
        out["spearman, half of them near"] = round(float(spearmanr(*both)[0]), 4)
        docs = "servers"
        for q in ("paraphrases", "test-queries"):
            out[f"recall@10 {q} in servers"] = round(recall(vec[q], vec[docs], ref[q], ref[docs]), 4)
        many = [n for n in self.names if n != "test-queries"]
        sd, td = np.concatenate([vec[n] for n in many]), np.concatenate([ref[n] for n in many])
        for q in ("paraphrases", "test-queries"):
            out[f"recall@10 {q} in {len(td)} texts"] = round(recall(vec[q], sd, ref[q], td), 4)
        return out

    def brief(self, v):
        m = self.measure(v)
        return " ".join(str(x) for x in [m["cosine of all"], m["spearman, half of them near"]] + [m[k] for k in m if k.startswith("recall")])
