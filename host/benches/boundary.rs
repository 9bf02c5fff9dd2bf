//! What crossing into a guest costs in two shapes: the whole event in the record, or what few rules read behind `facts`.
//!
//! `cargo bench --bench boundary` prints the table of docs/performance.md. The guest judges nothing; every call has a new instance,
//! as a rule has by default, and an empty call on a new instance is taken off.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]
#![expect(missing_docs, reason = "the bindings are generated")]

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

wasmtime::component::bindgen!({
    path: ["../wit", "../tests/guests/boundary/wit"],
    world: "bench:boundary/guest",
    require_store_data_send: true,
});

use self::exports::bench::boundary::shapes::Rest;
use self::signalbox::rules::facts;
use self::signalbox::rules::types::{Attachment, Attribute, AttributeValue, Author, Direction, Event, Ticket, Visibility};

/// Rounds of every variant; the table shows medians.
const ROUNDS: usize = 51;
/// Calls per round.
const BATCH: usize = 2_000;

/// Holds the facts of one event.
struct Facts(Rest);

impl facts::Host for Facts {
    fn get_author(&mut self) -> Option<Author> {
        self.0.author.clone()
    }

    fn get_ticket(&mut self) -> Option<Ticket> {
        self.0.ticket.clone()
    }

    fn get_attachments(&mut self) -> Vec<Attachment> {
        self.0.attachments.clone()
    }

    fn get_attribute(&mut self, key: String) -> Option<AttributeValue> {
        self.0.attributes.iter().find(|attribute| attribute.key == key).map(|attribute| attribute.value.clone())
    }

    fn get_attributes(&mut self) -> Vec<Attribute> {
        self.0.attributes.clone()
    }

    fn get_permalink(&mut self) -> Option<String> {
        self.0.permalink.clone()
    }

    fn get_parent_id(&mut self) -> Option<String> {
        self.0.parent_id.clone()
    }
}

impl signalbox::rules::types::Host for Facts {}

fn main() {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(4).linear_memory_keep_resident(4 << 20).pagemap_scan(Enabled::Auto).max_memory_size(64 << 20);
    let mut config = Config::new();
    config.consume_fuel(true).epoch_interruption(true).concurrency_support(false);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config).expect("the engine starts");
    let component = Component::new(&engine, signalbox_test_guests::BOUNDARY).expect("the guest is a component");
    let mut linker = Linker::new(&engine);
    Guest::add_to_linker::<Facts, HasSelf<Facts>>(&mut linker, |facts| facts).expect("one interface");
    let pre = linker.instantiate_pre(&component).and_then(GuestPre::new).expect("it asks for nothing else");
    let (event, rest) = (event(), rest());

    let call = |how: fn(&Guest, &mut Store<Facts>, &Event) -> u32, facts: Rest| {
        let mut store = Store::new(&engine, Facts(facts));
        store.set_fuel(1_000_000).expect("fuel is on");
        store.set_epoch_deadline(1_000);
        let guest = pre.instantiate(&mut store).expect("it instantiates");
        how(&guest, &mut store, &event);
    };
    type Call = fn(&Guest, &mut Store<Facts>, &Event) -> u32;
    // The rest is cloned for every variant alike, so that the difference is the crossing.
    let variants: [(&str, Call); 4] = [
        ("an instance, and no call", |_, _, _| 0),
        ("the contract: a rule that reads the event alone", |guest, store, event| {
            guest.bench_boundary_shapes().call_slim(store, event).expect("it answers")
        }),
        ("the contract: a rule that asks for author and ticket", |guest, store, event| {
            guest.bench_boundary_shapes().call_asking(store, event).expect("it answers")
        }),
        ("everything in the record", |guest, mut store, event| {
            let rest = std::mem::replace(&mut store.data_mut().0, nothing());
            guest.bench_boundary_shapes().call_whole(&mut store, event, &rest).expect("it answers")
        }),
    ];
    let mut samples = vec![Vec::with_capacity(ROUNDS); variants.len()];
    for round in 0..=ROUNDS {
        for ((_, how), samples) in variants.iter().zip(&mut samples) {
            let start = cpu();
            (0..BATCH).for_each(|_| call(*how, rest.clone()));
            // The first round warms caches and pools.
            if round > 0 {
                samples.push((cpu() - start).as_secs_f64() * 1e6 / BATCH as f64);
            }
        }
    }
    let medians: Vec<f64> = samples.into_iter().map(median).collect();
    println!("CPU time of one thread, median of {ROUNDS} rounds of {BATCH} calls, variants in turn, a new instance each\n");
    println!("| shape of the call | us | us more than no call |\n|---|---|---|");
    for ((name, _), median) in variants.iter().zip(&medians) {
        println!("| {name} | {median:.2} | {:.2} |", median - medians[0]);
    }
}

/// 560 bytes of text, and what a desk says of a usual post.
fn event() -> Event {
    Event {
        id: "mastodon:113".to_owned(),
        revision: 0,
        source: "social".to_owned(),
        kind: "mention".to_owned(),
        network: "mastodon".to_owned(),
        action: "created".to_owned(),
        direction: Direction::Inbound,
        visibility: Visibility::Public,
        text: "the VPN has been down since nine and nobody here can work. ".repeat(10)[..560].to_owned(),
        title: None,
        language: Some("en".to_owned()),
        thread_id: Some("t28".to_owned()),
        rating: None,
        occurred: Some(1_767_225_600_000),
        received: 1_767_225_601_000,
    }
}

fn rest() -> Rest {
    let own = str::to_owned;
    let attribute = |key: &str, value| Attribute { key: own(key), value };
    Rest {
        author: Some(Author {
            id: Some(own("a113")),
            handle: Some(own("@ann@social.example")),
            name: Some(own("Ann Example")),
            followers: Some(1_200),
            verified: Some(false),
            vip: None,
            organisation: None,
            staff: None,
            bot: None,
        }),
        ticket: Some(Ticket {
            id: own("113"),
            number: Some(own("100113")),
            status: Some(own("open")),
            priority: Some(own("2 normal")),
            queue: Some(own("Service Desk")),
            assignee: None,
            tags: vec![own("social")],
            opened: None,
        }),
        attachments: Vec::new(),
        attributes: vec![
            attribute("likes", AttributeValue::Integer(7)),
            attribute("hashtags", AttributeValue::Texts(vec![own("fail"), own("vpn")])),
        ],
        permalink: Some(own("https://social.example/@ann/113")),
        parent_id: None,
    }
}

fn nothing() -> Rest {
    Rest { author: None, ticket: None, attachments: Vec::new(), attributes: Vec::new(), permalink: None, parent_id: None }
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
