//! What of a decision leaves at once and what waits for a person: replies, moderation, and whole decisions that a step holds.

use super::App;
use crate::decision::Decision;
use crate::event::{Event, Timestamp};
use crate::outgoing::{Mode, Outgoing};
use crate::store::{ApprovalKind, NewApproval};
use crate::verdict::Approval;

impl App {
    /// The calls that may leave without a person beside those of the decision itself, and what waits for one. Only where decisions are
    /// written back in full: before that, the internal note shows the draft. A decision that follows a clock asks nothing anew.
    pub(super) fn approvals(&self, event: &Event, decision: &Decision) -> (Vec<Outgoing>, Vec<NewApproval>) {
        let (mut free, mut waiting) = (Vec::new(), Vec::new());
        let made = decision.head.decided;
        let life = u64::try_from(self.workflow.approval.as_millis()).unwrap_or(u64::MAX);
        let expires = Timestamp(made.0.saturating_add(life));
        let target = format!("sources.{}", event.source);
        let mut wait = |kind, needs, text: String, calls| {
            waiting.push(NewApproval { kind, needs, text, target: target.clone(), calls, expires });
        };
        if let Some(held) = &decision.held {
            let text = format!("the step `{}` {}; nothing of the decision is written back", held.step, crate::decision::word(held.outcome));
            wait(ApprovalKind::Held, Approval::Agent, text, Vec::new());
        }
        let outbound = self.sources.get(&event.source).and_then(|source| source.outbound());
        let Some(outbound) = outbound.filter(|outbound| outbound.mode == Mode::Full && decision.follows.is_none()) else {
            return (free, waiting);
        };
        for (at, reply) in (1..).zip(&decision.replies) {
            let calls = outbound.reply(event, decision, at, reply);
            // Without a call there is nothing to approve: the note has the draft, and an agent sends it by hand.
            if calls.is_empty() {
                continue;
            }
            if reply.auto && reply.approval == Approval::None {
                free.extend(calls);
            } else {
                wait(ApprovalKind::Reply, reply.approval.max(Approval::Agent), reply.body.clone(), calls);
            }
        }
        if let Some(moderation) = &decision.moderation {
            let calls = outbound.moderation(event, decision);
            let action = serde_json::to_value(moderation.action).unwrap_or_default();
            match moderation.needs_approval {
                true => wait(ApprovalKind::Moderation, Approval::Supervisor, action.as_str().unwrap_or_default().to_owned(), calls),
                false => free.extend(calls),
            }
        }
        (free, waiting)
    }
}
