//! The merge law: how proposals, step by step, become a decision.
//!
//! Called by the chain between steps. Later steps win for single values; lists are unions with caps; escalation, crisis,
//! urgency, impact, priority and SLA targets move to the stricter side only, unless the step holds `lower`; what needs a grant
//! and has none is held for a person; what the plugin did not declare is dropped. Nothing is taken silently: [`Applied`] says
//! what was set and what was not, and why.

use std::collections::BTreeMap;

use super::law::{Changed, MAX_WORDS, Refusal, body, cut, escalated, json, set_field, single, stricter, union, unit, word};
use super::{Change, Decision, Dropped, Head, ModerationDecision, OTHER, TagChanges, TraceEntry};
use crate::event::{Event, Related, Visibility};
use crate::grant::Grant;
use crate::verdict::{
    Alert, Approval, Article, Assignment, Category, Crisis, Effect, Extension, Flow, Link, LinkKind, Moderation, Proposal, Reply,
    SlaTarget, SoFar, TicketChange, Verdict,
};

/// Most proposals of one verdict; later ones are dropped. Three times what the richest bundled rule proposes.
const MAX_PROPOSALS: usize = 64;
/// Most pieces of evidence kept per proposal.
const MAX_EVIDENCE: usize = 16;
/// Most entries of each list of a decision: what a person can still read, and a desk's API still takes.
const MAX_TAGS: usize = 32;
const MAX_LINKS: usize = 16;
const MAX_ALERTS: usize = 8;
const MAX_NOTES: usize = 8;
const MAX_REPLIES: usize = 5;
/// Longest alert or reason, characters.
const MAX_SENTENCE_CHARS: usize = 500;
/// The top of the house.
const MAX_ESCALATION: u8 = 4;

/// A set of effects by case name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EffectSet(u32);

impl EffectSet {
    /// Reads case names as `describe` gives them.
    ///
    /// # Errors
    /// The first name that is no effect.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        names.into_iter().try_fold(Self::default(), |set, name| match Effect::NAMES.iter().position(|known| *known == name) {
            Some(at) => Ok(Self(set.0 | 1 << at)),
            None => Err(name.to_owned()),
        })
    }

    fn contains(self, effect: &Effect) -> bool {
        Effect::NAMES.iter().position(|name| *name == effect.name()).is_some_and(|at| self.0 & 1 << at != 0)
    }
}

/// On which terms a step's proposals are taken.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// What the plugin declared.
    pub effects: EffectSet,
    /// What the admin granted.
    pub grants: Vec<Grant>,
}

impl Terms {
    fn holds(&self, grant: &Grant) -> bool {
        self.grants.contains(grant)
    }
}

/// What one verdict changed.
#[derive(Debug, Default)]
pub struct Applied {
    /// What was set, in order.
    pub set: Vec<Change>,
    /// What was not taken, in order.
    pub dropped: Vec<Dropped>,
    /// Whether the chain ends here.
    pub stop: bool,
}

/// A decision in the making.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    settled: SoFar,
    confidence: BTreeMap<String, f32>,
    untag: Vec<String>,
    sla: Vec<SlaTarget>,
    replies: Vec<Reply>,
    articles: Vec<Article>,
    links: Vec<Link>,
    moderation_needs_approval: bool,
    alerts: Vec<Alert>,
    ticket_changes: Vec<TicketChange>,
    watchers: Vec<String>,
    notes: Vec<String>,
    extensions: Vec<Extension>,
}

impl Draft {
    /// A decision about an event, with what the host has found it to be related to.
    pub fn of(event: &Event) -> Self {
        let Related { like, incidents } = Related::of(event);
        let incidents = incidents.into_iter().map(|id| Link { kind: LinkKind::Incident, id, score: 1.0 });
        let like = like.map(|like| {
            let kind = if like.same_author && like.score >= 1.0 { LinkKind::DuplicateOf } else { LinkKind::Similar };
            Link { kind, id: like.ticket.unwrap_or(like.event), score: like.score as f32 }
        });
        Self { links: incidents.chain(like).take(MAX_LINKS).collect(), ..Self::default() }
    }

    /// What the next step may see.
    pub fn settled(&self) -> &SoFar {
        &self.settled
    }

    /// Takes one verdict on the step's terms.
    pub fn apply(&mut self, verdict: Verdict, terms: &Terms) -> Applied {
        let mut applied = Applied::default();
        let excess = verdict.proposals.len().saturating_sub(MAX_PROPOSALS);
        for proposal in verdict.proposals.into_iter().take(MAX_PROPOSALS) {
            let effect = proposal.effect.name();
            if let Err(reason) = self.propose(proposal, terms, &mut applied) {
                applied.dropped.push(Dropped { effect: effect.to_owned(), reason });
            }
        }
        if excess > 0 {
            applied
                .dropped
                .push(Dropped { effect: "any".to_owned(), reason: format!("{excess} proposals past the {MAX_PROPOSALS} of one verdict") });
        }
        match verdict.flow {
            Flow::Stop if terms.holds(&Grant::Stop) => applied.stop = true,
            Flow::Stop => {
                applied.dropped.push(Dropped { effect: "stop".to_owned(), reason: "ending the chain needs the grant `stop`".to_owned() })
            }
            Flow::Next => {}
        }
        applied
    }

    /// The finished decision.
    pub fn finish(self, head: Head, degraded: bool, stopped_by: Option<String>, trace: Vec<TraceEntry>) -> Decision {
        let settled = self.settled;
        Decision {
            head,
            follows: None,
            degraded,
            category: settled.category.unwrap_or_else(|| Category { key: OTHER.to_owned(), path: Vec::new() }),
            intent: settled.intent,
            language: settled.language,
            sentiment: settled.sentiment,
            urgency: settled.urgency,
            impact: settled.impact,
            priority: settled.priority,
            crisis: settled.crisis,
            confidence: self.confidence,
            tags: TagChanges { add: settled.tags, remove: self.untag },
            assignment: settled.assignment,
            escalation: settled.escalation.unwrap_or_default(),
            sla: self.sla,
            replies: self.replies,
            articles: self.articles,
            links: self.links,
            moderation: settled.moderation.map(|action| ModerationDecision { action, needs_approval: self.moderation_needs_approval }),
            alerts: self.alerts,
            ticket_changes: self.ticket_changes,
            watchers: self.watchers,
            fields: settled.fields,
            notes: self.notes,
            marks: settled.marks,
            extensions: self.extensions,
            held: None,
            stopped_by,
            trace,
        }
    }

    fn propose(&mut self, proposal: Proposal, terms: &Terms, applied: &mut Applied) -> Result<(), Refusal> {
        let Proposal { effect, reason, confidence, rule_id, mut evidence } = proposal;
        if !terms.effects.contains(&effect) {
            return Err("the plugin did not declare this effect in `describe`".to_owned());
        }
        if !(0.0..=1.0).contains(&confidence) {
            return Err(format!("confidence {confidence} is outside 0.0 to 1.0"));
        }
        if evidence.iter().any(|piece| !piece.weight.is_finite()) {
            return Err("a piece of evidence has a weight that is not a number".to_owned());
        }
        evidence.truncate(MAX_EVIDENCE);
        let (field, from, to) = self.settle(effect, confidence, terms, applied)?;
        let reason = cut(&reason, MAX_SENTENCE_CHARS);
        applied.set.push(Change { field: field.to_owned(), from, to, reason, confidence, rule_id, evidence });
        Ok(())
    }

    /// Gives the decision's field, its old value and its new one.
    fn settle(&mut self, effect: Effect, confidence: f32, terms: &Terms, applied: &mut Applied) -> Result<Changed, Refusal> {
        let lower = terms.holds(&Grant::Lower);
        let settled = &mut self.settled;
        let mut sure = |key: &str| {
            self.confidence.insert(key.to_owned(), confidence);
        };
        Ok(match effect {
            Effect::Categorize(category) => {
                word("category key", &category.key)?;
                sure("category");
                single("/category", &mut settled.category, category)
            }
            Effect::SetIntent(intent) => {
                word("intent", &intent)?;
                sure("intent");
                single("/intent", &mut settled.intent, intent)
            }
            Effect::SetLanguage(language) => {
                word("language", &language)?;
                sure("language");
                single("/language", &mut settled.language, language)
            }
            Effect::FlagSentiment(sentiment) => {
                if !(-1.0..=1.0).contains(&sentiment.score) {
                    return Err(format!("sentiment score {} is outside -1.0 to 1.0", sentiment.score));
                }
                sure("sentiment");
                single("/sentiment", &mut settled.sentiment, sentiment)
            }
            Effect::SetUrgency(level) => {
                let change = stricter("/urgency", &mut settled.urgency, level, lower)?;
                sure("urgency");
                change
            }
            Effect::SetImpact(level) => {
                let change = stricter("/impact", &mut settled.impact, level, lower)?;
                sure("impact");
                change
            }
            Effect::SetPriority(level) => {
                let change = stricter("/priority", &mut settled.priority, level, lower)?;
                sure("priority");
                change
            }
            Effect::SetCrisis(crisis) => {
                let mut old = (settled.crisis != Crisis::None).then_some(settled.crisis);
                let change = stricter("/crisis", &mut old, crisis, lower)?;
                settled.crisis = crisis;
                sure("crisis");
                change
            }
            Effect::Tag(tag) => {
                self.untag.retain(|other| *other != tag);
                union("/tags/add", &mut settled.tags, word("tag", &tag).map(|()| tag)?, MAX_TAGS)?
            }
            Effect::Untag(tag) => {
                settled.tags.retain(|other| *other != tag);
                union("/tags/remove", &mut self.untag, word("tag", &tag).map(|()| tag)?, MAX_TAGS)?
            }
            Effect::Assign(new) => {
                for (name, value) in [("queue", &new.queue), ("assignee", &new.assignee), ("skill", &new.skill), ("on-call", &new.on_call)]
                {
                    value.as_ref().map_or(Ok(()), |value| word(name, value))?;
                }
                let old = settled.assignment.take();
                let from = old.as_ref().map(json);
                let old = old.unwrap_or_default();
                let merged = Assignment {
                    queue: new.queue.or(old.queue),
                    assignee: new.assignee.or(old.assignee),
                    skill: new.skill.or(old.skill),
                    on_call: new.on_call.or(old.on_call),
                };
                let to = json(&merged);
                settled.assignment = Some(merged);
                sure("assignment");
                ("/assignment", from, to)
            }
            Effect::Escalate(new) => {
                if new.level > MAX_ESCALATION {
                    return Err(format!("escalation level {} is past {MAX_ESCALATION}", new.level));
                }
                new.audience.iter().try_for_each(|name| word("audience", name))?;
                let old = settled.escalation.take();
                let from = old.as_ref().map(json);
                let merged = if lower { new } else { escalated(old.unwrap_or_default(), new) };
                let to = json(&merged);
                settled.escalation = Some(merged);
                sure("escalation");
                ("/escalation", from, to)
            }
            Effect::SetSla(target) => {
                let old = self.sla.iter().position(|old| old.clock == target.clock);
                let from = old.map(|at| json(&self.sla[at]));
                match old {
                    Some(at) if target.target_seconds > self.sla[at].target_seconds && !lower => {
                        return Err(format!(
                            "would relax the target from {} to {} s: needs the grant `lower`",
                            self.sla[at].target_seconds, target.target_seconds
                        ));
                    }
                    Some(at) => self.sla[at] = target.clone(),
                    None => self.sla.push(target.clone()),
                }
                ("/sla", from, json(&target))
            }
            Effect::DraftReply(mut reply) => {
                body("reply", &reply.body)?;
                if reply.auto && !terms.holds(&Grant::AutoReply) {
                    reply.auto = false;
                    reply.approval = reply.approval.max(Approval::Agent);
                    let reason = "kept as a draft: sending without a person needs the grant `auto-reply`".to_owned();
                    applied.dropped.push(Dropped { effect: "draft-reply".to_owned(), reason });
                }
                if reply.visibility == Visibility::Unknown {
                    reply.visibility = Visibility::Private;
                }
                union("/replies", &mut self.replies, reply, MAX_REPLIES)?
            }
            Effect::SuggestArticle(article) => {
                word("article id", &article.id)?;
                unit("article score", article.score)?;
                union("/articles", &mut self.articles, article, MAX_REPLIES)?
            }
            Effect::Relate(link) => {
                word("link id", &link.id)?;
                unit("link score", link.score)?;
                union("/links", &mut self.links, link, MAX_LINKS)?
            }
            Effect::Moderate(action) => {
                let from = settled.moderation.map(|action| json(&action));
                settled.moderation = Some(action);
                let reaches_out = matches!(action, Moderation::Hide | Moderation::Delete | Moderation::BlockAuthor);
                self.moderation_needs_approval = reaches_out && !terms.holds(&Grant::Moderate(action));
                let to = json(&ModerationDecision { action, needs_approval: self.moderation_needs_approval });
                ("/moderation", from, to)
            }
            Effect::RaiseAlert(alert) => {
                word("audience", &alert.audience)?;
                word("dedupe key", &alert.dedupe_key)?;
                let alert = Alert { text: cut(&alert.text, MAX_SENTENCE_CHARS), ..alert };
                if self.alerts.iter().any(|old| old.audience == alert.audience && old.dedupe_key == alert.dedupe_key) {
                    return Err(format!("an alert with the key `{}` is already raised", alert.dedupe_key));
                }
                union("/alerts", &mut self.alerts, alert, MAX_ALERTS)?
            }
            Effect::ActOnTicket(change) => union("/ticket_changes", &mut self.ticket_changes, change, MAX_REPLIES)?,
            Effect::Watch(who) => union("/watchers", &mut self.watchers, word("watcher", &who).map(|()| who)?, MAX_WORDS)?,
            Effect::SetField(field) => {
                word("field", &field.field)?;
                set_field(&mut settled.fields, field)?
            }
            Effect::Note(note) => union("/notes", &mut self.notes, body("note", &note).map(|()| note)?, MAX_NOTES)?,
            Effect::Mark(mark) => union("/marks", &mut settled.marks, word("mark", &mark).map(|()| mark)?, MAX_WORDS)?,
            Effect::Extension(extension) => {
                word("extension kind", &extension.kind)?;
                body("extension payload", &extension.payload)?;
                union("/extensions", &mut self.extensions, extension, MAX_NOTES)?
            }
        })
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
