"""Trains the IT ticket topics: plugins/categorize/src/tickets.bin.

usage: tickets.py DATA_FOLDER

One head of eight columns over words and pairs, of which those are kept that weigh most and are not too rare. Training rows are
1 + ln of the count times the weight of the feature, of length one, without an intercept: the feature's weight then folds into the
head's, and the length of a row changes no decision. A feature weighs its rarity, times how far the topics of its rows are from those of all.
Two linear models, of margins and of likelihood, are averaged: their sum is a linear model again.
"""

import sys

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from common import ROOT, Data, Features, ece, extractor, kept_bytes, report, save

BITS, KEEP, C = 17, 96000, 0.3
LIKELIHOOD_C, ROUNDS = 30, 80
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


def worth(rows, y):
    """Rarity, times a root of how much a feature tells of the topic."""
    rarity = np.log((1 + rows.shape[0]) / (1 + np.bincount(rows.indices, minlength=rows.shape[1]))) + 1
    there = rows.copy()
    there.data[:] = 1
    each = np.array([np.asarray(there[y == key].sum(0)).ravel() for key in KEYS])
    prior = np.array([(y == key).mean() for key in KEYS])[:, None]
    share = (each + prior) / (each.sum(0) + 1)
    return rarity * (0.3 + (share * np.log(share / prior)).sum(0)) ** 0.25


def train(rows, y):
    """The weights of both models, each by its own spread."""
    spread = lambda head: head.coef_ / head.decision_function(rows).std()
    margins = LinearSVC(C=C, class_weight="balanced", random_state=1, fit_intercept=False).fit(rows, y)
    likelihood = LogisticRegression(C=LIKELIHOOD_C, class_weight="balanced", max_iter=ROUNDS, fit_intercept=False).fit(rows, y)
    assert list(margins.classes_) == list(likelihood.classes_) == KEYS
    return spread(margins) + spread(likelihood)


def main(folder):
    data, maker = Data(folder), Features(extractor(), "-", (0, 0), False, False)
    (x, y), (xd, yd) = data.xy("it-tickets", "train"), data.xy("it-tickets", "dev")
    y, yd = (np.array([label.lower().replace(" ", "-") for label in labels]) for labels in (y, yd))
    raw, raw_dev = maker.raw(x), maker.raw(xd)
    vocabulary = np.unique(raw[1][raw[2] == 0])
    rows, size = counted(raw, vocabulary)
    value = worth(rows, y)
    weighed = rows @ sp.diags(value)
    weighed = sp.diags(1 / np.sqrt(np.maximum(np.asarray(weighed.multiply(weighed).sum(1)).ravel(), 1e-9))) @ weighed
    # The Rust side divides by the root of the row's size: the temperature is fitted on a tenth that this model did not see.
    held = np.arange(len(y)) % 10 == 0
    z = (rows[held] @ (train(weighed[~held], y[~held]) * value).T) / size[held]
    best = min(np.geomspace(0.02, 4, 80), key=lambda t: nll(z * t, np.searchsorted(KEYS, y[held])))
    weights = train(weighed, y) * value * best
    often = np.bincount(rows.indices, minlength=len(vocabulary))
    keep = np.sort(np.argsort(-np.abs(weights).max(0) * np.sqrt(often), kind="stable")[:KEEP])
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
