"""Outage words raise urgency: the example rule, in Python.

`configure` runs once and the host may keep what it leaves in memory; `evaluate` runs once per event and must not remember.
"""

import json
import re
from typing import List

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.metadata import Description, Example
from wit_world.exports.rule import ConfigProblem
from wit_world.imports.types import (
    Category,
    Effect_Categorize,
    Effect_FlagSentiment,
    Effect_SetUrgency,
    Event,
    Evidence,
    Flow,
    Level,
    Proposal,
    Sentiment,
    SentimentLabel,
    SoFar,
    Span,
    Verdict,
)

DEFAULTS = {"category": "outage", "urgency": "high", "words": ["down", "offline", "outage", "unreachable"]}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "category": {"type": "string", "minLength": 1, "default": DEFAULTS["category"]},
        "urgency": {"enum": ["low", "normal", "high", "critical"], "default": DEFAULTS["urgency"]},
        "words": {"type": "array", "minItems": 1, "maxItems": 500, "items": {"type": "string"}, "default": DEFAULTS["words"]},
    },
}
EXAMPLES = [
    Example(
        "an outage",
        json.dumps({"id": "1", "text": "The VPN is DOWN again. Total outage!"}),
        None,
        None,
        json.dumps(
            {
                "proposals": [
                    {"effect": {"type": "categorize", "value": {"key": "outage"}}, "evidence": [{"text": "DOWN", "span": {"start": 11, "end": 15}}]},
                    {"effect": {"type": "set_urgency", "value": "high"}},
                ]
            }
        ),
    ),
    Example("nothing to say", json.dumps({"id": "2", "text": "Thanks, all good."}), None, None, json.dumps({"absent": ["set_urgency"]})),
]
# A word is a run of ASCII letters and digits, and of everything beyond ASCII: the same in every language of these examples.
WORD = re.compile(rb"[A-Za-z0-9\x80-\xff]+")

config = dict(DEFAULTS)
words: frozenset[bytes] = frozenset()


class Metadata(exports.Metadata):
    def describe(self) -> Description:
        return Description(
            name="outage-words-python",
            version="0.1.0",
            summary="Outage words raise urgency.",
            homepage=None,
            license="Apache-2.0",
            event_kinds=[],
            effects=["categorize", "flag-sentiment", "set-urgency"],
            requests=[],
            config_schema=json.dumps(SCHEMA),
            examples=EXAMPLES,
        )


class Rule(exports.Rule):
    def configure(self, text: str) -> None:
        global config, words
        given = {**DEFAULTS, **json.loads(text)}
        problems = [
            ConfigProblem(f"/words/{at}", f"`{word}` is not one word: letters and digits only")
            for at, word in enumerate(given["words"])
            if not WORD.fullmatch(word.encode())
        ]
        if problems:
            raise Err(problems)
        config, words = given, frozenset(word.encode().lower() for word in given["words"])

    def evaluate(self, event: Event, settled: SoFar) -> Verdict:
        hits = [hit for hit in WORD.finditer(event.text.encode()) if hit.group().lower() in words]
        if not hits:
            return Verdict([], Flow.NEXT)
        evidence = [Evidence("text", Span(hit.start(), hit.end()), hit.group().decode(), 1.0) for hit in hits[:16]]
        count = min(len(hits), 4)
        label = SentimentLabel.VERY_NEGATIVE if count > 2 else SentimentLabel.NEGATIVE
        effects = [
            Effect_Categorize(Category(config["category"], [])),
            Effect_FlagSentiment(Sentiment(label, -2 * count / 10, [])),
            Effect_SetUrgency(Level[config["urgency"].upper()]),
        ]
        reason = f"the text says “{evidence[0].text}”"
        return Verdict([Proposal(effect, reason, (50 + 10 * count) / 100, None, evidence) for effect in effects], Flow.NEXT)
