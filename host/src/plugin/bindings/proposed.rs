//! Proposals back to their wire form, for `lookup.history`. Nothing else.

use super::wire;
use crate::verdict;

impl From<verdict::Proposal> for wire::Proposal {
    fn from(proposal: verdict::Proposal) -> Self {
        Self {
            effect: proposal.effect.into(),
            reason: proposal.reason,
            confidence: proposal.confidence,
            rule_id: proposal.rule_id,
            evidence: proposal
                .evidence
                .into_iter()
                .map(|piece| wire::Evidence {
                    field: piece.field,
                    span: piece.span.map(|span| wire::Span { start: span.start, end: span.end }),
                    text: piece.text,
                    weight: piece.weight,
                })
                .collect(),
        }
    }
}

impl From<verdict::Effect> for wire::Effect {
    fn from(effect: verdict::Effect) -> Self {
        use verdict::Effect;
        match effect {
            Effect::Categorize(v) => Self::Categorize(wire::Category { key: v.key, path: v.path }),
            Effect::SetIntent(v) => Self::SetIntent(v),
            Effect::SetLanguage(v) => Self::SetLanguage(v),
            Effect::FlagSentiment(v) => Self::FlagSentiment(wire::Sentiment { label: v.label.into(), score: v.score, signals: v.signals }),
            Effect::SetUrgency(v) => Self::SetUrgency(v.into()),
            Effect::SetImpact(v) => Self::SetImpact(v.into()),
            Effect::SetPriority(v) => Self::SetPriority(v.into()),
            Effect::SetCrisis(v) => Self::SetCrisis(v.into()),
            Effect::Tag(v) => Self::Tag(v),
            Effect::Untag(v) => Self::Untag(v),
            Effect::Assign(v) => {
                Self::Assign(wire::Assignment { queue: v.queue, assignee: v.assignee, skill: v.skill, on_call: v.on_call })
            }
            Effect::Escalate(v) => Self::Escalate(wire::Escalation { level: v.level, audience: v.audience, due: v.due.map(|time| time.0) }),
            Effect::SetSla(v) => {
                Self::SetSla(wire::SlaTarget { clock: v.clock.into(), target_seconds: v.target_seconds, calendar: v.calendar })
            }
            Effect::DraftReply(v) => Self::DraftReply(wire::Reply {
                body: v.body,
                visibility: v.visibility.into(),
                language: v.language,
                article: v.article,
                auto: v.auto,
                approval: v.approval.into(),
            }),
            Effect::SuggestArticle(v) => Self::SuggestArticle(wire::Article { id: v.id, title: v.title, url: v.url, score: v.score }),
            Effect::Relate(v) => Self::Relate(wire::Link { kind: v.kind.into(), id: v.id, score: v.score }),
            Effect::Moderate(v) => Self::Moderate(v.into()),
            Effect::RaiseAlert(v) => {
                Self::RaiseAlert(wire::Alert { audience: v.audience, text: v.text, dedupe_key: v.dedupe_key, level: v.level.into() })
            }
            Effect::ActOnTicket(v) => Self::ActOnTicket(wire::TicketChange { action: v.action.into(), target: v.target, title: v.title }),
            Effect::Watch(v) => Self::Watch(v),
            Effect::SetField(v) => Self::SetField(wire::SetField { field: v.field, value: v.value.into() }),
            Effect::Note(v) => Self::Note(v),
            Effect::Mark(v) => Self::Mark(v),
            Effect::Extension(v) => Self::Extension(wire::Extension { kind: v.kind, payload: v.payload }),
        }
    }
}
