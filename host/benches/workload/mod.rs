//! The workload of the benchmarks: 64 events of about 1.2 kB with about 500 B of text, and the bundled rules linked in.
//!
//! One module for every benchmark, so that their figures are about the same thing.

use std::hint::black_box;
use std::sync::Arc;

use serde_json::json;
use signalbox::decision::{Draft, Terms};
use signalbox::event::{Event, Timestamp};
use signalbox::plugin::{Plugin, Subject};
use signalbox::verdict::SoFar;
use signalbox_sdk::{Rule as _, testing};

/// Different events, so that no branch predictor learns one by heart.
pub const EVENTS: usize = 64;
/// The moment of every run.
pub const NOW: Timestamp = Timestamp(1_767_225_600_000);

/// Posts of about 560 bytes from phrases of the field, every event another mix.
pub fn events() -> Vec<Arc<Event>> {
    const PHRASES: [&str; 12] = [
        "the VPN has been down since nine and nobody in our office can work",
        "I have been on hold for an hour, this is really not acceptable",
        "how do I reset the password of my second account?",
        "thanks to the team, the new laptop works like a charm 🙂",
        "the invoice shows the same amount twice and nobody answers",
        "it was slow yesterday, today everything is fine again",
        "please add a dark mode to the app, my eyes hurt",
        "a mail asked for my password, is this phishing?",
        "GREAT, another outage right before the deadline #fail",
        "we are thinking about leaving for another provider",
        "the printer on the third floor is out of paper",
        "see https://status.example/incident/42 for the story so far",
    ];
    (0..EVENTS)
        .map(|at| {
            let text: Vec<&str> = (0..9).map(|phrase| PHRASES[(at * 5 + phrase * (1 + at % 7)) % PHRASES.len()]).collect();
            let mut text = text.join(". ");
            text.truncate(text.floor_char_boundary(560));
            let event = json!({
                "id": format!("mastodon:{at}"), "network": "mastodon", "kind": "mention", "visibility": "public", "language": "en",
                "author": {"id": format!("a{at}"), "handle": "@ann@social.example", "name": "Ann Example", "followers": 1_200 * at, "verified": at % 3 == 0},
                "permalink": format!("https://social.example/@ann/{at}"), "thread_id": format!("t{}", at / 4), "occurred": "2026-11-01T09:40:00Z",
                "ticket": {"id": format!("{at}"), "number": format!("1{at:05}"), "status": "open", "priority": "2 normal", "queue": "Service Desk", "tags": ["social"]},
                "attributes": [{"key": "likes", "value": {"type": "integer", "value": at}}, {"key": "hashtags", "value": {"type": "texts", "value": ["fail", "vpn"]}}],
                "text": text,
            });
            Arc::new(Event::from_json(event.to_string().as_bytes()).expect("a canonical event").event)
        })
        .collect()
}

/// What each step sees of the steps before it.
pub fn settle(plugins: &[Plugin; 3], event: &Arc<Event>) -> [SoFar; 3] {
    let subject = Subject::new(event.clone(), NOW);
    let mut draft = Draft::default();
    [0, 1, 2].map(|at| {
        let seen = draft.settled().clone();
        let terms = Terms { effects: plugins[at].description().effect_set(), grants: Vec::new() };
        draft.apply(plugins[at].evaluate(&subject, &seen).verdict, &terms);
        seen
    })
}

/// The same three rules, linked in.
pub struct Native {
    categorize: categorize::Categorize,
    sentiment: sentiment::Feeling,
    escalate: escalate::Escalate,
    events: Vec<(signalbox_sdk::Event, testing::Facts, [signalbox_sdk::SoFar; 3])>,
}

impl Native {
    /// Reads the events once, as a guest gets them.
    pub fn new(events: &[Arc<Event>], settled: &[[SoFar; 3]]) -> Self {
        let read = |event: &Arc<Event>, settled: &[SoFar; 3]| {
            let event = serde_json::to_value(&**event).expect("an event is JSON");
            let settled = settled.each_ref().map(|settled| serde_json::to_value(settled).expect("a decision so far is JSON"));
            (testing::event(&event), testing::facts(&event), settled.map(|settled| testing::settled(&settled)))
        };
        Self {
            categorize: categorize::Categorize::configure("{}").expect("the defaults fit"),
            sentiment: sentiment::Feeling::configure("{}").expect("the defaults fit"),
            escalate: escalate::Escalate::configure("{}").expect("the defaults fit"),
            events: events.iter().zip(settled).map(|(event, settled)| read(event, settled)).collect(),
        }
    }

    /// Judges the event at this place.
    pub fn run(&self, at: usize) {
        let (event, facts, settled) = &self.events[at];
        testing::set_facts(facts.clone());
        drop(black_box(self.categorize.evaluate(event, &settled[0])));
        drop(black_box(self.sentiment.evaluate(event, &settled[1])));
        drop(black_box(self.escalate.evaluate(event, &settled[2])));
    }
}

/// The one in the middle.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
