"""The student's vocabulary: the teacher's, less what never occurs, plus whole words of the domain."""

import json
import re

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers


def choose(teacher_tokenizer, count, extra):
    """Returns the tokens, the teacher's first in their order. A mean of vectors can't build a word from its
    pieces as a transformer does, so the most frequent words that the teacher splits become tokens."""
    vocab = json.loads(teacher_tokenizer.to_str())["model"]["vocab"]
    tokens = [t for t, _ in sorted(vocab.items(), key=lambda x: x[1]) if not re.fullmatch(r"\[[A-Za-z0-9]+\]", t)]
    have = set(tokens)
    digits = re.compile(r"\d{2}|^\d|^v\d")
    words = sorted((w for w, n in count.items() if n >= 10 and 3 <= len(w) <= 24 and w not in have and not digits.search(w)), key=lambda w: (-count[w], w))
    return tokens + words[:extra], len(tokens)


def tokenizer(tokens):
    """The reference of the Go tokenizer. What is not in the vocabulary has the number len(tokens)."""
    vocab = {t: i for i, t in enumerate(tokens)}
    vocab["[UNK]"] = len(tokens)
    tok = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tok.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tok
