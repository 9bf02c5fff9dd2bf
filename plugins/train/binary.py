"""Trains the two yes/no models: urgency (plugins/urgency/src/model.bin) and abuse (plugins/guard/src/model.bin).

usage: binary.py urgency|abuse DATA_FOLDER WORDS.bin

One head of one column each, whose score is a calibrated logit: a regression on scores of unseen rows is folded into it.
Folds of crisislex are whole events, as a new crisis is what the model will meet.
"""

import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve
from sklearn.svm import LinearSVC

from common import ROOT, SCALE, Data, Features, ece, extractor, head_bytes, matrix, save
from own import read

URGENT = {"Affected individuals", "Infrastructure and utilities", "Caution and advice"}


def fit(x, y, c, weight, seed=1):
    return LinearSVC(C=c, class_weight="balanced", random_state=seed, max_iter=2000).fit(x, y, sample_weight=weight)


def unseen(x, y, fold, c, weight):
    out = np.zeros(len(y))
    for f in np.unique(fold[fold >= 0]):
        out[fold == f] = fit(x[fold != f], y[fold != f], c, weight[fold != f]).decision_function(x[fold == f])
    return out


def train(name, maker, texts, y, fold, weight, dev, dev_y, bits, c, prior=None):
    """fold -1 is trained on always and calibrated on never."""
    raw, raw_dev = maker.raw(texts), maker.raw(dev)
    x, xd = matrix(raw, bits), matrix(raw_dev, bits)
    head = fit(x, y, c, weight)
    scores, rows = unseen(x, y, fold, c, weight), fold >= 0
    platt = LogisticRegression(C=100.0).fit(scores[rows, None], y[rows])
    a, b = platt.coef_[0, 0], platt.intercept_[0]
    body, q = head_bytes(bits, head.coef_ * a, head.intercept_ * a + b)
    z = (xd @ q.T)[:, 0] + head.intercept_[0] * a + b
    p = 1 / (1 + np.exp(-z))
    # The cut that is best on unseen training rows.
    cuts = np.linspace(-2, 1, 61)
    logits = scores[rows] * a + b
    cut = cuts[int(np.argmax([f1_score(y[rows], logits > k, average="macro") for k in cuts]))]
    print(f"{name} dev: macro-F1 {100 * f1_score(dev_y, z > cut, average='macro'):.2f} (cut {cut:.2f}, at 0 {100 * f1_score(dev_y, z > 0, average='macro'):.2f})"
          f"  AP {average_precision_score(dev_y, z):.4f} (base {dev_y.mean():.3f})  ECE {ece(np.maximum(p, 1 - p), (z > 0) == dev_y):.3f}")
    precision, recall, _ = precision_recall_curve(dev_y, z)
    print(f"  recall at precision 0.80 {recall[precision >= 0.8].max():.3f}; unseen rows of train: AP {average_precision_score(y[rows], logits):.4f}, macro-F1 {100 * f1_score(y[rows], logits > cut, average='macro'):.2f}")
    return body, cut


def main(which, folder, table):
    data, maker = Data(folder), Features(extractor(), table)
    if which == "urgency":
        rows, dev = data.rows("crisislex", "train"), data.rows("crisislex", "dev")
        own = read("posts.train.tsv")
        events = sorted({r["event"] for r in rows})
        texts = [r["text"] for r in rows] + [r["text"] for r in own]
        y = np.array([r["infotype"] in URGENT for r in rows] + [r["escalate"] == "1" for r in own]).astype(int)
        fold = np.array([events.index(r["event"]) % 5 for r in rows] + [-1] * len(own))
        weight = np.r_[np.ones(len(rows)), np.full(len(own), 0.7)]
        dev_y = np.array([r["infotype"] in URGENT for r in dev]).astype(int)
        body, cut = train("urgency", maker, texts, y, fold, weight, [r["text"] for r in dev], dev_y, 17, 0.05)
        out = ROOT / "plugins/urgency/src/model.bin"
    else:
        x, label = data.xy("te-offensive", "train")
        dev, dev_label = data.xy("te-offensive", "dev")
        y, dev_y = (label == "offensive").astype(int), (dev_label == "offensive").astype(int)
        fold = np.arange(len(y)) % 5
        body, cut = train("abuse", maker, x, y, fold, np.ones(len(y)), dev, dev_y, 17, 0.1)
        out = ROOT / "plugins/guard/src/model.bin"
    save(out, [body], [cut])
    for name, digest in sorted(data.sums.items()):
        print(f"  {digest}  {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
