"""Trains what `escalate` knows of grave, security and safety: plugins/escalate/src/model.bin.

usage: escalate.py DATA_FOLDER WORDS.bin VECTORS.json [--without SOURCE]

Two heads of three columns, whose scores are added: features, and what word vectors say of single words. Trained on our own posts of
every language; public tweets stand in, lightly, for what nobody escalates. Each score is a calibrated logit: the regression is fitted
on the posts of a source written by hand that the heads had not seen. Without a source of them it is no model to ship: the whole
chain can then be measured on words that it has not met (`chain.py`).
"""

import sys

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.svm import LinearSVC

from common import ROOT, SCALE, Data, Features, extractor, head_bytes, matrix, save
from posts import JUDGED, column, everything
from vectors import Vectors

BITS, C = 17, 1.0
# Words that have vectors, and rows for them: half as many again, so that a look for a word that is not there ends soon.
NEAR, NEAR_BITS = 40_000, 16
COLUMNS = ("grave", "security", "safety")
# What a post counts: of a template, by hand, a public tweet (every fourth one).
TEMPLATE, HAND, TWEET = 0.5, 1.5, 0.02
EVERY = 4


def fit(x, y, weight):
    return LinearSVC(C=C, class_weight="balanced", random_state=1, max_iter=4000).fit(x, y, sample_weight=weight)


def main(folder, table, vectors, flag=None, without=None):
    data, maker = Data(folder), Features(extractor(), table)
    posts = everything({without})
    tweets = data.xy("te-sentiment", "train")[0][::EVERY]
    near, raw = Vectors(vectors, maker, data, NEAR), maker.raw([p.text for p in posts] + tweets)
    x = sp.hstack([matrix(raw, BITS), near.pooled(raw)]).tocsr()
    source = np.r_[column(posts, "source"), np.full(len(tweets), "tweet")]
    weight = np.select([source == "tweet", np.isin(source, JUDGED)], [TWEET, HAND], TEMPLATE)
    escalate, security, safety = (np.r_[column(posts, of), np.zeros(len(tweets), bool)].astype(int) for of in ("escalate", "security", "safety"))
    judged = np.isin(source, JUDGED)
    weights, biases, chances = [], [], {}
    for name, y in zip(COLUMNS, (escalate, security, safety)):
        unseen = np.zeros(len(y))
        for part in sorted(set(source[judged])):
            out = source == part
            unseen[out] = fit(x[~out], y[~out], weight[~out]).decision_function(x[out])
        platt = LogisticRegression(C=100.0).fit(unseen[judged, None], y[judged])
        a, b = platt.coef_[0, 0], platt.intercept_[0]
        chances[name] = 1 / (1 + np.exp(-(unseen[judged] * a + b)))
        print(f"{name}, sources not seen: AP {average_precision_score(y[judged], unseen[judged]):.3f} (base {y[judged].mean():.3f})")
        head = fit(x, y, weight)
        weights.append(head.coef_[0] * a)
        biases.append(head.intercept_[0] * a + b)
    grave, alarm = escalate[judged], (security | safety)[judged] == 1
    for own in (0.4, 0.45, 0.5):
        for red in (0.2, 0.3, 0.4):
            p = (chances["grave"] >= own) | (chances["security"] >= red) | (chances["safety"] >= red)
            print(f"  from {own:.2f}, alarms from {red:.2f}: F1 {f1_score(grave, p):.3f}, precision {grave[p].mean():.2f}, recall {p[grave == 1].mean():.2f}, alarms missed {np.sum(alarm & ~p)} of {alarm.sum()}")
    weights = np.array(weights)
    body, _ = head_bytes(BITS, weights[:, : 1 << BITS], biases, SCALE)
    save(ROOT / "plugins/escalate/src/model.bin", [body, near.head(NEAR_BITS, weights[:, 1 << BITS :])])
    for name, digest in sorted(data.sums.items()):
        print(f"  {digest}  {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
