"""Trains the sentiment model: plugins/sentiment/src/model.bin.

usage: sentiment.py DATA_FOLDER WORDS.bin [--measure]

Three heads over the same features: is it English, English, eight languages. A small regression then weighs the head and what
the plugin's own words say (their score and signals); it is fitted on scores that the head gave to posts it had not seen.
"""

import sys

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from common import ROOT, SCALE, Data, Features, extractor, head_bytes, judge, matrix, report, save, svc
from own import own_posts

EN_BITS, MULTI_BITS, GATE_BITS = 18, 17, 13
GATE_SCALE = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
CARE = {"self-harm", "threat", "legal-threat", "churn"}
FOLDS = 4
# What a post of our own counts beside a public one.
OWN_WEIGHT = 0.5
OWN_STACK_WEIGHT = 0.3


def words_say(texts):
    """What the plugin's words say, as the plugin computes it: the first six numbers of its stack."""
    rows = []
    for proposals in judge("sentiment", texts, '{"domain": "words"}'):
        value = proposals[0]["effect"]["value"]
        score, signals = value["score"], set(value["signals"])
        rows.append([min(score, 0), max(score, 0), score == 0, "sarcasm" in signals, bool(CARE & signals), "gratitude" in signals])
    return np.array(rows, dtype=float)


def unseen_scores(x, y, public, c):
    """Scores of a head for rows it was not trained on. Posts of our own are made from templates: no fold is trained on them,
    or the regression would trust the head for what it only knows by heart."""
    out, fold = np.zeros((len(y), 3)), np.arange(len(y)) % FOLDS
    seen = np.arange(len(y)) < public
    for f in range(FOLDS):
        train = seen & (fold != f)
        out[fold == f] = svc(x[train], y[train], c).decision_function(x[fold == f])
    return out


def stack(scores, said, y, weight):
    return LogisticRegression(C=1.0, class_weight="balanced", max_iter=2000).fit(np.c_[scores, said], y, sample_weight=weight)


def folded(head, regression, bits, keep=None):
    """The head and its part of the regression as one head of two columns: negative and positive against neutral."""
    to_neutral = np.array([[1, -1, 0], [0, -1, 1]])
    a = to_neutral @ regression.coef_
    bias = a[:, :3] @ head.intercept_ + to_neutral @ regression.intercept_
    body, _ = head_bytes(bits, a[:, :3] @ head.coef_, bias, SCALE, keep)
    return body, a[:, 3:]


def main(folder, table):
    data, maker = Data(folder), Features(extractor(), table)
    classes = ["negative", "neutral", "positive"]
    x, y = data.xy("te-sentiment", "train")
    rows = [r for r in data.rows("umsab", "train")]
    other = [r for r in rows if r["lang"] != "en"]
    ox, oy = [r["text"] for r in other], np.array([r["label"] for r in other])
    own_en, own_multi = own_posts()

    raw, raw_other = maker.raw(x + [t for t, _ in own_en]), maker.raw(ox + [t for t, _ in own_multi])
    y, oy = np.r_[y, [l for _, l in own_en]], np.r_[oy, [l for _, l in own_multi]]
    weight = np.r_[np.ones(len(x)), np.full(len(own_en), OWN_WEIGHT)]
    oweight = np.r_[np.ones(len(ox)), np.full(len(own_multi), OWN_WEIGHT)]
    sweight = np.r_[np.ones(len(x)), np.full(len(own_en), OWN_STACK_WEIGHT)]
    osweight = np.r_[np.ones(len(ox)), np.full(len(own_multi), OWN_STACK_WEIGHT)]
    said, osaid = words_say(x + [t for t, _ in own_en]), words_say(ox + [t for t, _ in own_multi])

    en, multi = matrix(raw, EN_BITS), matrix(raw_other, MULTI_BITS)
    en_head, multi_head = svc(en, y, 0.1, weight=weight), svc(multi, oy, 0.1, weight=oweight)
    en_stack = stack(unseen_scores(en, y, len(x), 0.1), said, y, sweight)
    multi_stack = stack(unseen_scores(multi, oy, len(ox), 0.1), osaid, oy, osweight)
    assert list(en_head.classes_) == list(multi_head.classes_) == list(en_stack.classes_) == classes

    gate_x = sp.vstack([matrix(raw, GATE_BITS, GATE_SCALE), matrix(raw_other, GATE_BITS, GATE_SCALE)])
    gate_y = np.r_[np.zeros(len(y)), np.ones(len(oy))]
    gate = svc(gate_x, gate_y, 1.0)

    en_body, en_said = folded(en_head, en_stack, EN_BITS)
    multi_body, multi_said = folded(multi_head, multi_stack, MULTI_BITS)
    gate_body, _ = head_bytes(GATE_BITS, gate.coef_, gate.intercept_, GATE_SCALE)
    # Six numbers of what the words say, for negative and for positive; English, then the others.
    numbers = np.r_[en_said.ravel(), multi_said.ravel()]
    print(np.round(en_said, 2), np.round(multi_said, 2), sep="\n")
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
