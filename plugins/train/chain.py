"""Measures the chain of rules natively on posts of our own: escalation and sentiment, without the host.

usage: chain.py FILE.tsv... | chain.py --source SOURCE

Each rule judges with what the rules before it settled, as `signalbox eval --field escalation` does it through the host. A source of
`posts.py` is worth measuring where `escalate` was trained without it (`escalate.py ... --without SOURCE`). No text is printed.
"""

import csv
import json
import sys

import numpy as np

from common import judge
from posts import everything

RULES = ("categorize", "sentiment", "urgency", "guard", "escalate")
SETTLES = {"categorize": "category", "set_intent": "intent", "set_language": "language", "flag_sentiment": "sentiment"}


def chain(texts):
    """What is settled of each text, its level, and the rules that escalate it."""
    settled, found = [{"tags": []} for _ in texts], []
    for rule in RULES:
        found = judge(rule, [json.dumps({"event": {"text": text}, "settled": so_far}) for text, so_far in zip(texts, settled)])
        for so_far, proposals in zip(settled, found):
            for effect in (proposal["effect"] for proposal in proposals):
                if effect["type"] in SETTLES:
                    so_far[SETTLES[effect["type"]]] = effect["value"]
                elif effect["type"] == "tag":
                    so_far["tags"].append(effect["value"])
    escalate = [[p for p in proposals if p["effect"]["type"] == "escalate"] for proposals in found]
    levels = [max((p["effect"]["value"]["level"] for p in each), default=0) for each in escalate]
    return settled, levels, [[p["rule_id"] for p in each] for each in escalate]


def rows(name):
    if name.endswith(".tsv"):
        with open(name, encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        yes = lambda row, key: row[key] == "yes"
        return [(r["text"], r["lang"], r["sentiment"], yes(r, "escalate"), yes(r, "safety"), yes(r, "security"), r["style"]) for r in found]
    return [(p.text, p.lang, p.sentiment, p.escalate, p.safety, p.security, "") for p in everything() if p.source == name]


def measure(name):
    posts = rows(name)
    settled, levels, why = chain([post[0] for post in posts])
    wanted, came = np.array([post[3] for post in posts]), np.array(levels) >= 1
    alarm = np.array([post[4] or post[5] for post in posts])
    hit = (wanted & came).sum()
    print(f"{name}: {len(posts)} posts; escalate F1 {2 * hit / max(1, wanted.sum() + came.sum()):.3f}, precision {hit / max(1, came.sum()):.2f}, "
          f"recall {hit / max(1, wanted.sum()):.2f}; safety and security missed {(alarm & ~came).sum()} of {alarm.sum()}")
    felt = np.array([so_far["sentiment"]["label"].removeprefix("very_") == post[2] for so_far, post in zip(settled, posts)])
    english = np.array([post[1] == "en" for post in posts])
    part = lambda rows: f"{100 * felt[rows].mean():.1f}" if rows.any() else "-"
    print(f"  sentiment {100 * felt.mean():.1f} % right, English {part(english)}, other languages {part(~english)}")
    return posts, settled, came, why, felt


if __name__ == "__main__":
    for name in sys.argv[1:]:
        if name != "--source":
            measure(name)
