//! What the sandbox costs: the bundled chain in process, fresh and reused, against the same rules called natively.
//!
//! `cargo bench` prints the table of docs/performance.md. Everything is a ratio taken in one run: the variants take turns, round
//! after round, each is timed in CPU time of its own thread, and the medians are compared.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod workload;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use signalbox::chain::{Chain, Step};
use signalbox::config::{Isolation, Limits};
use signalbox::event::Event;
use signalbox::plugin::{Backing, Plugin, Sandbox, Subject};
use signalbox::verdict::SoFar;
use workload::{EVENTS, NOW, Native, events, median, settle};

/// Rounds of every variant; the table shows medians.
const ROUNDS: usize = 31;
/// Events per round.
const BATCH: usize = 256;

fn main() {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-artefacts");
    let program = Path::new(env!("CARGO_BIN_EXE_signalbox"));
    let limits = Limits::default();
    let start = || Sandbox::start(&limits, program.to_owned(), cache.clone()).expect("the sandbox starts");
    let sandbox = start();
    let load = |wasm: &[u8], config: Option<&serde_json::Value>, isolation| {
        sandbox.load(wasm, config, &limits, isolation).expect("the plugin loads")
    };
    let chain = |isolation| signalbox_bundle::PLUGINS.map(|bundled| load(bundled.wasm, None, isolation));
    let (fresh, reused) = (chain(Isolation::Fresh), chain(Isolation::Reuse));

    let events = events();
    let bytes = events.iter().map(|event| serde_json::to_string(&**event).unwrap_or_default().len()).sum::<usize>() / EVENTS;
    let text = events.iter().map(|event| event.text.len()).sum::<usize>() / EVENTS;
    let settled: Vec<[SoFar; 3]> = events.iter().map(|event| settle(&fresh, event)).collect();
    let native = Native::new(&events, &settled);
    let steps = chain(Isolation::Fresh).map(Step::plain);
    let whole = Chain::new("bench".to_owned(), String::new(), Vec::from(steps));

    println!("{EVENTS} events of {bytes} B JSON with {text} B of text; chain of {}; every limit on; {}", fresh.len(), sandbox.allocation());
    println!("CPU time of one thread, median of {ROUNDS} rounds of {BATCH} events, variants in turn\n");
    let mut plain = |at: usize| native.run(at);
    let mut on_fresh = |at: usize| three(&fresh, &events[at], &settled[at]);
    let mut on_reused = |at: usize| three(&reused, &events[at], &settled[at]);
    let backing = Backing::none();
    let mut decided = |at: usize| drop(black_box(whole.run(&events[at], NOW, &backing)));
    let mut crossing = |at: usize| drop(black_box(Subject::new(events[at].clone(), NOW)));
    let medians = interleave(&mut [&mut plain, &mut on_fresh, &mut on_reused, &mut decided, &mut crossing]);
    println!("| variant | us per event | x native |\n|---|---|---|");
    let names = [
        "same rules, native",
        "fresh instances from snapshots",
        "reused instances",
        "fresh, with merge and trace",
        "(the event made ready for guests, once)",
    ];
    for (name, median) in names.iter().zip(&medians) {
        println!("| {name} | {median:.1} | {:.2} |", median / medians[0]);
    }

    let (one, two) = threads(&fresh, &events, &settled);
    println!("\nfresh on two threads: {two:.1} us of CPU per event against {one:.1} on one: {:.2}x the throughput", 2.0 * one / two);

    let table = json!({ "table": 5_000 });
    let snapshot = load(signalbox_test_guests::MISBEHAVE, Some(&table), Isolation::Fresh);
    let configuring = load(signalbox_test_guests::MISBEHAVE, Some(&table), Isolation::Fresh).configuring_every_instance();
    let look_up = subject("lookup a row of the table");
    let mut from_snapshot = |_: usize| drop(black_box(snapshot.evaluate(&look_up, &SoFar::default())));
    let mut from_scratch = |_: usize| drop(black_box(configuring.evaluate(&look_up, &SoFar::default())));
    let medians = interleave(&mut [&mut from_snapshot, &mut from_scratch]);
    let gain = medians[1] / medians[0];
    println!(
        "configure-heavy plugin (5,000 rows): {:.1} us from its snapshot, {:.1} us with configure for every event: {gain:.0}x",
        medians[0], medians[1]
    );

    drop((fresh, reused, whole, snapshot, configuring));
    drop(sandbox);
    let began = Instant::now();
    let sandbox = start();
    let chain =
        signalbox_bundle::PLUGINS.map(|bundled| sandbox.load(bundled.wasm, None, &limits, Isolation::Fresh).expect("kept from before"));
    three(&chain, &events[0], &settled[0]);
    println!("engine, three plugins from kept artefacts, first verdicts: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
}

fn subject(text: &str) -> Arc<Subject> {
    let event = json!({ "id": "1", "text": text });
    Subject::new(Arc::new(Event::from_json(event.to_string().as_bytes()).expect("a canonical event").event), NOW)
}

fn three(plugins: &[Plugin; 3], event: &Arc<Event>, settled: &[SoFar; 3]) {
    let subject = Subject::new(event.clone(), NOW);
    for (plugin, settled) in plugins.iter().zip(settled) {
        black_box(plugin.evaluate(&subject, settled));
    }
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Microseconds of CPU per event: the median of each variant over rounds in which all take their turn.
fn interleave(variants: &mut [&mut dyn FnMut(usize)]) -> Vec<f64> {
    let mut samples = vec![Vec::with_capacity(ROUNDS); variants.len()];
    for round in 0..=ROUNDS {
        for (variant, samples) in variants.iter_mut().zip(&mut samples) {
            let start = cpu();
            (0..BATCH).for_each(|at| variant(at % EVENTS));
            // The first round warms caches and pools.
            if round > 0 {
                samples.push((cpu() - start).as_secs_f64() * 1e6 / BATCH as f64);
            }
        }
    }
    samples.into_iter().map(median).collect()
}

/// CPU per event on one thread, and per event on each of two at once; medians of rounds in turn.
fn threads(plugins: &[Plugin; 3], events: &[Arc<Event>], settled: &[[SoFar; 3]]) -> (f64, f64) {
    let measure = || {
        let start = cpu();
        (0..BATCH).for_each(|at| three(plugins, &events[at % EVENTS], &settled[at % EVENTS]));
        (cpu() - start).as_secs_f64() * 1e6 / BATCH as f64
    };
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(measure());
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    measure();
                }
            });
            two.push(measure());
            stop.store(true, Ordering::Relaxed);
        });
    }
    (median(one), median(two))
}
