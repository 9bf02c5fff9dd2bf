"""Measures how faithful the first reason of the sentiment rule is: what happens when its words are deleted, or a random word.

usage: deletion.py DATA_FOLDER

600 posts of te-sentiment dev, judged natively by the plugin as it ships. The fall is that of the confidence in the side that won;
where another side wins afterwards, the first one has at most what that one leaves.
"""

import random
import re
import sys

import numpy as np

from common import Data, judge

POSTS, SEED = 600, 1


def side(judged):
    proposal = judged[0]
    return proposal["effect"]["value"]["label"].removeprefix("very_"), proposal["confidence"], proposal["evidence"]


def cut(text, start, end):
    raw = text.encode("utf-8")
    return (raw[:start] + b" " + raw[end:]).decode("utf-8", "ignore")


def main(folder):
    dice = random.Random(SEED)
    texts = [r["text"] for r in Data(folder).rows("te-sentiment", "dev")][:POSTS]
    first, kept, rand = [side(j) for j in judge("sentiment", texts)], [], []
    for text, (label, sure, evidence) in zip(texts, first):
        spans = [e["span"] for e in evidence if e["field"] == "text" and e["weight"] > 0]
        words = [m.span() for m in re.finditer(r"\w+", text)]
        if not spans or len(words) < 3:
            continue
        start, end = dice.choice(words)
        bytes_to = lambda at: len(text[:at].encode("utf-8"))
        kept.append((label, sure, cut(text, spans[0]["start"], spans[0]["end"])))
        rand.append(cut(text, bytes_to(start), bytes_to(end)))
    falls = {}
    for name, changed in (("first reason", [k[2] for k in kept]), ("random word", rand)):
        after = [side(j) for j in judge("sentiment", changed)]
        fall = [sure - (now if label == was else min(1 - now, now)) for (was, sure, _), (label, now, _) in zip(kept, after)]
        turned = np.mean([label != was for (was, _, _), (label, _, _) in zip(kept, after)])
        falls[name] = np.mean(fall)
        print(f"{name}: confidence falls by {np.mean(fall):.4f}, the side turns in {100 * turned:.1f} % of {len(kept)} posts")
    print(f"ratio {falls['first reason'] / falls['random word']:.1f}")


if __name__ == "__main__":
    main(sys.argv[1])
