"""What the Go code must give: tokens of tricky texts, and vectors of a few."""

import json

import numpy as np

from . import fit, pack

TRICKY = [
    "", " ", "\t\n", "Hello, World!", "query a PostgreSQL database", "kubernetes k8s GitHub-Actions", "don't stop", "it's 3.14% off",
    "Ünïcödé Überraschung façade naïve", "ÅNGSTRÖM e\u0301cole", "İstanbul ISTANBUL ıspanak", "ΑΒΓΣ Σίσυφος ὈΔΥΣΣΕΎΣ", "Поиск файлов ёлка Йод",
    "数据库查询工具", "北京 beijing城市", "東京タワー ひらがな カタカナ", "데이터베이스 한국어", "مرحبا بالعالم", "שלום עולם", "हिन्दी भाषा", "ภาษาไทย",
    "emoji 🚀 rocket 🎉🎉", "👩‍💻 developer", "a\u200bb zero width", "a\u00adb soft hyphen", "a\u0000b nul", "tab\tsep\rcr\nlf", "\u2028line\u2029para\u00a0nbsp\u3000wide",
    "\ufeffbom", "a\u0007bell\u001b[0m", "\u0085next line", "v\u000bt f\u000cf", "snake_case_name camelCaseName kebab-case-name", "https://example.com/path?q=1&r=2#frag",
    "user@example.com", "C:\\Users\\me", "$HOME/.config", "1,000,000 10.0.0.1 2024-01-31", "[UNK] [CLS] [SEP] [PAD]", "##ing ##s # ##",
    "antidisestablishmentarianism", "supercalifragilisticexpialidocious", "x" * 100, "x" * 101, "é" * 100, "é" * 101, "字" * 120,
    "mcp-server-fetch@1.2.3", "(a)[b]{c}<d>", "“quoted” ‘single’ —dash– …", "¿Qué? ¡Hola!", "€100 £5 ¥7 ©®™", "½ ² ³ № ℃", "ﬁ ligature ﬂ", "Ｆｕｌｌｗｉｄｔｈ １２３",
    "a̐éö̲", "Ǆ ǅ ǆ Ǉ", "ß ẞ STRASSE", "\U00020000\U0002a6d6\U0002b740", "豈更車 compat", "\u202eright to left\u202c", "\ue000 private", "؟ ، ؛", "।॥", "、。「」・", "٠١٢ ۴۵", "ʼn ʻokina",
    "K Kelvin Å Ångström sign", "~`!@#$%^&*()_+-={}|[]\\:\";'<>?,./", "one  two   three", "E=mc² a≤b → c", "\x7fdel", "\ufffdreplacement", "A\u030a\u0327 order of marks",
]


def write(folder, tok, model, texts):
    with open(f"{folder}/tokens.json", "w", encoding="utf-8") as f:
        json.dump([{"text": t, "tokens": [x for x in tok.encode(t, add_special_tokens=False).tokens if x != "[UNK]"]} for t in TRICKY], f, indent=1)
        f.write("\n")
    tokens, v = pack.read(model)
    got = fit.unit(fit.bags(tok, texts, len(tokens)) @ v)
    with open(f"{folder}/vectors.json", "w", encoding="utf-8") as f:
        json.dump([{"text": t, "begins": np.round(x[:16].astype(float), 5).tolist()} for t, x in zip(texts, got)], f, indent=1)
        f.write("\n")
