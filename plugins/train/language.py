"""Trains the language model: plugins/language/src/model.bin.

usage: language.py DATA_FOLDER [--measure]

One head of eight columns over words, pairs and pieces of words: the seven languages that are served, and any other. Our own posts of
every language, public posts of six, and data/strangers.txt for what is none of them. The scores are folded into logits.
"""

import sys

import numpy as np
from sklearn.svm import LinearSVC

from common import HERE, ROOT, Data, Features, ece, extractor, head_bytes, judge, matrix, save
from posts import column, everything

LANGUAGES = ["de", "en", "es", "fi", "fr", "it", "pt"]
OTHER = "zz"
BITS, C, TWEETS = 14, 0.3, 8
SCALE = np.array([1.0, 0.0, 1.2, 0.0, 0.0])
# Written after this model was trained, and without news for it.
LATER = {"kinds"}
# Posts of the grammar resemble each other, and the few lines of strangers must be heard.
WEIGHT = {"recipe": 0.3, "grammar": 0.3, "stranger": 6.0}


def strangers():
    lines = (HERE / "data/strangers.txt").read_text("utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("= ")]


def fit(x, y, weight):
    return LinearSVC(C=C, class_weight="balanced", random_state=1, max_iter=4000).fit(x, y, sample_weight=weight)


def softmax(z):
    p = np.exp(z - z.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def main(folder):
    data, maker, posts = Data(folder), Features(extractor(), "-", (2, 4), False, False), everything(LATER)
    tweets = data.xy("te-sentiment", "train")[0][::TWEETS]
    rows = [r for r in data.rows("umsab", "train") if r["lang"] != "en"]
    public = [r["lang"] if r["lang"] in LANGUAGES else OTHER for r in rows]
    others = strangers()
    texts = [p.text for p in posts] + tweets + [r["text"] for r in rows] + others
    y = np.r_[column(posts, "lang"), np.full(len(tweets), "en"), public, np.full(len(others), OTHER)]
    source = np.r_[column(posts, "source"), np.full(len(tweets) + len(rows), "public"), np.full(len(others), "stranger")]
    weight = np.array([WEIGHT.get(s, 1.0) for s in source])
    x = matrix(maker.raw(texts), BITS, SCALE)
    held = (np.arange(len(y)) % 10 == 0) | (source == "late")
    first = fit(x[~held], y[~held], weight[~held])
    names = first.classes_
    z, right = first.decision_function(x[held]), np.searchsorted(names, y[held])
    best = min(np.linspace(1, 12, 45), key=lambda t: -np.log(softmax(z * t)[np.arange(len(right)), right] + 1e-9).mean())
    for part in ("late", "hand", "public"):
        here = source[held] == part
        print(f"unseen posts, {part}: accuracy {np.mean(z[here].argmax(1) == right[here]):.4f} of {here.sum()}")
    head = fit(x, y, weight)
    body, q = head_bytes(BITS, head.coef_ * best, head.intercept_ * best, SCALE)
    dev = [r for r in data.rows("umsab", "dev")]
    yd = np.array([r["lang"] if r["lang"] in LANGUAGES else OTHER for r in dev])
    p = softmax(matrix(maker.raw([r["text"] for r in dev]), BITS, SCALE) @ q.T + head.intercept_ * best)
    guess, sure = names[p.argmax(1)], p.max(1)
    for name in names:
        print(f"  {name}: recall {np.mean(guess[yd == name] == name) if (yd == name).any() else float('nan'):.3f}")
    print(f"umsab dev: accuracy {np.mean(guess == yd):.4f}, ECE {ece(sure, guess == yd):.3f}; sure from 0.6: {np.mean(sure >= 0.6):.3f}, right {np.mean((guess == yd)[sure >= 0.6]):.4f}; temperature {best:.2f}")
    assert list(names) == LANGUAGES + [OTHER]
    save(ROOT / "plugins/language/src/model.bin", [body])
    for name, digest in sorted(data.sums.items()):
        print(f"  {digest}  {name}")


def measure(folder):
    """What the plugin itself says of public posts; other languages are right when none is named."""
    rows = Data(folder).rows("umsab", "dev")
    said = [j[0]["effect"]["value"] if j and j[0]["effect"]["type"] == "set_language" else OTHER for j in judge("language", [r["text"] for r in rows])]
    right = [(r["lang"] if r["lang"] in LANGUAGES else OTHER) == s for r, s in zip(rows, said)]
    served = [ok for r, ok in zip(rows, right) if r["lang"] in LANGUAGES]
    print(f"umsab dev: accuracy {np.mean(right):.4f}, of served languages {np.mean(served):.4f}")


if __name__ == "__main__":
    (measure if "--measure" in sys.argv else main)(sys.argv[1])
