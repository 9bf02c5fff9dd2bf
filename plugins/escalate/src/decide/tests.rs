//! Claims about the default table, each a post with what earlier steps settled of it, and what must and must not be proposed.

use serde_json::{Value, json};
use signalbox_sdk::Rule;
use signalbox_sdk::testing::{check, event, run, settled};

use crate::Escalate;

/// Runs the rule; `expect` is in the form of an example's.
fn claim(config: &str, post: &Value, so_far: &Value, expect: &Value) {
    let mut post = post.clone();
    post["id"] = json!("e1");
    let verdict = Escalate::configure(config).unwrap().evaluate(&event(&post), &settled(so_far)).unwrap();
    let text = post["text"].as_str().unwrap_or_default();
    for evidence in verdict.proposals.iter().flat_map(|p| &p.evidence) {
        match evidence.span {
            Some(span) if evidence.field == "text" => assert_eq!(&text[span.start as usize..span.end as usize], evidence.text),
            Some(_) => assert_eq!(evidence.field, "title"),
            None => assert!(!evidence.field.is_empty() && evidence.field != "text"),
        }
    }
    assert!(verdict.proposals.iter().all(|p| !p.reason.is_empty() && p.rule_id.is_some() && (0.0..=1.0).contains(&p.confidence)));
    if let Err(message) = check(expect, &verdict) {
        panic!("{post} {so_far}: {message}");
    }
}

fn is(effect: &str, value: impl Into<Value>) -> Value {
    json!({ "effect": { "type": effect, "value": value.into() } })
}

fn all(proposals: &[Value], absent: &[&str]) -> Value {
    json!({ "proposals": proposals, "absent": absent })
}

fn so(category: &str, label: &str) -> Value {
    json!({ "category": { "key": category }, "sentiment": { "label": label, "score": 0 } })
}

#[test]
fn every_category_finds_its_queue() {
    for (category, queue, priority) in [
        ("outage", "Service Operations", "high"),
        ("security", "Security", "critical"),
        ("billing", "Billing", "normal"),
        ("technical-fault", "Service Desk", "normal"),
        ("product-complaint", "Customer Relations", "normal"),
        ("how-to", "Service Desk", "low"),
        ("idea", "Product", "low"),
        ("praise", "Community", "low"),
        ("spam", "Community", "low"),
        ("other", "Service Desk", "low"),
    ] {
        let wanted = [is("assign", json!({ "queue": queue })), is("set_priority", priority)];
        claim("{}", &json!({"text": "hello"}), &so(category, "neutral"), &all(&wanted, &[]));
    }
}

#[test]
fn nothing_settled_goes_to_the_desk() {
    claim(
        "{}",
        &json!({"text": ""}),
        &json!({}),
        &all(&[is("assign", json!({"queue": "Service Desk"}))], &["escalate", "raise-alert", "set-crisis", "tag", "moderate"]),
    );
    claim(
        "{}",
        &json!({"text": "hm"}),
        &so("other", "negative"),
        &all(&[is("assign", json!({"queue": "Customer Relations"}))], &["escalate"]),
    );
}

#[test]
fn rows_do_what_they_say() {
    let text = json!({"text": "hello", "visibility": "private"});
    claim(
        "{}",
        &text,
        &so("outage", "neutral"),
        &all(
            &[
                is("escalate", json!({"level": 2, "audience": ["on-call"]})),
                is("set_sla", json!({"clock": "first_response", "target_seconds": 900})),
            ],
            &["raise-alert", "set-crisis"],
        ),
    );
    claim(
        "{}",
        &text,
        &so("security", "neutral"),
        &all(
            &[is("raise_alert", json!({"audience": "security", "dedupe_key": "security:security:e1"})), is("set_urgency", "critical")],
            &["set-crisis"],
        ),
    );
    claim(
        "{}",
        &text,
        &so("product-complaint", "very_negative"),
        &all(&[is("escalate", json!({"level": 1, "audience": ["supervisor"]}))], &["raise-alert"]),
    );
    claim("{}", &text, &so("product-complaint", "negative"), &all(&[], &["escalate"]));
    claim("{}", &text, &so("spam", "neutral"), &all(&[is("moderate", "mark_spam")], &["draft-reply", "escalate"]));
    claim("{}", &text, &so("idea", "positive"), &all(&[is("mark", "improvement-idea")], &["escalate", "draft-reply"]));
    let over = json!({"category": {"key": "outage"}, "sentiment": {"label": "positive"}, "tags": ["resolved"]});
    claim(
        "{}",
        &json!({"text": "works again for everyone", "visibility": "public", "author": {"followers": 99999}}),
        &over,
        &all(&[is("assign", json!({"queue": "Service Desk"})), is("set_priority", "low")], &["escalate", "set-crisis"]),
    );
}

/// Rows that wake somebody ask the model too: the trouble of one, and a question, go where they belong.
#[test]
fn the_trouble_of_one_wakes_nobody_and_that_of_many_does() {
    for (category, label, grave, calm) in [
        ("outage", "negative", "Nobody in the whole building can log in since nine", "Only my own calendar shows the wrong hour, can wait"),
        ("outage", "neutral", "All tills in every branch are offline", "When is the next maintenance window of the mail server?"),
        (
            "security",
            "neutral",
            "Somebody read our mailboxes, there are logins from abroad",
            "Which antivirus do you recommend for a tablet?",
        ),
        (
            "product-complaint",
            "very_negative",
            "Three weeks, eleven mails, not one answer, I want your manager",
            "The new icon colours are really ugly",
        ),
    ] {
        let row = |text: &str| {
            let verdict = Escalate::configure(r#"{"red_flags": []}"#)
                .unwrap()
                .evaluate(&event(&json!({"text": text})), &settled(&so(category, label)));
            verdict.unwrap().proposals.iter().any(|p| matches!(p.effect, signalbox_sdk::Effect::Escalate(_)))
        };
        assert!(row(grave), "{grave}");
        assert!(!row(calm), "{calm}");
    }
    // What the row does not ask, the model does not settle; and few words speak against nothing.
    let bare = r#"{"routes": [{"id": "any", "when": {"category": ["outage"]}, "then": {"level": 2, "audience": ["on-call"]}}]}"#;
    claim(
        bare,
        &json!({"text": "When is the next maintenance window?"}),
        &so("outage", "neutral"),
        &all(&[is("escalate", json!({"level": 2}))], &[]),
    );
    claim("{}", &json!({"text": "Website down"}), &so("outage", "negative"), &all(&[is("escalate", json!({"level": 2}))], &[]));
}

#[test]
fn words_of_a_flag_ask_the_model_and_signals_do_not() {
    let flag = |least: f32| {
        format!(
            r#"{{"routes": [], "red_flags": [{{"id": "x", "words": ["fire"], "signals": ["threat"], "level": 1, "audience": ["a"], "least": {least}}}]}}"#
        )
    };
    let drill = json!({"text": "The fire drill is on Wednesday at ten, please save your work"});
    let calm = so("other", "neutral");
    claim(&flag(0.0), &drill, &calm, &all(&[is("escalate", json!({"level": 1}))], &[]));
    claim(&flag(0.9), &drill, &calm, &all(&[], &["escalate"]));
    let heard = json!({"sentiment": {"label": "neutral", "signals": ["threat"]}});
    claim(&flag(0.9), &drill, &heard, &all(&[is("escalate", json!({"level": 1}))], &[]));
}

#[test]
fn a_hint_counts_where_the_model_is_half_persuaded_and_nowhere_else() {
    let flag = |hinted: f32| {
        format!(r#"{{"routes": [], "red_flags": [{{"id": "x", "hints": ["copier"], "level": 1, "audience": ["a"], "hinted": {hinted}}}]}}"#)
    };
    let calm = so("other", "neutral");
    let jam = json!({"text": "The copier on the second floor wants new paper"});
    claim(&flag(0.0), &jam, &calm, &all(&[is("escalate", json!({"level": 1}))], &[]));
    claim(&flag(0.9), &jam, &calm, &all(&[], &["escalate"]));
    // Few words say little for it, and denied it is no hint.
    claim(&flag(0.9), &json!({"text": "copier"}), &calm, &all(&[], &["escalate"]));
    claim(&flag(0.0), &json!({"text": "It is not the copier on the second floor"}), &calm, &all(&[], &["escalate"]));
}

#[test]
fn praise_is_drafted_and_sarcasm_is_not() {
    let text = json!({"text": "great", "language": "pt-BR", "visibility": "private"});
    claim(
        "{}",
        &text,
        &so("praise", "positive"),
        &all(&[is("draft_reply", json!({"language": "pt", "visibility": "private", "auto": false, "approval": "agent"}))], &["escalate"]),
    );
    claim(
        "{}",
        &json!({"text": "great", "language": "sv"}),
        &so("praise", "positive"),
        &all(&[is("draft_reply", json!({"language": "en", "visibility": "private"}))], &[]),
    );
    claim("{}", &text, &so("praise", "negative"), &all(&[is("assign", json!({"queue": "Customer Relations"}))], &["draft-reply"]));
    let sarcasm = json!({"category": {"key": "praise"}, "sentiment": {"label": "neutral", "signals": ["sarcasm"]}});
    claim("{}", &text, &sarcasm, &all(&[], &["draft-reply"]));
    let danger = json!({"category": {"key": "praise"}, "sentiment": {"label": "neutral", "signals": ["self-harm"]}});
    claim(
        "{}",
        &text,
        &danger,
        &all(&[is("escalate", json!({"level": 3, "audience": ["safety"]})), is("set_priority", "critical")], &["draft-reply"]),
    );
}

#[test]
fn words_move_urgency_and_impact() {
    for (text, urgency, impact) in [
        ("the app is slow", "normal", "normal"),
        ("need this ASAP, the app is slow", "high", "normal"),
        ("the app has been slow since 9am for the whole office", "high", "high"),
        ("slow app in all stores, emergency", "critical", "critical"),
        ("the app is slow, no rush", "low", "normal"),
        ("the app is slow, is it just me?", "normal", "low"),
        ("the app is slow, not urgent", "low", "normal"),
        ("die App ist langsam, dringend, keiner kann arbeiten", "high", "high"),
        ("sovellus hidas aamusta asti, koko yritys odottaa", "high", "critical"),
        ("he said \"it is urgent for all of us right now\" and laughed", "normal", "normal"),
    ] {
        claim(
            "{}",
            &json!({"text": text}),
            &so("technical-fault", "negative"),
            &all(&[is("set_urgency", urgency), is("set_impact", impact)], &[]),
        );
    }
    claim(
        "{}",
        &json!({"text": "free crypto for everyone, act right now"}),
        &so("spam", "neutral"),
        &all(&[is("set_priority", "low")], &["set-urgency", "set-impact"]),
    );
    claim("{}", &json!({"text": "slow"}), &so("technical-fault", "very_negative"), &all(&[is("set_urgency", "high")], &[]));
}

#[test]
fn the_loud_and_the_important_go_one_level_up() {
    let by = |author: Value, visibility: &str| json!({"text": "it is slow", "visibility": visibility, "author": author});
    let fault = so("technical-fault", "negative");
    claim(
        "{}",
        &by(json!({"followers": 10000}), "public"),
        &fault,
        &all(&[is("escalate", json!({"level": 1, "audience": ["pr"]}))], &["tag"]),
    );
    claim("{}", &by(json!({"followers": 9999}), "public"), &fault, &all(&[], &["escalate"]));
    claim(
        "{}",
        &by(json!({"verified": true}), "private"),
        &fault,
        &all(&[is("escalate", json!({"level": 1, "audience": ["supervisor"]}))], &[]),
    );
    claim("{}", &by(json!({"verified": true}), "public"), &so("technical-fault", "neutral"), &all(&[], &["escalate"]));
    claim(
        "{}",
        &by(json!({"vip": true}), "private"),
        &so("outage", "neutral"),
        &all(&[is("escalate", json!({"level": 3})), is("tag", "vip")], &[]),
    );
    claim("{}", &by(json!({"vip": false, "verified": false, "followers": 0}), "public"), &fault, &all(&[], &["escalate", "tag"]));
    claim("{}", &by(json!({}), "public"), &fault, &all(&[], &["escalate", "tag"]));
    claim("{}", &by(json!({"followers": 50000, "bot": true}), "public"), &fault, &all(&[], &["escalate"]));
    claim("{}", &by(json!({"vip": true, "staff": true}), "public"), &fault, &all(&[is("tag", "vip")], &["escalate"]));
}

#[test]
fn a_crisis_needs_public_trouble_that_spreads() {
    let post = |text: &str, visibility: &str, followers: Option<u64>| {
        let mut post = json!({"text": text, "visibility": visibility});
        if let Some(followers) = followers {
            post["author"] = json!({"followers": followers});
        }
        post
    };
    let outage = so("outage", "negative");
    claim("{}", &post("down for everyone", "public", Some(20_000)), &outage, &all(&[is("set_crisis", "likely")], &[]));
    claim("{}", &post("it is down", "public", Some(20_000)), &outage, &all(&[is("set_crisis", "watch")], &[]));
    claim("{}", &post("it is down", "public", Some(1_500)), &outage, &all(&[is("set_crisis", "watch")], &[]));
    claim("{}", &post("down for everyone", "public", None), &outage, &all(&[is("set_crisis", "watch")], &[]));
    claim("{}", &post("it is down", "public", None), &outage, &all(&[], &["set-crisis"]));
    claim("{}", &post("down for everyone", "private", Some(20_000)), &outage, &all(&[], &["set-crisis"]));
    claim("{}", &post("down for everyone", "unknown", Some(20_000)), &outage, &all(&[], &["set-crisis"]));
    claim("{}", &post("app slow for everyone", "public", Some(20_000)), &so("technical-fault", "negative"), &all(&[], &["set-crisis"]));
    let mut shared = post("we found a breach", "public", None);
    shared["attributes"] =
        json!([{"key": "shares", "value": {"type": "integer", "value": 90}}, {"key": "likes", "value": {"type": "integer", "value": 30}}]);
    claim("{}", &shared, &so("security", "negative"), &all(&[is("set_crisis", "likely")], &[]));
}

#[test]
fn red_flags_are_raised_by_words_or_signals_and_not_by_their_twins() {
    for (flag, text, twin) in [
        ("legal", "you will hear from my lawyer", "we have no legal action in mind, thanks"),
        ("security", "your site was hacked", "your site was never hacked"),
        ("security", "I got a phishing mail in your name", "what would you do if phishing mails came?"),
        ("safety", "the charger caught fire", "this team is on fire"),
        ("press", "I am a journalist, request for comment", "I am a teacher"),
        ("self-harm", "I do not care any more, I want to die", "the battery died"),
        ("churn", "close my account", "open an account"),
        ("safety", "we can't call 911", "call 911"),
        ("legal", "mein Anwalt meldet sich", "meine Anfrage meldet sich"),
    ] {
        let tag = is("tag", format!("red-flag:{flag}"));
        claim("{}", &json!({"text": text}), &json!({}), &all(std::slice::from_ref(&tag), &["draft-reply", "moderate"]));
        claim("{}", &json!({"text": twin}), &json!({}), &all(&[], &["tag", "raise-alert"]));
    }
    claim(
        "{}",
        &json!({"text": "hm", "title": "My lawyer will call"}),
        &json!({}),
        &all(&[json!({"evidence": [{"field": "title", "text": "My lawyer"}]})], &[]),
    );
    let threat = json!({"sentiment": {"label": "very_negative", "signals": ["threat", "churn"]}});
    let wanted = [
        is("raise_alert", json!({"audience": "safety", "level": "critical"})),
        is("escalate", json!({"level": 1, "audience": ["supervisor"]})),
    ];
    claim("{}", &json!({"text": "hm", "thread_id": "t9"}), &threat, &all(&wanted, &["draft-reply"]));
    claim(
        "{}",
        &json!({"text": "hm", "thread_id": "t9"}),
        &threat,
        &all(&[is("raise_alert", json!({"dedupe_key": "safety:safety:t9"}))], &[]),
    );
}

#[test]
fn one_matter_is_one_alert() {
    let so_far = json!({"category": {"key": "security"}, "tags": ["service:email"]});
    let verdict =
        Escalate::configure("{}").unwrap().evaluate(&event(&json!({"id": "1", "text": "phishing mail"})), &settled(&so_far)).unwrap();
    let alerts: Vec<&str> = verdict
        .proposals
        .iter()
        .filter_map(|p| match &p.effect {
            signalbox_sdk::Effect::RaiseAlert(a) => Some(a.dedupe_key.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(alerts, ["security:security:service:email"]);
}

#[test]
fn a_row_wants_known_facts() {
    let config = r#"{"routes": [
        {"id": "big", "when": {"min_followers": 1, "verified": false, "visibility": ["public"], "kinds": ["review"], "intent": ["complaint"]}, "then": {"queue": "A"}},
        {"id": "crisis", "when": {"crisis": "watch"}, "then": {"queue": "B"}},
        {"id": "rest", "then": {"queue": "C"}}
    ], "red_flags": []}"#;
    let post = json!({"text": "x", "kind": "review", "visibility": "public", "author": {"followers": 1, "verified": false}});
    claim(config, &post, &json!({"intent": "complaint"}), &all(&[is("assign", json!({"queue": "A"}))], &[]));
    claim(
        config,
        &json!({"text": "x", "kind": "review", "visibility": "public"}),
        &json!({"intent": "complaint"}),
        &all(&[is("assign", json!({"queue": "C"}))], &[]),
    );
    claim(config, &post, &json!({"crisis": "likely"}), &all(&[is("assign", json!({"queue": "B"}))], &[]));
    claim(config, &post, &json!({}), &all(&[is("assign", json!({"queue": "C"}))], &[]));
}

#[test]
fn the_matrix_is_the_admins() {
    let config =
        r#"{"matrix": [["low","low","low","low"],["low","low","low","low"],["low","low","low","low"],["low","low","low","critical"]]}"#;
    claim(config, &json!({"text": "down"}), &so("outage", "negative"), &all(&[is("set_urgency", "high"), is("set_priority", "low")], &[]));
}

#[test]
fn only_declared_effects_are_proposed() {
    let declared = Escalate::describe().effects;
    for example in Escalate::describe().examples {
        run::<Escalate>(&example).unwrap();
        let rule = Escalate::configure(example.config.as_deref().unwrap_or("{}")).unwrap();
        let so_far: Value = serde_json::from_str(example.services.as_deref().unwrap_or("{}")).unwrap();
        let verdict = rule.evaluate(&event(&serde_json::from_str(&example.event).unwrap()), &settled(&so_far["settled"])).unwrap();
        for proposal in &verdict.proposals {
            let case = signalbox_sdk::testing::proposal(proposal)["effect"]["type"].as_str().unwrap().replace('_', "-");
            assert!(declared.contains(&case), "{case}");
        }
    }
}

#[test]
fn a_service_level_that_runs_out_goes_further_up() {
    let post = |trigger: &str| {
        json!({"text": "hello", "attributes": [
            {"key": "trigger", "value": {"type": "text", "value": trigger}},
            {"key": "sla-clock", "value": {"type": "text", "value": "first-response"}}
        ]})
    };
    let escalate = |level: u8| is("escalate", json!({ "level": level, "audience": ["supervisor"] }));
    claim("{}", &post("sla-warning"), &so("billing", "neutral"), &all(&[escalate(1)], &[]));
    claim("{}", &post("sla-breach"), &so("billing", "neutral"), &all(&[escalate(2)], &["raise-alert"]));
    let loud = r#"{"overdue": {"breach": {"levels": 2, "audience": ["supervisor"], "alert": "high"}}}"#;
    let alert =
        is("raise_alert", json!({ "audience": "supervisor", "level": "high", "dedupe_key": "supervisor:sla-breach:first-response:e1" }));
    claim(loud, &post("sla-breach"), &so("billing", "neutral"), &all(&[escalate(2), alert], &[]));
    claim(loud, &post("sla-warning"), &so("billing", "neutral"), &all(&[escalate(1)], &["raise-alert"]));
    // A desk's own trigger of another name is none of ours, and a table may say that nobody is to be woken.
    claim("{}", &post("new complaint"), &so("billing", "neutral"), &all(&[], &["escalate"]));
    let quiet = r#"{"overdue": {"warning": {"levels": 0, "audience": []}}}"#;
    claim(quiet, &post("sla-warning"), &so("billing", "neutral"), &all(&[], &["escalate"]));
    let own = r#"{"overdue": {"breach": {"levels": 9, "audience": ["pr"]}}}"#;
    assert!(Escalate::configure(own).is_err());
    let nobody = r#"{"overdue": {"warning": {"levels": 0, "audience": [], "alert": "low"}}}"#;
    assert!(Escalate::configure(nobody).is_err());
}
