"""The fit: token vectors whose sum points where the teacher's sentence vector points."""

import time

import numpy as np
from scipy import sparse


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def basis(vectors, dims):
    """The directions (384 × dims) that keep most of the vectors' products, and the share they keep."""
    values, directions = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(directions[:, ::-1][:, :dims]), values[::-1][:dims].sum() / values.sum()


def bags(tokenizer, texts, size):
    """Texts × tokens, how often each token is in each text. Unknown words (number size) are left out."""
    indptr, indices = [0], []
    for at in range(0, len(texts), 20000):
        for e in tokenizer.encode_batch(texts[at : at + 20000], add_special_tokens=False):
            indices.extend(i for i in e.ids if i < size)
            indptr.append(len(indices))
    m = sparse.csr_matrix((np.ones(len(indices), np.float32), np.array(indices, np.int32), np.array(indptr)), shape=(len(texts), size))
    m.sum_duplicates()
    return m


def distilled(token_vectors, counts, a=1e-3):
    """The start: each token's own teacher vector, weighted down where it is frequent (SIF)."""
    share = counts / counts.sum()
    return unit(token_vectors) * (a / (a + share))[:, None]


class Fit:
    """Adam on the rows a batch touches, pulling each back to its start."""

    def __init__(self, start, pull, pairs, seed):
        self.start, self.v = start, start.copy()
        self.m, self.s = np.zeros_like(start), np.zeros_like(start)
        self.steps = np.zeros(len(start), np.int32)
        self.pull, self.pairs, self.rng = pull, pairs, np.random.default_rng(seed)

    def step(self, x, target, rate):
        cols = np.unique(x.indices)
        sub = x[:, cols]
        sums = sub @ self.v[cols]
        length = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
        u = sums / length
        cos = (u * target).sum(1, keepdims=True)
        du = -target.copy()
        if self.pairs:  # similarities between the texts of a batch, not only each to its own teacher vector
            du += (self.pairs * 2 / len(u)) * (u @ (u.T @ u) - target @ (target.T @ u))
        ds = (du - (du * u).sum(1, keepdims=True) * u) / length
        g = sub.T @ ds + self.pull * (self.v[cols] - self.start[cols])
        self.steps[cols] += 1
        n = self.steps[cols][:, None]
        self.m[cols] = m = 0.9 * self.m[cols] + 0.1 * g
        self.s[cols] = s = 0.995 * self.s[cols] + 0.005 * g * g
        self.v[cols] -= rate * (m / (1 - 0.9**n)) / (np.sqrt(s / (1 - 0.995**n)) + 1e-6)
        return float(cos.mean())

    def run(self, bags, targets, epochs, rate, batch=1024, report=None):
        start, total = time.time(), epochs * (len(targets) // batch)
        done = 0
        for epoch in range(epochs):
            order, seen = self.rng.permutation(len(targets)), []
            for at in range(0, len(order) - batch + 1, batch):
                part = np.sort(order[at : at + batch])
                done += 1
                seen.append(self.step(bags[part], targets[part], rate * (1 - done / (total + 1))))
            print(f"  epoch {epoch + 1}/{epochs}: cosine {np.mean(seen):.4f}, {time.time() - start:.0f} s {report(self.v) if report else ''}", flush=True)
        return self.v


def carry_over(v, start, seen, known=20, few=3):
    """Gives tokens that were seen in fewer than three texts what the fit did to the others: the linear map from
    the start to the fitted vectors, learned on the well-known ones."""
    rows = seen >= known
    a, b = start[rows], v[rows]
    move = np.linalg.solve(a.T @ a + 1e-2 * len(a) * np.eye(a.shape[1], dtype=np.float32) * (a * a).mean(), a.T @ b)
    share = np.minimum(seen / few, 1)[:, None].astype(np.float32)
    return share * v + (1 - share) * (start @ move)
