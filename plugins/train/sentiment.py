"""Trains the sentiment model: plugins/sentiment/src/model.bin.

usage: sentiment.py DATA_FOLDER WORDS.bin [--measure]

Three heads over the same features: is it English; English; eight languages. The English one has five columns: is it a post to an
IT desk, then negative and positive against neutral for public posts, and the same for posts to a desk, where a bare fault report
is negative. What the plugin answers lies between the two, as the first column says. A small regression weighs each pair and what
the plugin's own words say (their score and signals); it is fitted on scores of posts that the head had not seen.
"""

import sys

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from common import ROOT, SCALE, Data, Features, extractor, head_bytes, judge, matrix, report, save, svc
from posts import JUDGED, column, everything

EN_BITS, MULTI_BITS, GATE_BITS = 17, 17, 13
GATE_SCALE = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
CLASSES = ["negative", "neutral", "positive"]
CARE = {"self-harm", "threat", "legal-threat", "churn"}
FOLDS = 4
# What a post of our own counts beside a public one: of a template, and written by hand.
TEMPLATE, HAND = 0.5, 1.5
# The same factor again for the side of public posts, and for the side of the desk, where a public post counts little.
OWN_SOCIAL, OWN_DESK, PUBLIC_DESK = 0.5, 3.0, 0.05
OWN_MULTI = 1.0
# How steeply it changes over from one side to the other.
STEEP = 1.0
# Written after this model was trained.
LATER = {"kinds"}
DESK_C = 0.03
# What a post of our own counts where it is told whether a post is to a desk: many of ours are short, as tweets are.
OWN_GATE = 0.6


def words_say(texts):
    """What the plugin's words say, as the plugin computes it: the first six numbers of its stack."""
    rows = []
    for proposals in judge("sentiment", texts, '{"domain": "words"}'):
        value = proposals[0]["effect"]["value"]
        score, signals = value["score"], set(value["signals"])
        rows.append([min(score, 0), max(score, 0), score == 0, "sarcasm" in signals, bool(CARE & signals), "gratitude" in signals])
    return np.array(rows, dtype=float)


def stack(scores, said, y, weight=None):
    return LogisticRegression(C=1.0, class_weight="balanced", max_iter=2000).fit(np.c_[scores, said], y, sample_weight=weight)


class Side:
    """Public rows and our own, and what they count on this side."""

    def __init__(self, public, own, y, own_y, weight, own_weight, c=0.1):
        self.x, self.y, self.weight, self.c = sp.vstack([public, own]), np.r_[y, own_y], np.r_[weight, own_weight], c

    def fit(self, rows=slice(None)):
        return svc(self.x[rows], self.y[rows], self.c, weight=self.weight[rows])

    def unseen(self, parts):
        """Scores of rows by heads that were trained without their part; a part of -1 is always trained on."""
        out = np.zeros((len(self.y), 3))
        for part in sorted(set(parts) - {-1}):
            out[parts == part] = self.fit(parts != part).decision_function(self.x[parts == part])
        return out


def two(head, regression):
    """The head and its part of the regression: weights and bias of negative and positive against neutral, and what the words weigh."""
    assert list(head.classes_) == list(regression.classes_) == CLASSES
    to_neutral = np.array([[1, -1, 0], [0, -1, 1]])
    a = to_neutral @ regression.coef_
    return a[:, :3] @ head.coef_, a[:, :3] @ head.intercept_ + to_neutral @ regression.intercept_, a[:, 3:]


def english(x, own, y, own_y, said, own_said, source):
    """The five columns, and what the words say on both sides."""
    public, by_hand = len(y), np.where(np.isin(source, JUDGED), HAND, TEMPLATE)
    social = Side(x, own, y, own_y, np.ones(public), by_hand * OWN_SOCIAL)
    folds = np.r_[np.arange(public) % FOLDS, np.full(len(own_y), -1)]
    unseen = social.unseen(folds)[:public]
    social_two = two(social.fit(), stack(unseen, said, y))
    desk = Side(x, own, y, own_y, np.full(public, PUBLIC_DESK), by_hand * OWN_DESK)
    parts = np.r_[np.full(public, -1), np.select([source == name for name in JUDGED], range(len(JUDGED)), -1)]
    judged = parts >= 0
    regression = stack(desk.unseen(parts)[judged], own_said[judged[public:]], own_y[judged[public:]])
    desk_two = two(desk.fit(), regression)
    which = np.r_[np.zeros(public), np.ones(len(own_y))]
    gate = svc(social.x, which, DESK_C, weight=np.r_[np.ones(public), by_hand * OWN_GATE])
    weights = np.vstack([STEEP * gate.coef_, social_two[0], desk_two[0]])
    bias = np.r_[STEEP * gate.intercept_, social_two[1], desk_two[1]]
    return head_bytes(EN_BITS, weights, bias)[0], np.r_[social_two[2].ravel(), desk_two[2].ravel()]


def languages(x, own, y, own_y, said, own_said):
    """Two columns for the other languages."""
    public = len(y)
    side = Side(x, own, y, own_y, np.ones(public), np.full(len(own_y), OWN_MULTI))
    folds = np.r_[np.arange(public) % FOLDS, np.full(len(own_y), -1)]
    regression = stack(side.unseen(folds)[:public], said, y)
    weights, bias, words = two(side.fit(), regression)
    return head_bytes(MULTI_BITS, weights, bias)[0], words.ravel()


def main(folder, table):
    data, maker, posts = Data(folder), Features(extractor(), table), everything(LATER)
    x, y = data.xy("te-sentiment", "train")
    rows = [r for r in data.rows("umsab", "train") if r["lang"] != "en"]
    ox, oy = [r["text"] for r in rows], np.array([r["label"] for r in rows])
    own, own_multi = ([p for p in posts if (p.lang == "en") == wanted] for wanted in (True, False))
    texts, multi_texts = x + [p.text for p in own], ox + [p.text for p in own_multi]
    raw, raw_multi = maker.raw(texts), maker.raw(multi_texts)
    said, multi_said = words_say(texts), words_say(multi_texts)
    en, multi = matrix(raw, EN_BITS), matrix(raw_multi, MULTI_BITS)
    n, m = len(x), len(ox)

    gate_x = sp.vstack([matrix(raw, GATE_BITS, GATE_SCALE), matrix(raw_multi, GATE_BITS, GATE_SCALE)])
    gate = svc(gate_x, np.r_[np.zeros(len(texts)), np.ones(len(multi_texts))], 1.0)
    gate_body, _ = head_bytes(GATE_BITS, gate.coef_, gate.intercept_, GATE_SCALE)
    en_body, en_words = english(en[:n], en[n:], y, column(own, "sentiment"), said[:n], said[n:], column(own, "source"))
    multi_body, multi_words = languages(multi[:m], multi[m:], oy, column(own_multi, "sentiment"), multi_said[:m], multi_said[m:])
    # Six numbers of what the words say, for negative and for positive: English in public, English to a desk, other languages.
    numbers = np.r_[en_words, multi_words]
    print(np.round(numbers.reshape(6, 6), 2))
    save(ROOT / "plugins/sentiment/src/model.bin", [gate_body, en_body, multi_body], numbers)
    for name, digest in sorted(data.sums.items()):
        print(f"  {digest}  {name}")


def measure(folder):
    data = Data(folder)
    for name in ("te-sentiment", "airline", "vader-tweets", "brands", "umsab"):
        rows = data.rows(name, "dev")
        p = predictions(judge("sentiment", [r["text"] for r in rows]))
        y = np.array([r["label"] for r in rows])
        report(f"{name} dev", y, p[0])
        from common import ece
        print(f"    ECE {ece(p[1], p[0] == y):.3f}")
        if name == "umsab":
            from sklearn.metrics import f1_score
            langs = np.array([r["lang"] for r in rows])
            each = {str(l): 100 * f1_score(y[langs == l], p[0][langs == l], average="macro") for l in sorted(set(langs))}
            print(f"    mean macro-F1 {np.mean(list(each.values())):.2f}", {k: round(v, 1) for k, v in each.items()})


def predictions(judged):
    value = [j[0]["effect"]["value"]["label"].removeprefix("very_") for j in judged]
    return np.array(value), np.array([j[0]["confidence"] for j in judged])


if __name__ == "__main__":
    if "--measure" in sys.argv:
        measure(sys.argv[1])
    else:
        main(sys.argv[1], sys.argv[2])
