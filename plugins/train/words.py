"""Makes the word table that the models share: clusters of words that people use alike, and how words feel.

Clusters: brendano/ark-tweet-nlp `6mpaths` (credited in the model cards). Feelings: the lexicon of vaderSentiment 3.3.2 (MIT),
its emoji descriptions, and the words of our own sentiment plugin for the other languages.

usage: words.py 6mpaths.tsv.gz OUT.bin [least count] [bits]
"""

import gzip
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from common import ROOT, extractor


def vader():
    home = Path(importlib.util.find_spec("vaderSentiment").origin).parent
    lexicon = {}
    for line in (home / "vader_lexicon.txt").read_text("utf-8").splitlines():
        parts = line.split("\t")
        if len(parts) > 1:
            lexicon[parts[0]] = float(parts[1])
    emoji = {}
    for line in (home / "emoji_utf8_lexicon.txt").read_text("utf-8").splitlines():
        sign, text = line.split("\t")
        emoji[sign] = max(-4.0, min(3.9, sum(lexicon.get(w, 0.0) for w in re.findall(r"\w+", text.lower()))))
    # What the descriptions miss: faces whose names say nothing of the feeling.
    emoji.update({"😡": -3.2, "😠": -3.0, "🤬": -3.5, "😤": -2.0, "🙄": -1.8, "😒": -1.8, "👎": -2.5, "👍": 2.2, "🙏": 1.4, "💔": -2.6, "🤮": -3.0,
                  "🤢": -2.5, "💩": -1.8, "🔥": 1.2, "💯": 1.8, "🎉": 2.6, "🥳": 2.9, "👏": 2.0, "🙌": 2.2, "💪": 1.6, "😭": -1.2, "😩": -1.9, "😫": -2.0,
                  "😢": -2.2, "😞": -2.2, "🤦": -1.8, "🖕": -3.4, "✨": 1.2, "⭐": 1.5, "🏆": 2.0, "❤": 3.0, "😍": 3.0, "😂": 1.0, "🤣": 1.0, "😊": 2.4})
    return lexicon, emoji


def own():
    """Single words of our sentiment plugin, all languages."""
    words = {}
    for line in (ROOT / "plugins/sentiment/src/lexicon.txt").read_text("utf-8").splitlines():
        if line.startswith("# ") or " : " not in line or line.startswith(("boost", "damp")):
            continue
        head, rest = line.split(" : ", 1)
        for word in rest.split(", "):
            word = word.strip()
            if " " not in word and "*" not in word and not word.startswith("#"):
                words.setdefault(word, float(head.split()[0]))
    return words


def main(clusters, out, least=20, bits=17):
    lexicon, emoji = vader()
    feeling = dict(own())
    feeling.update({k: v for k, v in lexicon.items()})
    feeling.update(emoji)
    rows, seen = [], set()
    lines = [line.split("\t") for line in gzip.open(clusters, "rt", encoding="utf-8").read().splitlines()]
    paths = {}
    for path, word, count in lines:
        if int(count) >= least or word in feeling:
            paths.setdefault(word, path)
    for path, word, count in sorted(lines, key=lambda l: -int(l[2])):
        if word in paths and word not in seen:
            seen.add(word)
            rows.append((word, path, feeling.get(word, 0.0)))
    rows += [(word, "-", v) for word, v in sorted(feeling.items()) if word not in seen and v]
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as f:
        f.write("".join(f"{w}\t{p}\t{v:.3f}\n" for w, p, v in rows if "\t" not in w))
        f.flush()
        subprocess.run([str(extractor()), "words", f.name, str(out), str(bits)], check=True)
    print(f"{len(rows)} words, {len(set(p for _, p, _ in rows))} clusters, {Path(out).stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(int(a) for a in sys.argv[3:]))
