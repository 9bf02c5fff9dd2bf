"""Trains the IT ticket topics: plugins/categorize/src/tickets.bin.

usage: tickets.py DATA_FOLDER

One head of eight columns over words and pairs, of which the heaviest are kept. Training rows are tf-idf of length one (1 + ln of the count), without an intercept: the
rarity then folds into the weights, and the length of a row changes no decision.
"""

import sys

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from common import ROOT, Data, Features, ece, extractor, kept_bytes, report, save

BITS, KEEP, C = 16, 48000, 0.3
SCALE = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
# The order of the columns: as the plugin names them.
KEYS = ["access", "administrative-rights", "hardware", "hr-support", "internal-project", "miscellaneous", "purchase", "storage"]


def counted(raw, vocabulary):
    """A column for each feature of the vocabulary; those it does not have are left out."""
    counts, hashes, groups = raw
    row, used = np.repeat(np.arange(len(counts)), counts)[groups == 0], hashes[groups == 0]
    at = np.minimum(np.searchsorted(vocabulary, used), len(vocabulary) - 1)
    there = vocabulary[at] == used
    m = sp.csr_matrix((np.ones(there.sum(), np.float32), (row[there], at[there])), shape=(len(counts), len(vocabulary)))
    m.sum_duplicates()
    m.data = 1 + np.log(m.data)
    size = np.bincount(row, minlength=len(counts))
    return m, np.sqrt(np.maximum(size, 1))[:, None]


def main(folder):
    data, maker = Data(folder), Features(extractor(), "-", (0, 0), False, False)
    (x, y), (xd, yd) = data.xy("it-tickets", "train"), data.xy("it-tickets", "dev")
    y, yd = (np.array([label.lower().replace(" ", "-") for label in labels]) for labels in (y, yd))
    raw, raw_dev = maker.raw(x), maker.raw(xd)
    vocabulary = np.unique(raw[1][raw[2] == 0])
    rows, size = counted(raw, vocabulary)
    rarity = np.log((1 + len(x)) / (1 + np.bincount(rows.indices, minlength=len(vocabulary)))) + 1
    weighed = rows @ sp.diags(rarity)
    weighed = sp.diags(1 / np.sqrt(np.maximum(np.asarray(weighed.multiply(weighed).sum(1)).ravel(), 1e-9))) @ weighed
    model = lambda a, b: LinearSVC(C=C, class_weight="balanced", random_state=1, fit_intercept=False).fit(a, b)
    # The Rust side divides by the root of the row's size: the temperature is fitted on a tenth that this model did not see.
    held = np.arange(len(y)) % 10 == 0
    first = model(weighed[~held], y[~held])
    z = (rows[held] @ (first.coef_ * rarity).T) / size[held]
    best = min(np.linspace(0.5, 12, 47), key=lambda t: nll(z * t, np.searchsorted(KEYS, y[held])))
    head = model(weighed, y)
    assert list(head.classes_) == KEYS
    weights = head.coef_ * rarity * best
    keep = np.sort(np.argsort(-np.abs(weights).max(0), kind="stable")[:KEEP])
    dev, size = counted(raw_dev, vocabulary)
    report(f"it-tickets dev, all {len(vocabulary)} features", yd, np.array(KEYS)[((dev @ weights.T) / size).argmax(1)])
    body, q = kept_bytes(BITS, vocabulary[keep], weights[:, keep], np.zeros(len(KEYS)), SCALE)
    z = (dev[:, keep] @ q.T) / size
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    guess = np.array(KEYS)[z.argmax(1)]
    report(f"it-tickets dev, {KEEP} kept, int8", yd, guess)
    print(f"  temperature {best:.2f}, ECE {ece(p.max(1), guess == yd):.3f}")
    save(ROOT / "plugins/categorize/src/tickets.bin", [body])
    for name, digest in sorted(data.sums.items()):
        print(f"  {digest}  {name}")


def nll(z, y):
    z = z - z.max(1, keepdims=True)
    return -(z[np.arange(len(y)), y] - np.log(np.exp(z).sum(1))).mean()


if __name__ == "__main__":
    main(sys.argv[1])
