//! Claims about urgency on posts as people write them, in pairs where a twin must differ.

use signalbox_sdk::testing::run;
use signalbox_sdk::{Level, Rule};

use super::*;

fn judge(text: &str) -> (Level, f32, Vec<Proposal>) {
    let proposals = decide(&Input { text, ..Input::default() }, &Tables::read("{}").unwrap());
    let Effect::SetUrgency(level) = proposals[0].effect else { panic!("urgency first") };
    let p = if level >= Level::High { proposals[0].confidence } else { 1.0 - proposals[0].confidence };
    (level, p, proposals)
}

#[test]
fn no_case_of_safety_or_security_is_missed() {
    for text in [
        "my charger is smoking",
        "there is a burning smell from the rack",
        "I can't go on, I want to die",
        "the fire alarm does not work on floor 3",
        "we cannot call 112 from any phone",
        "I got an electric shock from the docking station",
        "Mein Akku brennt",
        "ransom note on my screen, all files are encrypted",
        "I can see other customers' invoices",
        "I clicked the link and typed my password",
        "my account was hacked",
    ] {
        assert!(judge(text).0 >= Level::High, "{text} {:?}", judge(text).2[0].reason);
    }
}

#[test]
fn twins_differ() {
    for (calmer, hotter) in [
        ("what happens if the server catches fire?", "the server caught fire"),
        ("VPN was down this morning, works again", "VPN is down, nobody can work"),
        ("no rush, the printer is down", "urgent, the printer is down"),
        ("how do I report a hacked account?", "my account was hacked"),
        ("the phishing training is on Friday", "I clicked the link and typed my password"),
    ] {
        assert!(judge(calmer).1 < judge(hotter).1, "{calmer} {} < {hotter} {}", judge(calmer).1, judge(hotter).1);
    }
}

#[test]
fn evidence_slices_the_text() {
    let text = "Größter Mist: VPN is DOWN – nobody can work 😡";
    for proposal in judge(text).2 {
        assert!(!proposal.reason.is_empty() && (0.0..=1.0).contains(&proposal.confidence));
        for evidence in proposal.evidence {
            let span = evidence.span.unwrap();
            assert_eq!(&text[span.start as usize..span.end as usize], evidence.text);
        }
    }
}

#[test]
fn the_examples_hold() {
    for example in &crate::Urgency::describe().examples {
        run::<crate::Urgency>(example).unwrap();
    }
}
