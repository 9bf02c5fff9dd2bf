//! Claims about when there is a reply, and what it says.

use serde_json::{Value, json};
use signalbox_sdk::Rule;
use signalbox_sdk::testing::{event, run, set_services, settled};

use super::*;

fn shelf() -> Value {
    json!({"lookup": {"tables": {"articles": {
        "A": {"title": "Install the printer", "questions": ["How can I add a printer?"], "public": true,
              "reply": "Open the portal. Choose your floor. The driver comes by itself. Restart when it asks you to do so.", "url": "https://h.example/a"},
        "B": {"title": "Export an invoice", "words": ["invoice", "pdf", "download"], "public": true, "reply": "We guarantee that it is under Billing."},
        "C": {"title": "Mailbox is full", "words": ["mailbox", "quota", "full"], "public": true}
    }}}})
}

fn judge(config: &str, post: Value, so_far: Value) -> Vec<Proposal> {
    set_services(&shelf());
    let verdict = crate::Reply::configure(config).unwrap().evaluate(&event(&post), &settled(&so_far)).unwrap();
    let text = post["text"].as_str().unwrap();
    for evidence in verdict.proposals.iter().flat_map(|p| &p.evidence) {
        if let (Some(span), "text") = (evidence.span, evidence.field.as_str()) {
            assert_eq!(&text[span.start as usize..span.end as usize], evidence.text);
        }
    }
    verdict.proposals
}

fn body(proposals: &[Proposal]) -> Option<&Reply> {
    proposals.iter().find_map(|p| if let Effect::DraftReply(reply) = &p.effect { Some(reply) } else { None })
}

fn ask(text: &str) -> Value {
    json!({"id": "1", "text": text, "network": "email", "visibility": "private"})
}

#[test]
fn the_nearest_article_answers_and_a_stranger_does_not() {
    let article = |text: &str| body(&judge("{}", ask(text), json!({}))).and_then(|reply| reply.article.clone());
    assert_eq!(article("How can I add a printer to my laptop?").as_deref(), Some("A"));
    assert_eq!(article("Where do I download my invoice as a pdf?").as_deref(), Some("B"));
    assert_eq!(article("The coffee is cold"), None);
    assert_eq!(article(""), None);
}

#[test]
fn an_article_without_an_answer_is_only_suggested_and_so_is_what_is_never_said() {
    for (config, text) in [("{}", "my mailbox is full, what about the quota"), (r#"{"never_say": ["guarantee*"]}"#, "download invoice pdf")]
    {
        let proposals = judge(config, ask(text), json!({}));
        assert!(body(&proposals).is_none(), "{text}");
        assert!(proposals.iter().any(|p| matches!(p.effect, Effect::SuggestArticle(_))), "{text}");
    }
}

#[test]
fn a_network_cuts_it_at_a_sentence_and_links_to_the_rest() {
    let on = |network: &str, length: usize| {
        let config = format!(r#"{{"lengths": {{"x": {length}}}}}"#);
        let post = json!({"id": "1", "text": "How can I add a printer?", "network": network, "visibility": "public"});
        body(&judge(&config, post, json!({}))).unwrap().body.clone()
    };
    assert_eq!(on("x", 80), "Open the portal. Choose your floor. https://h.example/a");
    assert!(on("email", 80).ends_with("do so."));
}

#[test]
fn every_cause_of_silence_silences_and_its_absence_does_not() {
    let text = "How can I add a printer?";
    assert!(body(&judge("{}", ask(text), json!({"category": {"key": "how-to"}}))).is_some());
    for so_far in [
        json!({"category": {"key": "security"}}),
        json!({"category": {"key": "praise"}}),
        json!({"tags": ["red-flag:legal"]}),
        json!({"tags": ["resolved"]}),
        json!({"sentiment": {"label": "negative", "signals": ["threat"]}}),
    ] {
        assert!(judge("{}", ask(text), so_far.clone()).is_empty(), "{so_far}");
    }
    for grave in ["my lawyer asks", "it is on fire", "there was no phishing", "a \"data protection\" question", "es brennt"] {
        assert!(judge("{}", ask(&format!("{text} And {grave}")), json!({})).is_empty(), "{grave}");
    }
}

#[test]
fn nothing_leaves_without_a_person_unless_the_config_says_so() {
    let auto = r#"{"auto": {"on": true, "at": 0.4}}"#;
    let text = "How can I add a printer?";
    let leaves = |config: &str, so_far: Value| body(&judge(config, ask(text), so_far)).map(|reply| (reply.auto, reply.approval));
    let how_to = || json!({"category": {"key": "how-to"}});
    assert_eq!(leaves("{}", how_to()), Some((false, Approval::Agent)));
    assert_eq!(leaves(auto, how_to()), Some((true, Approval::None)));
    assert_eq!(leaves(auto, json!({"category": {"key": "billing"}})), Some((false, Approval::Agent)));
    assert_eq!(leaves(auto, json!({"category": {"key": "how-to"}, "sentiment": {"label": "negative"}})), Some((false, Approval::Agent)));
}

#[test]
fn texts_are_cut_at_sentences_then_at_words() {
    assert_eq!(voice::cut("One. Two three. Four", 16), "One. Two three.");
    assert_eq!(voice::cut("äöü äöü äöü", 8), "äöü äöü");
    assert_eq!((voice::cut("short", 10), voice::cut("oneverylongword", 5)), ("short", ""));
}

#[test]
fn the_examples_hold() {
    for example in &crate::Reply::describe().examples {
        run::<crate::Reply>(example).unwrap();
    }
}
