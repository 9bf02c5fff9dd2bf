//! The bindings that wasmtime makes from `wit/`, and the conversions between them and the host's own types. Nothing else:
//! generated types never leave `plugin/`.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "rule-plugin",
    imports: { default: trappable },
    require_store_data_send: true,
});

mod proposed;

use self::signalbox::rules::types as wire;
use crate::event;
use crate::verdict;

pub use self::exports::signalbox::rules::metadata::{Description, Example, Permission};
pub use self::signalbox::rules::types::RuleError;
pub use self::signalbox::rules::types::{Event, Span};
pub use self::signalbox::rules::{clock, facts, logging, lookup, normal, state};

impl From<&event::Event> for wire::Event {
    fn from(event: &event::Event) -> Self {
        Self {
            id: event.id.clone(),
            revision: event.revision,
            source: event.source.clone(),
            kind: event.kind.clone(),
            network: event.network.clone(),
            action: event.action.clone(),
            direction: match event.direction {
                event::Direction::Inbound => wire::Direction::Inbound,
                event::Direction::Outbound => wire::Direction::Outbound,
            },
            visibility: event.visibility.into(),
            text: event.text.clone(),
            title: event.title.clone(),
            language: event.language.clone(),
            thread_id: event.thread_id.clone(),
            rating: event.rating,
            occurred: event.occurred.map(|time| time.0),
            received: event.received.0,
        }
    }
}

impl From<&event::Author> for wire::Author {
    fn from(author: &event::Author) -> Self {
        Self {
            id: author.id.clone(),
            handle: author.handle.clone(),
            name: author.name.clone(),
            followers: author.followers,
            verified: author.verified,
            vip: author.vip,
            organisation: author.organisation.clone(),
            staff: author.staff,
            bot: author.bot,
        }
    }
}

impl From<&event::Ticket> for wire::Ticket {
    fn from(ticket: &event::Ticket) -> Self {
        Self {
            id: ticket.id.clone(),
            number: ticket.number.clone(),
            status: ticket.status.clone(),
            priority: ticket.priority.clone(),
            queue: ticket.queue.clone(),
            assignee: ticket.assignee.clone(),
            tags: ticket.tags.clone(),
            opened: ticket.opened.map(|time| time.0),
        }
    }
}

impl From<&event::Attachment> for wire::Attachment {
    fn from(attachment: &event::Attachment) -> Self {
        Self {
            media_type: attachment.media_type.clone(),
            url: attachment.url.clone(),
            bytes: attachment.bytes,
            alt_text: attachment.alt_text.clone(),
        }
    }
}

impl From<&event::Attribute> for wire::Attribute {
    fn from(attribute: &event::Attribute) -> Self {
        Self { key: attribute.key.clone(), value: attribute.value.clone().into() }
    }
}

impl From<event::AttributeValue> for wire::AttributeValue {
    fn from(value: event::AttributeValue) -> Self {
        match value {
            event::AttributeValue::Text(v) => Self::Text(v),
            event::AttributeValue::Integer(v) => Self::Integer(v),
            event::AttributeValue::Decimal(v) => Self::Decimal(v),
            event::AttributeValue::Boolean(v) => Self::Boolean(v),
            event::AttributeValue::Texts(v) => Self::Texts(v),
        }
    }
}

impl From<wire::AttributeValue> for event::AttributeValue {
    fn from(value: wire::AttributeValue) -> Self {
        match value {
            wire::AttributeValue::Text(v) => Self::Text(v),
            wire::AttributeValue::Integer(v) => Self::Integer(v),
            wire::AttributeValue::Decimal(v) => Self::Decimal(v),
            wire::AttributeValue::Boolean(v) => Self::Boolean(v),
            wire::AttributeValue::Texts(v) => Self::Texts(v),
        }
    }
}

impl From<wire::Attribute> for event::Attribute {
    fn from(attribute: wire::Attribute) -> Self {
        Self { key: attribute.key, value: attribute.value.into() }
    }
}

/// An enum that both sides spell alike, converted both ways.
macro_rules! same_cases {
    ($host:ty, $wire:ty, $($case:ident),+) => {
        impl From<$host> for $wire {
            fn from(value: $host) -> Self {
                match value { $(<$host>::$case => Self::$case),+ }
            }
        }
        impl From<$wire> for $host {
            fn from(value: $wire) -> Self {
                match value { $(<$wire>::$case => Self::$case),+ }
            }
        }
    };
}

same_cases!(event::Visibility, wire::Visibility, Public, Followers, Private, Unknown);
same_cases!(verdict::SentimentLabel, wire::SentimentLabel, VeryNegative, Negative, Neutral, Positive, VeryPositive);
same_cases!(verdict::Level, wire::Level, Low, Normal, High, Critical);
same_cases!(verdict::Crisis, wire::Crisis, None, Watch, Likely, Confirmed);
same_cases!(verdict::SlaClock, wire::SlaClock, FirstResponse, NextResponse, Resolution);
same_cases!(verdict::Approval, wire::Approval, None, Agent, Supervisor, Pr);
same_cases!(verdict::LinkKind, wire::LinkKind, Incident, Problem, Change, Service, Asset, DuplicateOf, ThreadParent, Similar);
same_cases!(verdict::Moderation, wire::Moderation, Ignore, Hide, MarkSpam, Delete, BlockAuthor);
same_cases!(verdict::TicketAction, wire::TicketAction, Create, Update, Reopen, Merge, Close);
same_cases!(verdict::Flow, wire::Flow, Next, Stop);

impl From<&verdict::SoFar> for wire::SoFar {
    fn from(settled: &verdict::SoFar) -> Self {
        Self {
            category: settled.category.clone().map(|category| wire::Category { key: category.key, path: category.path }),
            intent: settled.intent.clone(),
            language: settled.language.clone(),
            sentiment: settled.sentiment.clone().map(|sentiment| wire::Sentiment {
                label: sentiment.label.into(),
                score: sentiment.score,
                signals: sentiment.signals,
            }),
            urgency: settled.urgency.map(Into::into),
            impact: settled.impact.map(Into::into),
            priority: settled.priority.map(Into::into),
            crisis: settled.crisis.into(),
            tags: settled.tags.clone(),
            assignment: settled.assignment.clone().map(|assignment| wire::Assignment {
                queue: assignment.queue,
                assignee: assignment.assignee,
                skill: assignment.skill,
                on_call: assignment.on_call,
            }),
            escalation: settled.escalation.clone().map(|escalation| wire::Escalation {
                level: escalation.level,
                audience: escalation.audience,
                due: escalation.due.map(|time| time.0),
            }),
            moderation: settled.moderation.map(Into::into),
            marks: settled.marks.clone(),
            fields: settled
                .fields
                .iter()
                .map(|field| wire::SetField { field: field.field.clone(), value: field.value.clone().into() })
                .collect(),
        }
    }
}

impl From<wire::Verdict> for verdict::Verdict {
    fn from(verdict: wire::Verdict) -> Self {
        Self { proposals: verdict.proposals.into_iter().map(Into::into).collect(), flow: verdict.flow.into() }
    }
}

impl From<wire::Proposal> for verdict::Proposal {
    fn from(proposal: wire::Proposal) -> Self {
        Self {
            effect: proposal.effect.into(),
            reason: proposal.reason,
            confidence: proposal.confidence,
            rule_id: proposal.rule_id,
            evidence: proposal
                .evidence
                .into_iter()
                .map(|piece| verdict::Evidence {
                    field: piece.field,
                    span: piece.span.map(|span| verdict::Span { start: span.start, end: span.end }),
                    text: piece.text,
                    weight: piece.weight,
                })
                .collect(),
        }
    }
}

impl From<wire::Effect> for verdict::Effect {
    fn from(effect: wire::Effect) -> Self {
        match effect {
            wire::Effect::Categorize(v) => Self::Categorize(verdict::Category { key: v.key, path: v.path }),
            wire::Effect::SetIntent(v) => Self::SetIntent(v),
            wire::Effect::SetLanguage(v) => Self::SetLanguage(v),
            wire::Effect::FlagSentiment(v) => {
                Self::FlagSentiment(verdict::Sentiment { label: v.label.into(), score: v.score, signals: v.signals })
            }
            wire::Effect::SetUrgency(v) => Self::SetUrgency(v.into()),
            wire::Effect::SetImpact(v) => Self::SetImpact(v.into()),
            wire::Effect::SetPriority(v) => Self::SetPriority(v.into()),
            wire::Effect::SetCrisis(v) => Self::SetCrisis(v.into()),
            wire::Effect::Tag(v) => Self::Tag(v),
            wire::Effect::Untag(v) => Self::Untag(v),
            wire::Effect::Assign(v) => {
                Self::Assign(verdict::Assignment { queue: v.queue, assignee: v.assignee, skill: v.skill, on_call: v.on_call })
            }
            wire::Effect::Escalate(v) => {
                Self::Escalate(verdict::Escalation { level: v.level, audience: v.audience, due: v.due.map(event::Timestamp) })
            }
            wire::Effect::SetSla(v) => {
                Self::SetSla(verdict::SlaTarget { clock: v.clock.into(), target_seconds: v.target_seconds, calendar: v.calendar })
            }
            wire::Effect::DraftReply(v) => Self::DraftReply(verdict::Reply {
                body: v.body,
                visibility: v.visibility.into(),
                language: v.language,
                article: v.article,
                auto: v.auto,
                approval: v.approval.into(),
            }),
            wire::Effect::SuggestArticle(v) => {
                Self::SuggestArticle(verdict::Article { id: v.id, title: v.title, url: v.url, score: v.score })
            }
            wire::Effect::Relate(v) => Self::Relate(verdict::Link { kind: v.kind.into(), id: v.id, score: v.score }),
            wire::Effect::Moderate(v) => Self::Moderate(v.into()),
            wire::Effect::RaiseAlert(v) => {
                Self::RaiseAlert(verdict::Alert { audience: v.audience, text: v.text, dedupe_key: v.dedupe_key, level: v.level.into() })
            }
            wire::Effect::ActOnTicket(v) => {
                Self::ActOnTicket(verdict::TicketChange { action: v.action.into(), target: v.target, title: v.title })
            }
            wire::Effect::Watch(v) => Self::Watch(v),
            wire::Effect::SetField(v) => Self::SetField(verdict::SetField { field: v.field, value: v.value.into() }),
            wire::Effect::Note(v) => Self::Note(v),
            wire::Effect::Mark(v) => Self::Mark(v),
            wire::Effect::Extension(v) => Self::Extension(verdict::Extension { kind: v.kind, payload: v.payload }),
        }
    }
}
