"""Texts to learn from. Every reader yields plain short texts; build() mixes them with a fixed seed."""

import collections
import glob
import gzip
import hashlib
import json
import os
import random
import re
import subprocess

import yaml

SEED = 20250601
TAG = re.compile(r"<[^>]+>")
SPACE = re.compile(r"\s+")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-./]+")
FOR = re.compile(r"\bserver (?:for|that provides access to|to access|integration with) (?:the |an? )?([A-Za-z0-9][\w .+#-]{2,40})", re.I)


def clean(text, limit=400):
    return SPACE.sub(" ", TAG.sub(" ", text)).strip()[:limit]


def sentence(text, limit=240):
    """The first sentence."""
    text = clean(text, 2000)
    cut = re.search(r"(?<=[a-z0-9)])[.!?](?: |$)", text)
    return (text[: cut.end()] if cut else text)[:limit].strip()


def words(name):
    """A name as words: ListTables and list_tables become "list tables"."""
    return " ".join(p.lower() for p in CAMEL.split(name) if p)


# --- the catalogues -------------------------------------------------------------------------------


def load(path):
    with open(path, encoding="utf-8") as f:
        return yaml.safe_load(f) if path.endswith(".yaml") else json.load(f)


def servers(catalogs):
    """(description of a server) of each catalogue: held out of training, they are the documents of the
    retrieval test."""
    out = []
    for path in sorted(glob.glob(f"{catalogs}/mcpm-sh/*.json")):
        d = load(path)
        out.append((d.get("display_name") or d.get("name"), d.get("description")))
    for path in sorted(glob.glob(f"{catalogs}/docker/*/server.yaml")):
        d = load(path).get("about") or {}
        out.append((d.get("title"), d.get("description")))
    for path in sorted(glob.glob(f"{catalogs}/official-v0/*.json")):
        for e in load(path)["servers"]:
            d = e.get("server", e)
            out.append((d.get("title") or words(d["name"].split("/")[-1]), d.get("description")))
    for path in sorted(glob.glob(f"{catalogs}/toolhive/*.json")):
        for d in load(path)["data"]["servers"]:
            out.append((d.get("title") or words(d["name"].split("/")[-1]), d.get("description")))
    seen, texts = set(), []
    for title, text in out:
        text = clean(f"{title}. {text or ''}")
        if len(text) > 12 and text.lower() not in seen:
            seen.add(text.lower())
            texts.append(text)
    return texts


def inner(catalogs):
    """Tools, prompts, examples, tags and variables of the catalogues, without the servers' own words."""

    def walk(node, depth):
        if isinstance(node, list):
            for n in node:
                yield from walk(n, depth)
        elif isinstance(node, dict):
            if depth > 0 and isinstance(node.get("description"), str):
                yield sentence(node["description"])
                if isinstance(node.get("name"), str):
                    yield words(node["name"]) + ": " + sentence(node["description"])
            for key in ("tags", "categories"):
                for tag in node.get(key) or []:
                    if isinstance(tag, str):
                        yield clean(tag)
            for key, n in node.items():
                if isinstance(n, str) and depth > 0 and key in ("title", "prompt"):
                    yield clean(n)
                elif isinstance(n, (dict, list)) and key not in ("about", "server"):
                    yield from walk(n, depth + 1)

    for path in sorted(glob.glob(f"{catalogs}/mcpm-sh/*.json") + glob.glob(f"{catalogs}/docker/*/*.json")):
        doc = load(path)
        yield from walk(doc, 1 if isinstance(doc, list) else 0)


# --- packages and interfaces ----------------------------------------------------------------------


def summaries(path):
    """(name, summary) of a list of packages: tab separated, name first, summary last."""
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            cells = line.rstrip("\n").split("\t")
            text = clean(cells[-1])
            if len(cells) >= 4 and len(text) > 20 and not text.startswith("Add your description"):
                yield cells[0], text


def debian():
    """Short and long descriptions of Debian's packages, as apt knows them."""
    dump = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    for line in dump.splitlines():
        if line.startswith("Description: ") or line.startswith("Description-en: "):
            yield clean(line.split(": ", 1)[1])


def aws():
    """Operations of the AWS interfaces: names (imperatives) and what they do. From botocore."""
    import botocore

    root = os.path.join(os.path.dirname(botocore.__file__), "data")
    for service in sorted(os.listdir(root)):
        versions = sorted(glob.glob(f"{root}/{service}/*/service-2.json.gz"))
        if not versions:
            continue
        with gzip.open(versions[-1]) as f:
            doc = json.load(f)
        yield words(service), sentence(doc.get("documentation", ""))
        for name, op in sorted(doc["operations"].items()):
            yield words(name), sentence(op.get("documentation", ""))


def google():
    """Methods of Google's interfaces and what they do. From google-api-python-client."""
    import googleapiclient

    def walk(node):
        for name, m in sorted((node.get("methods") or {}).items()):
            yield words(name), sentence(m.get("description", ""))
        for _, r in sorted((node.get("resources") or {}).items()):
            yield from walk(r)

    root = os.path.join(os.path.dirname(googleapiclient.__file__), "discovery_cache", "documents")
    for path in sorted(glob.glob(f"{root}/*.json")):
        doc = load(path)
        yield doc.get("title", ""), sentence(doc.get("description", ""))
        yield from walk(doc)


def wordnet(root):
    """Words with their glosses. From Debian's wordnet-base."""
    for part in ("noun", "verb", "adj", "adv"):
        with open(f"{root}/data.{part}", encoding="utf-8") as f:
            for line in f:
                if line.startswith("  ") or " | " not in line:
                    continue
                head, gloss = line.split(" | ", 1)
                yield head.split()[4].replace("_", " "), clean(gloss.split(';  "')[0].split('; "')[0])


# --- queries --------------------------------------------------------------------------------------

TEMPLATES = [
    "{}", "{} server", "{} tools", "{} integration", "mcp server for {}", "use {} from my assistant", "connect to {}", "search {}",
    "how do I connect an agent to {}?", "something that works with {}", "I want to talk to {}", "read data from {}", "automate {}",
    "manage {}", "let the model use {}", "is there a server for {}?", "write to {}", "{} api access", "ask questions about {}",
    "get information from {}", "control {} with natural language", "find a tool for {}", "query {}", "monitor {}", "best {} connector",
]
ACTIONS = ["{}", "a tool to {}", "how can I {}?", "let the agent {}", "I need to {}", "server that can {}", "{} automatically"]


def queries(topics, actions, n, rng):
    out = [rng.choice(TEMPLATES).format(rng.choice(topics)) for _ in range(n * 2 // 3)]
    return out + [rng.choice(ACTIONS).format(rng.choice(actions)) for _ in range(n - len(out))]


# --- the mix --------------------------------------------------------------------------------------


def is_test(text):
    """One text in thirty-seven is for the test, chosen by its digest, so that it stays the same in every mix."""
    return hashlib.sha256(text.lower().encode()).digest()[0] % 40 == 0


def build(cfg):
    """Returns {source: [text]} with duplicates removed, and every text there is for counting words."""
    rng = random.Random(SEED)
    packages = [p for path in cfg.summaries for p in summaries(path)]
    mcp = [p for p in packages if re.search(r"\bmcp\b|model context protocol", p[0] + " " + p[1], re.I)]
    ai = [p for p in packages if re.search(r"\b(agents?|llm|ai|api|sdk|client|database|search)\b", p[1], re.I)]
    calls = [c for c in list(aws()) + list(google()) if len(c[1]) > 10]
    glosses = list(wordnet(cfg.wordnet))
    packaged = list(debian())
    topics = sorted({m.group(1).strip(" .-") for _, s in mcp for m in FOR.finditer(s)})
    topics += sorted({words(re.sub(r"(?i)\b(mcp|server)\b", " ", words(n.split("/")[-1]))) for n, _ in mcp})
    topics = [t for t in topics if 3 <= len(t) <= 40]
    actions = sorted({c[0] for c in calls if 2 <= len(c[0].split()) <= 5})

    def named(pairs, share):
        return [f"{words(n.split('/')[-1])}: {s}" if rng.random() < share else s for n, s in pairs]

    size = cfg.scale
    pick = lambda xs, n: rng.sample(xs, min(len(xs), int(n * size)))
    mix = {
        "catalogue": list(inner(cfg.catalogs)),
        "mcp packages": named(pick(mcp, 30000), 0.3),
        "packages": named(pick(ai, 60000), 0.2) + named(pick(packages, 70000), 0.2),
        "debian": pick(packaged, 20000),
        "interfaces": [f"{n}: {s}" if rng.random() < 0.3 else s for n, s in pick(calls, 40000)],
        "glosses": [f"{w}: {g}" if rng.random() < 0.6 else g for w, g in pick(glosses, 55000)],
        "queries": queries(topics, actions, int(45000 * size), rng),
    }
    held = {t.lower() for t in servers(cfg.catalogs)}
    held |= {t.split(". ", 1)[-1] for t in held}
    seen = set()
    for name, texts in mix.items():
        kept = []
        for t in texts:
            if len(t) > 2 and t.lower() not in seen and t.lower() not in held:
                seen.add(t.lower())
                kept.append(t)
        mix[name] = kept
    count = collections.Counter()
    split = re.compile(r"[a-z0-9]+")
    for _, s in packages:
        count.update(split.findall(s.lower()))
    for texts in mix.values():
        for t in texts:
            count.update({w: 5 for w in split.findall(t.lower())})
    return mix, count
