//! The merge law, claim by claim.

use super::*;
use crate::verdict::{Escalation, Level, Sentiment, SentimentLabel, SlaClock};

fn terms(grants: &[Grant]) -> Terms {
    Terms { effects: EffectSet::from_names(Effect::NAMES).unwrap(), grants: grants.to_vec() }
}

fn verdict(effects: Vec<Effect>) -> Verdict {
    let proposals = effects
        .into_iter()
        .map(|effect| Proposal { effect, reason: "why".into(), confidence: 0.5, rule_id: None, evidence: vec![] })
        .collect();
    Verdict { proposals, flow: Flow::Next }
}

fn category(key: &str) -> Effect {
    Effect::Categorize(Category { key: key.into(), path: vec![] })
}

fn apply(draft: &mut Draft, effect: Effect, grants: &[Grant]) -> Result<Change, String> {
    let mut applied = draft.apply(verdict(vec![effect]), &terms(grants));
    applied.set.pop().ok_or_else(|| applied.dropped.pop().unwrap().reason)
}

#[test]
fn a_later_step_wins_and_the_overwrite_is_traced() {
    let mut draft = Draft::default();
    apply(&mut draft, category("billing"), &[]).unwrap();
    let change = apply(&mut draft, category("outage"), &[]).unwrap();
    assert_eq!((change.from.unwrap()["key"].clone(), change.to["key"].clone()), ("billing".into(), "outage".into()));
    assert_eq!(draft.settled().category.as_ref().unwrap().key, "outage");
}

#[test]
fn levels_rise_freely_and_fall_only_with_the_grant() {
    for (high, low) in [
        (Effect::SetUrgency(Level::High), Effect::SetUrgency(Level::Low)),
        (Effect::SetImpact(Level::High), Effect::SetImpact(Level::Normal)),
        (Effect::SetPriority(Level::Critical), Effect::SetPriority(Level::High)),
        (Effect::SetCrisis(Crisis::Likely), Effect::SetCrisis(Crisis::None)),
        (
            Effect::SetSla(SlaTarget { clock: SlaClock::Resolution, target_seconds: 60, calendar: None }),
            Effect::SetSla(SlaTarget { clock: SlaClock::Resolution, target_seconds: 61, calendar: None }),
        ),
    ] {
        let mut draft = Draft::default();
        apply(&mut draft, low.clone(), &[]).unwrap();
        apply(&mut draft, high.clone(), &[]).unwrap();
        assert!(apply(&mut draft, low.clone(), &[]).unwrap_err().contains("`lower`"), "{low:?}");
        apply(&mut draft, low, &[Grant::Lower]).unwrap();
    }
}

#[test]
fn escalation_keeps_the_higher_level_and_joins_audiences() {
    let mut draft = Draft::default();
    let level = |level, who: &str| Effect::Escalate(Escalation { level, audience: vec![who.into()], due: None });
    apply(&mut draft, level(3, "security"), &[]).unwrap();
    apply(&mut draft, level(1, "pr"), &[]).unwrap();
    let escalation = draft.settled().escalation.clone().unwrap();
    assert_eq!((escalation.level, escalation.audience), (3, vec!["security".to_owned(), "pr".to_owned()]));
    assert!(apply(&mut draft, level(5, "x"), &[]).is_err());
}

#[test]
fn an_undeclared_effect_is_dropped() {
    let mut draft = Draft::default();
    let terms = Terms { effects: EffectSet::from_names(["tag"]).unwrap(), grants: vec![] };
    let applied = draft.apply(verdict(vec![category("x"), Effect::Tag("a".into())]), &terms);
    assert_eq!((applied.set.len(), applied.dropped[0].effect.as_str()), (1, "categorize"));
    assert!(EffectSet::from_names(["explode"]).is_err());
}

#[test]
fn numbers_out_of_range_are_dropped() {
    let mut draft = Draft::default();
    let sentiment = |score| Effect::FlagSentiment(Sentiment { label: SentimentLabel::Neutral, score, signals: vec![] });
    for score in [f32::NAN, f32::INFINITY, -1.01] {
        assert!(apply(&mut draft, sentiment(score), &[]).is_err(), "{score}");
    }
    let mut odd = verdict(vec![sentiment(0.0)]);
    odd.proposals[0].confidence = f32::NAN;
    assert_eq!(draft.apply(odd, &terms(&[])).dropped.len(), 1);
    assert_eq!(draft.settled().sentiment, None);
}

#[test]
fn reaching_out_needs_a_grant_or_a_person() {
    let reply =
        Reply { body: "hi".into(), visibility: Visibility::Public, language: None, article: None, auto: true, approval: Approval::None };
    let mut draft = Draft::default();
    apply(&mut draft, Effect::DraftReply(reply.clone()), &[]).unwrap();
    apply(&mut draft, Effect::DraftReply(reply), &[Grant::AutoReply]).unwrap();
    assert_eq!([(false, Approval::Agent), (true, Approval::None)], [0, 1].map(|at| (draft.replies[at].auto, draft.replies[at].approval)));
    apply(&mut draft, Effect::Moderate(Moderation::Delete), &[]).unwrap();
    assert!(draft.moderation_needs_approval);
    apply(&mut draft, Effect::Moderate(Moderation::Delete), &[Grant::Moderate(Moderation::Delete)]).unwrap();
    assert!(!draft.moderation_needs_approval);
}

#[test]
fn stopping_needs_the_grant() {
    let stop = || Verdict { proposals: vec![], flow: Flow::Stop };
    assert!(!Draft::default().apply(stop(), &terms(&[])).stop);
    assert!(Draft::default().apply(stop(), &terms(&[Grant::Stop])).stop);
}

#[test]
fn lists_are_unions_with_caps() {
    let mut draft = Draft::default();
    for at in 0..40 {
        let _ = apply(&mut draft, Effect::Tag(format!("t{}", at % 35)), &[]);
    }
    assert_eq!(draft.settled().tags.len(), MAX_TAGS);
    apply(&mut draft, Effect::Untag("t0".into()), &[]).unwrap();
    assert_eq!((draft.settled().tags.len(), draft.untag.as_slice()), (31, &["t0".to_owned()][..]));
}

#[test]
fn a_category_is_never_absent() {
    let head = Head {
        id: "1".into(),
        event_id: "e".into(),
        revision: 0,
        source: "s".into(),
        chain: "c".into(),
        generation: "g".into(),
        decided: crate::event::Timestamp(0),
    };
    assert_eq!(Draft::default().finish(head, false, None, vec![]).category.key, OTHER);
}
