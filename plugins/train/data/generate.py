#!/usr/bin/env python3
"""Writes posts.tsv, the training posts, from the grammar and from written.tsv; byte for byte the same on every machine.

    python3 generate.py            writes posts.tsv
    python3 generate.py --check    fails when posts.tsv is not what it would write, or when a label or the held-out part breaks a rule
    python3 generate.py --stats    counts by category, style, language

Only the standard library, and no random module: its sequences may change between versions of Python.
"""

import argparse
import collections
import pathlib
import re
import sys

# What is compiled is not ours to leave behind.
sys.dont_write_bytecode = True

import scenes_en  # noqa: E402
import scenes_world  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
HEADER = ["id", "text", "lang", "category", "sentiment", "urgency", "escalate", "safety", "security", "style", "twin"]
CATEGORIES = {"security", "outage", "billing", "technical-fault", "spam", "product-complaint", "how-to", "idea", "praise", "other"}
LEVELS = {"low", "medium", "high", "critical"}
LANGUAGES = {"en", "de", "es", "fr", "fi", "pt", "it"}
SEED = 20240517
# A sentence of the grammar is used at most this often: its second coming carries noise that the first did not.
REUSE = 2

EMOJI = {
    "neg": ["😡", "🤬", "😤", "😞", "🙄", "😠", "👎", "😭", "🤦", "💀"],
    "pos": ["😊", "🎉", "🙏", "❤️", "👍", "😍", "👏", "🥳", "💯", ":)"],
    "neu": ["🤔", "👋", "🙂", "💻", "📎"],
    "ask": ["🤔", "🙏", "🙂", "❓"],
    "grave": ["😱", "🆘", "😰", "‼️"],
}
TAGS = {
    "neg": ["#fail", "#helpdesk", "#nothappy", "#support", "#itfail", "#customerservice"],
    "pos": ["#thankyou", "#greatservice", "#itheroes", "#happycustomer", "#support"],
    "neu": ["#question", "#it", "#help", "#servicedesk", "#monday"],
    "ask": ["#question", "#howto", "#help", "#servicedesk"],
    "grave": ["#urgent", "#help", "#emergency"],
}


class Dice:
    """SplitMix64: eight lines that are the same everywhere."""

    def __init__(self, seed):
        self.state = seed & (2**64 - 1)

    def roll(self, sides):
        self.state = (self.state + 0x9E3779B97F4A7C15) & (2**64 - 1)
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
        return (z ^ (z >> 31)) % sides

    def pick(self, items):
        return items[self.roll(len(items))]

    def chance(self, percent):
        return self.roll(100) < percent


def fill(frame, slots, chosen, dice):
    """Fills a frame; `chosen` remembers, so that twins speak of the same things."""
    frame = re.sub(r"\[([^\[\]]*)\]", lambda m: dice.pick(m.group(1).split("|")), frame)
    frame = frame.replace("{{", "\x01").replace("}}", "\x02")
    for _ in range(3):
        def one(match):
            name = match.group(1)
            if name not in chosen:
                chosen[name] = dice.pick(slots[name])
            return chosen[name]
        frame = re.sub(r"\{(\w+)\}", one, frame)
    return re.sub(r"  +", " ", frame.replace("\x01", "{").replace("\x02", "}")).strip()


def sentence(text):
    """Capitals where sentences begin; a frame that is written small throughout stays so."""
    return re.sub(r"(^|[.!?] )([a-zà-ÿ])", lambda m: m.group(1) + m.group(2).upper(), text)


def typo(word, dice):
    if len(word) < 4 or not word.isalpha():
        return word
    at = 1 + dice.roll(len(word) - 2)
    kind = dice.roll(4)
    if kind == 0:
        return word[:at] + word[at + 1:]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    if kind == 2:
        return word[: at - 1] + word[at] + word[at - 1] + word[at + 1:]
    return word[:at] + dice.pick("aeinorst") + word[at + 1:]


def noise(text, tone, lang, dice, grave):
    """How people really type. It never changes what a post says."""
    style = dice.roll(100)
    if style < 14:
        words = text.split(" ")
        for _ in range(1 + dice.roll(2)):
            at = dice.roll(len(words))
            if not words[at].startswith(("@", "#", "http")):
                words[at] = typo(words[at], dice)
        text = " ".join(words)
    elif style < 22 and tone in ("neg", "grave"):
        text = text.upper()
    elif style < 30:
        text = text.lower()
    elif style < 36 and tone in ("neg", "pos"):
        longest = re.search(r"\b(so|very|really|never|again|why|nothing|great|love|thank|please|still|down|gone|toll|danke|nunca|gracias|merci|encore|kiitos|taas|obrigado|grazie|mai)\b", text, re.I)
        if longest:
            word = longest.group(0)
            vowels = [i for i, c in enumerate(word) if c.lower() in "aeiouy"]
            at = vowels[-1]
            text = text[: longest.start()] + word[:at] + word[at] * (3 + dice.roll(4)) + word[at + 1:] + text[longest.end():]
    elif style < 40:
        text = text.replace("'", "")
    if tone in ("neg", "grave") and dice.chance(12):
        text = re.sub(r"[.!?]$", "", text) + dice.pick(["!!!", "!!", "???", "...", "?!"])
    if dice.chance(6 if grave else 14):
        text = f"{text} {dice.pick(EMOJI[tone])}" + (dice.pick(EMOJI[tone]) if dice.chance(25) else "")
    if dice.chance(4 if grave else 9):
        text = f"{text} {dice.pick(TAGS[tone])}"
    if dice.chance(4):
        text = f"{text} https://t.example/{dice.roll(90000) + 10000}"
    if lang != "en" and dice.chance(7):
        text = f"{dice.pick(scenes_en.SLOTS['brand'])} {text}"
    return text


def english(frame, tone, chosen, dice):
    """A core with something before and after it, in English."""
    core = fill(frame, scenes_en.SLOTS, chosen, dice)
    small = frame[:1].islower() and "{" not in frame[:1]
    core = core if small else sentence(core)
    opening = fill(dice.pick(scenes_en.OPEN[tone]).strip(), scenes_en.SLOTS, {}, dice)
    closing = fill(dice.pick(scenes_en.CLOSE[tone]).strip(), scenes_en.SLOTS, {}, dice)
    return core, " ".join(part for part in (opening, core, closing) if part)


def labelled(frame, labels):
    """A frame and its labels: its own, or the scene's."""
    return frame if isinstance(frame, tuple) else (frame, labels)


class Writer:
    def __init__(self):
        self.rows, self.seen, self.cores = [], set(), collections.Counter()

    def add(self, name, text, lang, labels, style, twin):
        category, sentiment, urgency, escalate, flags = labels
        text = text.replace("\t", " ").replace("\n", " ").strip()
        key = re.sub(r"\W+", " ", text.lower()).strip()
        if key in self.seen:
            return False
        self.seen.add(key)
        number = sum(1 for row in self.rows if row[0].startswith(f"{lang}-{name}-")) + 1
        flag = ["yes" if known in flags.split() else "no" for known in ("safety", "security")]
        self.rows.append([f"{lang}-{name}-{number:03}", text, lang, category, sentiment, urgency, escalate, *flag, style, twin])
        return True

    def scene(self, name, style, count, tone, make, lang):
        """Posts of one scene, until there are enough or the grammar has no more to say."""
        dice = Dice(SEED + sum(ord(c) * 131**i for i, c in enumerate(f"{lang}/{name}")))
        done, tries = 0, 0
        while done < count and tries < count * 12:
            tries += 1
            core, text, labels = make(dice)
            if self.cores[core] >= REUSE:
                continue
            text = noise(text, tone, lang, dice, labels[4] != "")
            if self.add(name, text, lang, labels, style, ""):
                self.cores[core] += 1
                done += 1


def build():
    writer = Writer()
    for name, style, count, tone, labels, frames in scenes_en.SCENES:

        def make(dice):
            frame, own = labelled(dice.pick(frames), labels)
            return *english(frame, tone, {}, dice), own

        writer.scene(name, style, count, tone, make, "en")
    for name, style, count, parts in scenes_en.TWINS:
        dice = Dice(SEED + sum(ord(c) * 137**i for i, c in enumerate(name)))
        for number in range(1, count + 1):
            chosen, at = {}, dice.roll(min(len(part[3]) for part in parts))
            for part, tone, labels, frames in parts:
                frame, own = labelled(frames[at], labels)
                _, text = english(frame, tone, chosen, dice)
                writer.add(f"{name}-{part}", noise(text, tone, "en", dice, own[4] != ""), "en", own, style, f"en-{name}-{number:03}")
    for lang, tongue in scenes_world.WORLD.items():
        for key, frames in tongue["scenes"].items():
            name, style, tone, labels = scenes_world.LABELS[key]

            def make(dice):
                frame = dice.pick(frames)
                own = next(own for slot, own in scenes_world.SARCASM.items() if slot in frame) if key == "sarcasm" else labels
                core = sentence(fill(frame, tongue["slots"], {}, dice))
                return core, core, own

            writer.scene(name, style, scenes_world.COUNTS[key], tone, make, lang)
    rows = writer.rows + read("written.tsv")
    return "".join("\t".join(row) + "\n" for row in [HEADER, *rows])


# Never trained on.
HELD = ("heldout.tsv", "heldout2.tsv")


def read(name):
    lines = (HERE / name).read_text(encoding="utf-8").split("\n")
    if lines[0].split("\t") != HEADER:
        raise SystemExit(f"{name}: its header is not {HEADER}")
    return [line.split("\t") for line in lines[1:] if line]


def plain(text):
    return re.sub(r"\W+", " ", text.lower()).strip()


def triples(text):
    words = plain(text).split()
    return {tuple(words[at : at + 3]) for at in range(len(words) - 2)}


def faults(text):
    """What breaks a rule, in sentences."""
    rows = [line.split("\t") for line in text.split("\n")[1:] if line]
    held = [row for name in HELD for row in read(name)]
    ids, found = set(), []
    for row in rows + held:
        if len(row) != len(HEADER):
            found.append(f"{row[:2]}: {len(row)} cells, not {len(HEADER)}")
            continue
        post = dict(zip(HEADER, row))
        flags = {post[key] for key in ("escalate", "safety", "security")}
        wrong = [
            post["category"] not in CATEGORIES,
            post["sentiment"] not in ("negative", "neutral", "positive"),
            post["urgency"] not in LEVELS,
            not flags <= {"yes", "no"},
            post["lang"] not in LANGUAGES,
            not post["text"].strip() or not post["style"],
            "{" in re.sub(r'\{"[^}]*\}', "", post["text"]),
            post["id"] in ids,
            "yes" in (post["safety"], post["security"]) and post["escalate"] != "yes",
            post["category"] == "praise" and post["sentiment"] != "positive",
            post["urgency"] == "critical" and post["escalate"] != "yes",
        ]
        ids.add(post["id"])
        if any(wrong):
            found.append(f"{post['id']}: rule {wrong.index(True) + 1}: {post['text']}")
    trained = {plain(row[1]) for row in rows}
    found += [f"{row[0]}: held out, and trained on: {row[1]}" for row in held if plain(row[1]) in trained]
    # The parts are written apart: a held-out post shares at most half of its word triples with any one training post.
    by_hand = [line for path in sorted(HERE.glob("hand_*.txt")) for line in path.read_text("utf-8").split("\n") if line and line[:2] != "= "]
    texts = [row[1] for row in rows] + by_hand
    found += [f"{row[0]}: held out, and trained on: {row[1]}" for row in held if plain(row[1]) in set(map(plain, by_hand))]
    spots = collections.defaultdict(set)
    for number, text in enumerate(texts):
        for triple in triples(text):
            spots[triple].add(number)
    for row in held:
        mine = triples(row[1])
        shared = collections.Counter(number for triple in mine for number in spots[triple])
        if shared and shared.most_common(1)[0][1] * 2 > len(mine):
            found.append(f"{row[0]}: held out, and nearly trained on: {row[1]} / {texts[shared.most_common(1)[0][0]]}")
    if len(rows) < 3000 or len(held) < 150:
        found.append(f"{len(rows)} posts and {len(held)} held out; at least 3000 and 150 are promised")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--stats", action="store_true")
    args = parser.parse_args()
    text = build()
    problems = faults(text)
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    if problems:
        raise SystemExit(f"{len(problems)} rules broken")
    rows = [line.split("\t") for line in text.split("\n")[1:] if line]
    if args.stats:
        for key in ("lang", "category", "sentiment", "urgency", "escalate", "safety", "security", "style"):
            at = HEADER.index(key)
            for name, part in (("posts", rows), ("held out", [row for name in HELD for row in read(name)])):
                print(f"{key}, {name}:", ", ".join(f"{value} {n}" for value, n in sorted(collections.Counter(row[at] for row in part).items())))
    file = HERE / "posts.tsv"
    if args.check:
        if file.read_text(encoding="utf-8") != text:
            raise SystemExit("posts.tsv is not what the grammar writes; run generate.py")
        print(f"posts.tsv is what the grammar writes: {len(rows)} posts")
        return
    file.write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(rows)} posts written")


if __name__ == "__main__":
    main()
