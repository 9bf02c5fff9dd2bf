//! What a report costs over a million decisions, written by the store's own code, and what counting costs beside recording.
//!
//! `cargo bench -p signalbox --bench reports` (or `-- 100000` for fewer) fills a journal in a temporary directory, some 4 GB for a million:
//! ninety days of messages of three desks, with clocks, agents' replies and corrections. Then it counts them, and asks every report for the
//! whole time. Bounded; the directory is gone when it ends.
//!
//! `-- --fill DIR 100000 UNTIL` only writes them, into a data directory of a host that does not run yet, ninety days up to a moment (unix ms):
//! how the console's tests have so many decisions stored.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use signalbox::agreement::{Said, Seen};
use signalbox::calendar::Calendars;
use signalbox::decision::Decision;
use signalbox::event::{Event, Timestamp};
use signalbox::report::{Bucket, By, ListQuery, OverTimeQuery, VolumeReportQuery};
use signalbox::sla::Status;
use signalbox::store::{Besides, Claim, Keys, Meaning, NewClock, Observation, Store, VolumeQuery};
use signalbox::verdict::SlaClock;
use tokio::task::JoinSet;

/// Messages unless the command says otherwise.
const MESSAGES: u64 = 1_000_000;
/// Their first and their last moment, ms: 90 days up to 2026-11-01.
const SPAN: (u64, u64) = (1_785_715_200_000, 1_793_491_200_000);
/// Written at once, as many as a commit takes.
const AT_ONCE: usize = 256;
/// How often each report is asked; the table shows the median.
const ROUNDS: usize = 5;
const SOURCES: [&str; 3] = ["zammad", "chatwoot", "generic"];
const NETWORKS: [&str; 8] = ["email", "mastodon", "x", "facebook", "telegram", "whatsapp", "web", "chat"];
const SENTIMENTS: [&str; 5] = ["very_negative", "negative", "neutral", "positive", "very_positive"];
const LEVELS: [&str; 4] = ["low", "normal", "high", "critical"];
const AUDIENCES: [&str; 4] = ["supervisor", "on-call", "legal", "pr"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    if let Some(at) = arguments.iter().position(|argument| argument == "--fill") {
        let number =
            |after: usize| arguments.get(at + after).and_then(|argument| argument.parse().ok()).expect("--fill DIR MESSAGES UNTIL");
        let until = number(3);
        return runtime.block_on(fill(arguments[at + 1].as_ref(), number(2), (until - (SPAN.1 - SPAN.0), until)));
    }
    runtime.block_on(run(arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(MESSAGES)));
}

/// Writes a journal and counts it, and leaves it where it is.
async fn fill(dir: &std::path::Path, messages: u64, span: (u64, u64)) {
    let started = Instant::now();
    let store = Store::open(dir).expect("a journal");
    write(&store, &Arc::new(Make::new(messages, span, true)), 0..messages).await;
    while store.count(Timestamp(span.1)).await.expect("counting") > 0 {}
    store.close().await.expect("an orderly end");
    println!("{messages} messages recorded and counted in {:.0} s, {} on disk", started.elapsed().as_secs_f64(), size(dir));
}

async fn run(messages: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(dir.path()).expect("a journal");
    let make = Arc::new(Make::new(messages, SPAN, false));

    let started = Instant::now();
    write(&store, &make, 0..messages).await;
    let took = started.elapsed();
    println!(
        "{messages} messages recorded in {:.0} s, {:.0} a second, {} on disk",
        took.as_secs_f64(),
        rate(messages, took),
        size(dir.path())
    );
    let started = Instant::now();
    count(&store).await;
    let took = started.elapsed();
    println!("counted in {:.1} s, {:.0} a second\n", took.as_secs_f64(), rate(messages, took));

    println!("| report, over all 90 days | rows | ms |\n|---|---|---|");
    reports(&store).await;
    volumes(&store, messages).await;
    beside(&store, &make, messages).await;
    store.close().await.expect("an orderly end");
}

async fn count(store: &Store) {
    while store.count(Timestamp(SPAN.1)).await.expect("counting") > 0 {}
}

/// Asks again and again; gives the rows and the median time.
macro_rules! asked {
    ($name:expr, $ask:expr) => {{
        let mut times = Vec::new();
        let mut rows = 0;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let report = $ask.await.expect("a report");
            // As it is sent.
            let json = serde_json::to_vec(&report).expect("JSON");
            times.push(started.elapsed());
            rows = report.rows.len().max(usize::from(json.is_empty()));
        }
        times.sort_unstable();
        println!("| {} | {rows} | {:.0} |", $name, times[ROUNDS / 2].as_secs_f64() * 1e3);
    }};
}

async fn reports(store: &Store) {
    let now = Timestamp(SPAN.1);
    let (from, to) = (Some(Timestamp(SPAN.0)), Some(now));
    for bucket in [Bucket::Hour, Bucket::Day] {
        for by in [By::Category, By::Network, By::Sentiment, By::Priority, By::Source] {
            let query = || VolumeReportQuery { by, from, to, bucket, ..VolumeReportQuery::default() };
            asked!(format!("volume by {by:?}, {bucket:?}").to_lowercase(), store.report_volume(query(), now));
        }
        let query = || OverTimeQuery { from, to, bucket, ..OverTimeQuery::default() };
        asked!(format!("service levels, {bucket:?}").to_lowercase(), store.report_service_levels(query(), now));
        asked!(format!("escalations, {bucket:?}").to_lowercase(), store.report_escalations(query(), now));
    }
    let query = || ListQuery { from, to, limit: Some(1_000), ..ListQuery::default() };
    asked!("spikes", store.report_spikes(query(), now));
    asked!("rules", store.report_rules(query(), now));
    asked!("reasons", store.report_reasons(query(), now));
    asked!("agreement", store.report_agreement(query(), now));
    asked!("corrections", store.report_corrections(query(), now));
}

/// `/v1/volume` at the end of the journal, for the stretches of the console's first page.
async fn volumes(store: &Store, messages: u64) {
    println!("\n| `/v1/volume` | decisions | ms |\n|---|---|---|");
    for (name, hours) in [("an hour", 1), ("six hours", 6), ("a day", 24), ("a week", 168), ("90 days", 2_160)] {
        let query = VolumeQuery { since: Some(Timestamp(SPAN.1 - hours * 3_600_000)), until: Some(Timestamp(SPAN.1)), parts: Some(60) };
        let mut times = Vec::new();
        let mut decisions = 0;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let volume = store.volume(&query, Timestamp(SPAN.1)).await.expect("a volume");
            times.push(started.elapsed());
            decisions = volume.parts.iter().map(|part| part.decisions).sum();
        }
        times.sort_unstable();
        assert!(decisions <= messages * 2);
        println!("| {name} | {decisions} | {:.1} |", times[ROUNDS / 2].as_secs_f64() * 1e3);
    }
}

/// Recording with and without the counting of a running host beside it, in turn.
async fn beside(store: &Store, make: &Arc<Make>, from: u64) {
    let batch = (from / 20).clamp(1_000, 20_000);
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..2 * ROUNDS as u64 {
        let counts = round % 2 == 1;
        let counting = counts.then(|| {
            let store = store.clone();
            tokio::spawn(async move {
                loop {
                    if store.count(Timestamp(SPAN.1)).await.expect("counting") == 0 {
                        tokio::time::sleep(Duration::from_secs(2)).await;
                    }
                }
            })
        });
        let started = Instant::now();
        let at = from + round * batch;
        write(store, make, at..at + batch).await;
        rates[usize::from(counts)].push(rate(batch, started.elapsed()));
        if let Some(counting) = counting {
            counting.abort();
        } else {
            count(store).await;
        }
    }
    rates.iter_mut().for_each(|rates| rates.sort_by(f64::total_cmp));
    let [without, with] = rates.map(|rates| rates[rates.len() / 2]);
    println!("\nrecording {AT_ONCE} at once: {without:.0} messages a second, {with:.0} while a host counts beside it");
}

fn rate(messages: u64, took: Duration) -> f64 {
    messages as f64 / took.as_secs_f64()
}

fn size(dir: &std::path::Path) -> String {
    let bytes: u64 =
        std::fs::read_dir(dir).into_iter().flatten().flatten().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum();
    format!("{:.1} GB", bytes as f64 / 1e9)
}

/// Records messages, and what agents did to some of them.
async fn write(store: &Store, make: &Arc<Make>, range: std::ops::Range<u64>) {
    let mut under_way = JoinSet::new();
    for at in range {
        if under_way.len() >= AT_ONCE {
            under_way.join_next().await;
        }
        let (store, make) = (store.clone(), Arc::clone(make));
        under_way.spawn(async move { make.one(&store, at).await });
    }
    under_way.join_all().await;
}

/// Makes the same messages every time.
struct Make {
    event: Event,
    decision: Decision,
    span: (u64, u64),
    step_ms: u64,
    /// Whether every promise is kept: a host that opens the journal has nothing to decide again.
    kept: bool,
}

impl Make {
    fn new(messages: u64, span: (u64, u64), kept: bool) -> Self {
        let author = json!({ "id": "7", "handle": "@ann", "name": "Ann Example", "followers": 1200 });
        let event = json!({ "id": "m", "text": "The VPN has been down since nine and nobody in the office can work. ".repeat(3), "author": author });
        let set = |field: &str| {
            json!({ "field": field, "to": { "key": "outage", "path": ["Outage"] }, "reason": "three words speak for it", "confidence": 0.9, "rule_id": "r",
            "evidence": [{ "field": "text", "text": "VPN has been down", "weight": 1.5 }] })
        };
        let entry = |step: u32, plugin: &str, fields: &[&str]| {
            json!({ "step": step, "plugin": plugin, "version": "0.1.0", "digest": "ab".repeat(32), "outcome": "ran", "micros": 18, "fuel": 240_000, "memory_bytes": 1_114_112,
                "set": fields.iter().map(|field| set(field)).collect::<Vec<_>>() })
        };
        let decision = json!({
            "id": "d", "event_id": "m", "revision": 0, "source": "zammad", "chain": "default", "generation": "0123456789abcdef", "decided": "2026-11-01T09:00:01Z",
            "degraded": false, "category": { "key": "outage", "path": ["Outage"] }, "crisis": "none", "confidence": { "category": 0.9 }, "tags": {},
            "sentiment": { "label": "negative", "score": -0.5 }, "priority": "high", "assignment": { "queue": "Service Operations" }, "escalation": { "level": 0 },
            "trace": [entry(1, "categorize", &["/category", "/intent", "/tags/add"]), entry(2, "sentiment", &["/sentiment"]), entry(3, "escalate", &["/assignment", "/priority", "/escalation"])],
        });
        let event = Event::from_json(event.to_string().as_bytes()).expect("an event").event;
        Self {
            event,
            decision: serde_json::from_value(decision).expect("a decision"),
            span,
            kept,
            step_ms: ((span.1 - span.0) / messages.max(1)).max(1),
        }
    }

    /// One message, its decision, and on every fourth a ticket with clocks that an agent works on.
    async fn one(&self, store: &Store, at: u64) {
        let (mut event, mut decision) = (self.event.clone(), self.decision.clone());
        // A cheap scatter, the same every time.
        let dice = |sides: usize, salt: u64| (at.wrapping_add(salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as usize % sides;
        let moment = Timestamp((self.span.0 + at * self.step_ms).min(self.span.1 - 1));
        let source = SOURCES[dice(3, 1)].to_owned();
        (event.id, event.source, event.received, event.network) =
            (format!("m-{at}"), source.clone(), moment, NETWORKS[dice(8, 2)].to_owned());
        let head = &mut decision.head;
        (head.id, head.event_id, head.source, head.decided) = (format!("d-{at}"), event.id.clone(), source.clone(), moment);
        decision.category.key = format!("category-{}", dice(30, 3));
        decision.degraded = dice(200, 4) == 0;
        if let Some(sentiment) = &mut decision.sentiment {
            sentiment.label = serde_json::from_value(json!(SENTIMENTS[dice(5, 5)])).expect("a label");
        }
        decision.priority = Some(serde_json::from_value(json!(LEVELS[dice(4, 6)])).expect("a level"));
        decision.escalation.level = dice(16, 7).saturating_sub(11) as u8;
        if decision.escalation.level > 0 {
            decision.escalation.audience = vec![AUDIENCES[dice(4, 8)].to_owned()];
        }
        for entry in &mut decision.trace {
            entry.micros = 10 + dice(20, 9) as u64;
            entry.set.iter_mut().for_each(|set| set.rule_id = Some(format!("rule-{}", dice(40, 10))));
        }
        let ticket = at.is_multiple_of(4);
        let mut clocks = Vec::new();
        if ticket {
            event.ticket = serde_json::from_value(json!({ "id": at.to_string(), "priority": "2 normal", "queue": "Users" })).ok();
            let clock = |clock, target_seconds| NewClock { clock, target_seconds, calendar: None, warn_share: 0.75 };
            clocks = vec![clock(SlaClock::FirstResponse, if self.kept { 10_800 } else { 3_600 }), clock(SlaClock::Resolution, 86_400)];
        }
        let Claim::Mine(mine) = store.claim(Keys::of(&source, None, &event)).expect("a claim") else { return };
        let besides = Besides { clocks, message: true, ..Besides::default() };
        store.record(mine, &event, &decision, besides).await.expect("a record");
        if ticket {
            let said = |word: String| Some(Said::plainly(word));
            let seen = Seen {
                category: said(format!("category-{}", dice(30, 3 + dice(2, 11) as u64))),
                priority: said(LEVELS[dice(4, 12)].to_owned()),
                queue: None,
            };
            let told = Observation::new(
                Timestamp(moment.0 + dice(7_200, 13) as u64 * 1_000),
                source,
                Some(at.to_string()),
                "an agent's reply".to_owned(),
            );
            let observation = Observation { reply: true, status: Some(Status::Closed).filter(|_| self.kept || dice(2, 14) == 0), ..told };
            let mut key = [0; 32];
            key[..8].copy_from_slice(&at.to_be_bytes());
            store.observe(observation, Meaning { thread: None, seen }, key, &Calendars::default()).await.expect("an observation");
        }
    }
}
