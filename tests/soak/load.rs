//! Under load: hundreds of kills, a flood, a bad neighbour, a hundred thousand events.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use crate::desk::Desk;
use crate::figure;
use crate::harness::{SOON, SOURCES, TestHost, event, fresh, signed, until};
use crate::wire::{Connection, Request};

/// Kills of the host.
const KILLS: u64 = 200;
/// Events of the long run.
const EVENTS: usize = 100_000;
/// How long each side of a comparison is looked at.
const SPELL: Duration = Duration::from_secs(8);

#[test]
fn kills_lose_and_double_nothing() {
    let desk = Desk::open();
    let retry = "retry = { attempts = 1000, base_s = 0.01, max_s = 0.1 }";
    let sink =
        format!("[sinks.audit]\nurl = \"{}\"\nsecret = \"file:desk.secret\"\nallow_private = [\"127.0.0.1\"]\n{retry}\n", desk.url("/in"));
    let mut host = TestHost::with_config(&format!("{SOURCES}{sink}"));
    let answered = Mutex::new(BTreeMap::<String, Option<String>>::new());
    let (sent, mut starts) = (AtomicUsize::new(0), Vec::new());
    for round in 0..KILLS {
        let (public, stop) = (host.public, AtomicBool::new(false));
        std::thread::scope(|scope| {
            for (client, source) in ["desk", "receipts", "desk", "receipts"].into_iter().enumerate() {
                let (answered, sent, stop) = (&answered, &sent, &stop);
                scope.spawn(move || {
                    let Ok(mut connection) = Connection::open(public) else { return };
                    for at in 0.. {
                        let id = format!("soak-{round}-{client}-{at}");
                        sent.fetch_add(1, Ordering::Relaxed);
                        let answer = connection.call(&signed(source, &id, event(&id, "the VPN is down")));
                        let Ok(Some(answer)) = answer else { return };
                        assert!(matches!(answer.status, 200 | 202), "{}", answer.text());
                        let decision = (answer.status == 200).then(|| answer.json()["id"].as_str().unwrap().to_owned());
                        answered.lock().unwrap().insert(id, decision);
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                    }
                });
            }
            // Somewhere in the first 150 ms, spread evenly: the golden ratio's multiples never meet.
            std::thread::sleep(Duration::from_micros(1_000 + round * 92_705 % 150_000));
            host.kill9();
            stop.store(true, Ordering::Relaxed);
        });
        let start = Instant::now();
        host.start_again();
        starts.push(start.elapsed());
    }
    let answered = answered.into_inner().unwrap();
    let rows = until(Duration::from_secs(120), "every answered event's decision", || {
        let rows = host.pages("", 200);
        let known: BTreeSet<&str> = rows.iter().map(|row| row["event"]["id"].as_str().unwrap()).collect();
        answered.keys().all(|id| known.contains(id.as_str())).then(|| rows.clone())
    });
    let mut decisions = BTreeMap::new();
    for row in &rows {
        let (id, decision) = (row["event"]["id"].as_str().unwrap(), row["decision"]["id"].as_str().unwrap());
        assert_eq!(decisions.insert(id.to_owned(), decision.to_owned()), None, "{id} is decided twice");
    }
    let lost = answered.iter().filter(|(id, told)| told.as_ref().is_some_and(|told| decisions.get(*id) != Some(told))).count();
    assert_eq!(lost, 0, "answered with a decision that is not the recorded one");
    let delivered = until(Duration::from_secs(300), "every delivery", || {
        let told: Vec<String> = desk.effects().iter().map(|call| call.json()["data"]["id"].as_str().unwrap().to_owned()).collect();
        (told.len() >= decisions.len()).then_some(told)
    });
    let once: BTreeSet<&String> = delivered.iter().collect();
    assert_eq!((once.len(), delivered.len()), (decisions.len(), decisions.len()), "every decision is delivered, none twice");
    starts.sort_unstable();
    figure(
        "`kill -9` under load, at random moments: kills; events answered; decisions lost / made twice; deliveries lost / made twice",
        &format!("{KILLS}; {}; 0 / 0; 0 / 0 (median restart {} ms)", answered.len(), starts[starts.len() / 2].as_millis()),
    );
}

/// Sends events at a fixed rate, whatever becomes of them, and gives how long each took from the moment it was due: nothing is left out
/// because an earlier one was slow.
fn paced(public: SocketAddr, per_second: u32, connections: usize, spell: Duration, request: impl Fn() -> Request + Sync) -> Vec<Duration> {
    let (next, start, took) = (AtomicUsize::new(0), Instant::now(), Mutex::new(Vec::new()));
    let total = (spell.as_secs_f64() * f64::from(per_second)) as usize;
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let mut connection = Connection::open(public).unwrap();
                while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < total) {
                    let due = start + Duration::from_secs_f64(at as f64 / f64::from(per_second));
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let answer = connection.call(&request()).unwrap().unwrap();
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    took.lock().unwrap().push(due.elapsed());
                }
            });
        }
    });
    let mut took = took.into_inner().unwrap();
    took.sort_unstable();
    took
}

fn share(took: &[Duration], of: f64) -> Duration {
    took[((took.len() - 1) as f64 * of) as usize]
}

#[test]
fn a_bad_neighbour_is_not_noticed() {
    // The default chain is honest; source `desk` has the chain with the step that misbehaves.
    let honest = "[[chains.default.steps]]\nplugin = \"categorize\"\n[[chains.default.steps]]\nplugin = \"sentiment\"\n";
    let bad = "[[chains.bad.steps]]\nfile = \"misbehave.wasm\"\nquarantine_after = 0\n[routes]\ndesk = \"bad\"\n";
    let host = TestHost::with_config(&format!("{honest}{bad}{SOURCES}"));
    let good = || Request::post("/hooks/demo", event(&fresh("good"), "the VPN is down, nobody can work")).json();
    let look = || share(&paced(host.public, 100, 4, SPELL, good), 0.99);
    look();
    let (stop, bad_ones) = (AtomicBool::new(false), AtomicUsize::new(0));
    let words = ["trap", "spin", "recurse", "hoard", "honest"];
    // The same events from the same neighbour, well-behaved: what is compared is what misbehaving adds, and not one more row to sync.
    let neighbour = |words: &[&str], counted: &AtomicUsize| {
        let mut connection = Connection::open(host.public).unwrap();
        while !stop.load(Ordering::Relaxed) {
            let id = fresh("bad");
            let word = words[counted.fetch_add(1, Ordering::Relaxed) % words.len()];
            let answer = connection.call(&signed("desk", &id, event(&id, word))).unwrap().unwrap();
            assert!(matches!(answer.status, 200 | 202), "a fault is an outcome: {}", answer.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let beside = |words: &[&str], counted: &AtomicUsize| {
        stop.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| neighbour(words, counted));
            let share = look();
            stop.store(true, Ordering::Relaxed);
            share
        })
    };
    // In turns, so that what the machine does beside it falls on both.
    let (mut alone, mut well, mut ill) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        alone.push(look());
        well.push(beside(&["honest"], &AtomicUsize::new(0)));
        ill.push(beside(&words, &bad_ones));
    }
    [&mut alone, &mut well, &mut ill].into_iter().for_each(|times| times.sort_unstable());
    let rows = host.pages("source=demo", 200);
    let settled: BTreeSet<String> =
        rows.iter().map(|row| format!("{}{}", row["decision"]["category"], row["decision"]["sentiment"])).collect();
    assert_eq!(settled.len(), 1, "the good chain decides one text one way: {settled:?}");
    assert!(rows.iter().all(|row| row["decision"]["degraded"] == false));
    figure(
        "a step that traps, loops, recurses and grows, 20 events/s, in its lane: p99 of a good chain's 100 events/s beside it / beside the \
         same step and rate without a fault (and alone); its decisions that differ",
        &format!(
            "{:.2}x ({:.1} / {:.1} ms, {:.1} alone; {} bad events); 0 of {}",
            ill[1].as_secs_f64() / well[1].as_secs_f64(),
            ill[1].as_secs_f64() * 1e3,
            well[1].as_secs_f64() * 1e3,
            alone[1].as_secs_f64() * 1e3,
            bad_ones.load(Ordering::Relaxed),
            rows.len()
        ),
    );
}

/// Answers of each status that a number of callers get who send as fast as they are answered, and when each came.
fn flood(public: SocketAddr, callers: usize, spell: Duration) -> BTreeMap<u16, usize> {
    let (told, start) = (Mutex::new(BTreeMap::new()), Barrier::new(callers));
    std::thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                let mut connection = Connection::open(public).unwrap();
                start.wait();
                let end = Instant::now() + spell;
                while Instant::now() < end {
                    let answer = connection.call(&Request::post("/hooks/demo", event(&fresh("flood"), "the VPN is down")).json());
                    let answer = answer.unwrap().unwrap();
                    if answer.status == 503 {
                        assert!(answer.header("retry-after").is_some());
                        // A desk that is told to come again does so, only sooner than it was asked to.
                        std::thread::sleep(Duration::from_millis(25));
                    }
                    *told.lock().unwrap().entry(answer.status).or_insert(0) += 1;
                }
            });
        }
    });
    told.into_inner().unwrap()
}

#[test]
fn a_flood_is_shed_and_forgotten() {
    const PLACES: usize = 8;
    let host = TestHost::with_config(&format!("[server]\nmax_in_flight = {PLACES}\n{SOURCES}"));
    flood(host.public, PLACES, Duration::from_secs(2));
    let usual = flood(host.public, PLACES, SPELL);
    let told = flood(host.public, PLACES * 4, SPELL);
    let calm = Instant::now();
    let recovered = until(SOON, "a calm answer", || {
        let asked = Instant::now();
        let ready = host.ask("/readyz").status == 200;
        host.decide("all is well");
        (ready && asked.elapsed() < Duration::from_millis(100)).then(|| calm.elapsed())
    });
    assert!(told.keys().all(|status| matches!(status, 200 | 503)), "{told:?}");
    let rows: usize = host.pages("", 200).len();
    let good = |told: &BTreeMap<u16, usize>| told.get(&200).copied().unwrap_or(0);
    assert!(rows > good(&usual) + good(&told), "every 200 is in the journal");
    assert!(told.get(&503).is_some_and(|shed| *shed > 0), "it was more than it has places for: {told:?}");
    figure(
        "four times as many callers as places: decided per second / with as many as places; shed with 503 and `Retry-After`; lost; back to calm",
        &format!(
            "{:.2}x ({} / {} in {} s); {}; 0; {} ms",
            good(&told) as f64 / good(&usual) as f64,
            good(&told),
            good(&usual),
            SPELL.as_secs(),
            told[&503],
            recovered.as_millis()
        ),
    );
}

#[test]
fn memory_stays() {
    let host = TestHost::with_misbehave("");
    let words = ["trap", "the VPN is down, nobody can work", "thanks a lot", "honest", "recurse"];
    let next = AtomicUsize::new(0);
    let run = |until: usize| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut connection = Connection::open(host.public).unwrap();
                    while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < until) {
                        let body = event(&fresh("long"), words[at % words.len()]);
                        assert_eq!(connection.call(&Request::post("/hooks/demo", body).json()).unwrap().unwrap().status, 200);
                    }
                });
            }
        });
        next.store(until, Ordering::Relaxed);
        host.rss()
    };
    let (begin, mut marks) = (Instant::now(), vec![run(EVENTS / 10)]);
    (2..=10).for_each(|tenth| marks.push(run(EVENTS / 10 * tenth)));
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    // The slope of the later half: caches and pools are full by then.
    let slope = (mib(marks[9]) - mib(marks[4])) / 5.0 * 10.0;
    assert!(slope < 32.0, "resident memory grows by {slope:.1} MiB in 100,000 events: {marks:?}");
    figure(
        "100,000 events, two of five a fault: resident memory, MiB; slope of the later half, MiB per 100,000 events",
        &format!("{:.0} to {:.0}; {slope:.1} (in {} s)", mib(marks[0]), mib(marks[9]), begin.elapsed().as_secs()),
    );
}
