"""Reads every post of our own that may be trained on, in one shape.

Six sources, by how they were made: `recipe` (own.py), `grammar` (data/generate.py), `written` (data/written.tsv), `hand`, `late`
and `kinds` (data/hand_*.txt). The first two are templates, so that their posts resemble each other: a score on an unseen post of theirs says
nothing. What a model is worth on the words of somebody else is measured by leaving out a whole source that was written by hand.
"""

from dataclasses import dataclass

import numpy as np

from own import HERE, read

HAND = ("hand_en.txt", "hand_grave.txt", "hand_world.txt", "hand_more.txt")
# Written later than the others, apart from them, and most of it in pairs: a source of its own.
LATE = ("hand_flags.txt", "hand_tongues.txt")
# Written last, for the kinds that were missed: another one.
KINDS = ("hand_kinds.txt",)
FLAGS = {"escalate", "security", "safety", "no"}
# Sources that are written by hand, and so are judged by.
JUDGED = ("written", "hand", "late", "kinds")


@dataclass
class Post:
    text: str
    lang: str
    sentiment: str
    escalate: bool
    security: bool
    safety: bool
    source: str


def hand(name, source="hand"):
    """Posts under headings: `= LANGUAGE KIND SENTIMENT FLAG...`, then one post a line. A language `en-XX` is both in one post."""
    out, head = [], None
    for number, line in enumerate((HERE / "data" / name).read_text("utf-8").split("\n"), 1):
        if line.startswith("= "):
            head = line[2:].split()
            assert head[2] in ("negative", "neutral", "positive") and head[3:] and set(head[3:]) <= FLAGS, f"{name}:{number}: {line}"
        elif line.strip():
            lang, _, sentiment, *flags = head
            out.append(Post(line, lang.split("-")[0], sentiment, "escalate" in flags, "security" in flags, "safety" in flags, source))
    return out


def everything(but=()):
    """All of them, but for some sources."""
    yes = lambda value: value == "yes"
    out = []
    for r in read("posts.tsv"):
        source = "written" if r["id"].startswith("written") else "grammar"
        out.append(Post(r["text"], r["lang"], r["sentiment"], yes(r["escalate"]), yes(r["security"]), yes(r["safety"]), source))
    for r in read("posts.train.tsv"):
        grave = r["kind"] in ("safety", "threat", "self-harm")
        out.append(Post(r["text"], r["lang"], r["sentiment"], r["escalate"] == "1", r["kind"] == "security", grave, "recipe"))
    sources = {"hand": HAND, "late": LATE, "kinds": KINDS}
    out += [post for source, names in sources.items() for name in names for post in hand(name, source)]
    return [post for post in out if post.source not in but]


def column(posts, of):
    return np.array([getattr(post, of) for post in posts])


if __name__ == "__main__":
    for name in ("recipe", "grammar") + JUDGED:
        part = [p for p in everything() if p.source == name]
        print(f"{name}: {len(part)} posts, {sum(p.escalate for p in part)} to escalate, {sum(p.lang != 'en' for p in part)} not English")
