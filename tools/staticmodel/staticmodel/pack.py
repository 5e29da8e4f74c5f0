"""Writes and reads model.bin. internal/embed/model.go has the form of the file."""

import hashlib
import struct

import numpy as np

MAGIC, PRIME, WORD = b"MCPHEMB1", 16777619, 2166136261


def fnv(data, h=WORD):
    for b in data:
        h = ((h ^ b) * PRIME) & 0xFFFFFFFF
    return h


def quantise(v):
    """int8 rows and the step of each, weight included: the length of a row is its weight."""
    step = np.maximum(np.abs(v).max(1), 1e-12) / 127
    return np.clip(np.rint(v / step[:, None]), -127, 127).astype(np.int8), step.astype("<f4")


def write(path, tokens, v, name):
    q, step = quantise(v)
    slots = 1 << 16
    table = np.full(slots, 0xFFFF, "<u2")
    for i, t in enumerate(tokens):
        h = fnv(t.encode())
        at = (h ^ h >> 16) & (slots - 1)
        while table[at] != 0xFFFF:
            at = (at + 1) & (slots - 1)
        table[at] = i
    raw = [t.encode() for t in tokens]
    letters = b"".join(raw)
    ends = np.cumsum([len(r) for r in raw]).astype("<u4")
    head = MAGIC + struct.pack("<4I", v.shape[1], len(tokens), slots, len(letters)) + name.encode().ljust(32, b"\0")
    body = head + ends.tobytes() + table.tobytes() + step.tobytes() + letters + q.tobytes()
    with open(path, "wb") as f:
        f.write(body + hashlib.sha256(body).digest())
    return len(body) + 32


def read(path):
    """The tokens and vectors of a file, as the program sees them."""
    with open(path, "rb") as f:
        data = f.read()
    dims, count, slots, letters = struct.unpack("<4I", data[8:24])
    at = 56
    ends = np.frombuffer(data, "<u4", count, at)
    at += 4 * count + 2 * slots
    step = np.frombuffer(data, "<f4", count, at)
    at += 4 * count
    text, starts = data[at : at + letters], np.concatenate([[0], ends[:-1]])
    tokens = [text[s:e].decode() for s, e in zip(starts, ends)]
    matrix = np.frombuffer(data, np.int8, count * dims, at + letters).reshape(count, dims)
    return tokens, matrix.astype(np.float32) * step[:, None]
