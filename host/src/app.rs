//! Everything that is built at boot and shared by every request. Immutable but for the live generation.
//!
//! The only file that reads the clock. What must agree is built together, in the order it depends on itself.

mod alerts;
mod alike;
mod approvals;
mod desks;
mod turns;
mod workflow;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{Semaphore, watch};
use tracing::Instrument as _;

pub use turns::{Turn, Turns};

use crate::answers::{Live, Then};
use crate::ask::record;
use crate::calendar::{Calendar, Calendars};
use crate::chain::Ran;
use crate::config::{self, AlertConfig, Config, SinkConfig, Workflow};
use crate::decision::Decision;
use crate::delivery::Delivery;
use crate::egress::Tls;
use crate::event::{Event, Timestamp};
use crate::generation::Generation;
use crate::journey;
use crate::lane::Lane;
use crate::metrics::Metrics;
use crate::outgoing::{Mode, Outgoing};
use crate::plugin::{Backing, Sandbox};
use crate::registry::Registry;
use crate::replay::Archive;
use crate::sink;
use crate::source::Source;
use crate::state::Shelves;
use crate::store::{Besides, Mine, Posted, Recorded, State, Store, StoreError};
use crate::tables::Tables;
use crate::token::{AdminToken, Tries};

/// Between two batches of the sweep: events come first.
const SWEEP_PAUSE: Duration = Duration::from_millis(200);
/// Accepted events resumed at once: more than a host has in work, so that after a start all of them are in line before anything comes in.
const RESUME_BATCH: usize = 1_024;

/// Uploads at once, those that wait for the compiler included: each holds its bytes, and whoever comes beyond is told to come again.
const UPLOADS: usize = 4;

/// An accepted event that has no decision, and its place in its line.
pub type Behind = (Option<Turn>, Mine);

/// Where time comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's.
    System,
    /// Standing still, for tests.
    Fixed(Timestamp),
    /// What a file says, for tests that move a whole host through time: `signalbox serve --test-clock FILE`, which no help shows and the
    /// log warns of.
    Steered(&'static Path),
}

impl Clock {
    /// The present moment.
    pub fn now(self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
            Self::System => Timestamp(
                std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
            ),
            Self::Fixed(moment) => moment,
            // Written in one piece by the test: a file that is not there, or half there, would be its fault.
            Self::Steered(file) => {
                std::fs::read_to_string(file).ok().and_then(|text| Timestamp::parse(text.trim()).ok()).unwrap_or(Timestamp(0))
            }
        }
    }
}

/// What a source's adapter writes back of a decision.
fn written_back(source: &Source, event: &Event, decision: &Decision) -> Option<(Mode, Vec<Outgoing>)> {
    source.outbound().map(|outbound| (outbound.mode, outbound.calls(event, decision)))
}

/// Every kept calendar in memory. One that cannot be read any more, such as after a time zone was renamed, is left out and named: what
/// counts on it counts around the clock until somebody mends it.
async fn calendars(store: &Store) -> Result<Calendars, StoreError> {
    let calendars = Calendars::default();
    for row in store.calendars().await? {
        let read = serde_json::from_str(&row.spec).map_err(|error| error.to_string());
        match read.and_then(|spec| Calendar::new(&spec).map_err(|error| error.to_string())) {
            Ok(calendar) => calendars.put(row.name, calendar),
            Err(problem) => tracing::error!(calendar = row.name, problem, "a calendar cannot be used; set it again"),
        }
    }
    Ok(calendars)
}

/// How fast each source may send.
pub struct Rates(BTreeMap<String, DefaultDirectRateLimiter>);

impl Rates {
    /// Whether one more event of this source is within its rate.
    pub fn admit(&self, source: &str) -> bool {
        self.0.get(source).is_none_or(|rate| rate.check().is_ok())
    }
}

/// The host.
pub struct App {
    /// Where time comes from.
    pub clock: Clock,
    /// Connections to desks, by name.
    pub sources: BTreeMap<String, Arc<Source>>,
    /// How fast each may send.
    pub rates: Rates,
    /// The journal.
    pub store: Store,
    /// The worker that carries decisions out.
    pub delivery: Arc<Delivery>,
    /// Threads for chains that are not known to be quick.
    pub lane: Lane,
    /// Places for requests in work. A permit moves into the work itself.
    pub permits: Arc<Semaphore>,
    /// Places for uploads: admins' own, so that neither side takes the other's.
    pub uploads: Arc<Semaphore>,
    /// The boot token.
    pub token: AdminToken,
    /// Wrong tokens of late, by address.
    pub guesses: Tries<IpAddr>,
    /// Changes refused of late, by token.
    pub refusals: Tries<String>,
    /// Whether admins come through a proxy, which says where from.
    pub behind_proxy: bool,
    /// What is counted.
    pub metrics: Metrics,
    /// When it was built.
    pub started: Timestamp,
    /// Places for requests in work, free or not.
    pub places: usize,
    /// Largest body, bytes.
    pub max_body_bytes: usize,
    /// For a request's body.
    pub body_timeout: Duration,
    /// How long a caller waits for a decision.
    pub inline_budget: Duration,
    /// What the admin keeps for rules to look up.
    pub tables: Arc<Tables>,
    /// Plugins, set-ups and the live generation.
    pub registry: Registry,
    /// Changes whenever a decision was recorded, and once more when the host begins to stop: whoever follows decisions looks then.
    pub turn: watch::Sender<()>,
    backing: Backing,
    archive: Arc<dyn Archive>,
    asked_bytes: usize,
    /// Business calendars, by name.
    pub calendars: Calendars,
    /// Held while one is changed, so that none of two changes is lost.
    pub calendar_changes: tokio::sync::Mutex<()>,
    /// What happens around decisions.
    pub workflow: Workflow,
    /// Where a source's clocks warn, when it says so itself.
    warn_shares: BTreeMap<String, f64>,
    sinks: BTreeMap<String, SinkConfig>,
    alert_sinks: BTreeMap<String, AlertConfig>,
    /// Whose turn it is.
    pub turns: Turns,
    /// Messages that a new one is compared with; nothing when it is compared with none.
    recent: Option<std::sync::Mutex<crate::alike::Recent>>,
    retention: Option<Duration>,
    stopping: AtomicBool,
}

impl App {
    /// Builds the host. `program` is the binary whose activation child brings plugins in.
    ///
    /// # Errors
    /// A sentence that names what could not be built.
    pub async fn build(config: Config, program: &Path, clock: Clock) -> anyhow::Result<Self> {
        let store = Store::open(&config.data)?;
        let token = AdminToken::open(&config.data)?;
        let tables = Arc::new(Tables::open(store.clone(), config.tables).await?);
        let calendars = calendars(&store).await?;
        let known: Arc<dyn crate::ask::Calendars> = Arc::new(calendars.clone());
        let archive = Arc::new(Then { store: store.clone(), calendars: known.clone() });
        let answers = Arc::new(Live { tables: tables.clone(), store: store.clone(), calendars: known });
        let backing = Backing { answers, shelves: Arc::new(Shelves::of(store.state(clock.now()).await?)) };
        let recent = alike::recent(&store, config.workflow.similar_hours, clock.now()).await?;
        let sandbox = Arc::new(Sandbox::start(&config.limits, program.to_owned(), config.data.join("artefacts"))?);
        let registry = Registry::open(sandbox, store.clone(), &config, clock.now()).await?;
        // Reading the machine's authorities takes some 20 ms of a start.
        let calls = !config.sinks.is_empty()
            || !config.alerts.is_empty()
            || config.sources.values().any(|source| source.source.outbound().is_some());
        let tls = if calls { Tls::of_this_machine() } else { Tls::of_nobody() }?;
        let delivery = Delivery::new(store.clone(), desks::desks(&config, &tls)?, &tls, move || clock.now())?;
        let rate = |(name, source): (&String, &config::SourceConfig)| {
            let per_second = NonZeroU32::new(source.max_per_second).unwrap_or(NonZeroU32::MIN);
            // Twice a second's worth at once: desks send what piled up in one burst.
            (
                name.clone(),
                RateLimiter::direct(
                    Quota::per_second(per_second).allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1))),
                ),
            )
        };
        let rates = Rates(config.sources.iter().map(rate).collect());
        Ok(Self {
            metrics: Metrics::new(config.sources.keys(), config.alerts.keys()),
            started: clock.now(),
            places: config.max_in_flight,
            clock,
            workflow: config.workflow,
            warn_shares: config.sources.iter().filter_map(|(name, source)| Some((name.clone(), source.warn_share?))).collect(),
            sources: config.sources.into_iter().map(|(name, source)| (name, Arc::new(source.source))).collect(),
            rates,
            store,
            delivery: Arc::new(delivery),
            sinks: config.sinks,
            alert_sinks: config.alerts,
            turns: Turns::default(),
            recent: recent.map(std::sync::Mutex::new),
            retention: config.retention,
            lane: Lane::start(std::thread::available_parallelism().map_or(1, usize::from))?,
            permits: Arc::new(Semaphore::new(config.max_in_flight)),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            token,
            guesses: Tries::default(),
            refusals: Tries::default(),
            behind_proxy: config.behind_proxy,
            max_body_bytes: config.max_body_bytes,
            body_timeout: config.body_timeout,
            inline_budget: config.inline_budget,
            tables,
            backing,
            archive,
            asked_bytes: config.limits.asked_bytes,
            registry,
            turn: watch::Sender::new(()),
            calendars,
            calendar_changes: tokio::sync::Mutex::default(),
            stopping: AtomicBool::new(false),
        })
    }

    /// The live generation. A request takes it once and keeps it to its end.
    pub fn generation(&self) -> Arc<Generation> {
        self.registry.live()
    }

    /// The events that were accepted and not decided, each with its place in its line: what comes in from now on comes behind them.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn left_behind(&self) -> Result<Vec<Behind>, StoreError> {
        let stand = |mine: Mine| (mine.accepted().map(|event| self.turns.queue(event)), mine);
        Ok(self.store.pending(RESUME_BATCH).await?.into_iter().map(stand).collect())
    }

    /// Decides them.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn catch_up(&self, behind: Vec<Behind>) -> anyhow::Result<()> {
        for (mut turn, mine) in behind {
            if let Some(turn) = &mut turn {
                turn.wait().await;
            }
            self.decide(mine).await?;
        }
        Ok(())
    }

    /// Decides whatever was accepted and not decided; says how many events that were.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub async fn resume(&self) -> anyhow::Result<usize> {
        let mut resumed = 0;
        loop {
            let behind = self.left_behind().await?;
            if behind.is_empty() {
                return Ok(resumed);
            }
            resumed += behind.len();
            self.catch_up(behind).await?;
        }
    }

    /// Erases what is older than the config wants it kept, batch by batch; nothing when it is kept for ever.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let Some(kept) = self.retention else { return Ok(0) };
        let before = Timestamp(self.clock.now().0.saturating_sub(u64::try_from(kept.as_millis()).unwrap_or(u64::MAX)));
        let mut swept = 0;
        loop {
            match self.store.sweep(before).await? {
                0 => return Ok(swept),
                batch => swept += batch,
            }
            tokio::time::sleep(SWEEP_PAUSE).await;
        }
    }

    async fn decide(&self, mine: Mine) -> anyhow::Result<()> {
        let Some(event) = mine.accepted().cloned().map(Arc::new) else { return Ok(()) };
        let chain = self.generation().chain_for(&event);
        let ran = self.lane.submit(chain, event.clone(), self.clock.now(), self.backing()).await?;
        self.record(mine, &event, ran).await?;
        Ok(())
    }

    /// Where a replay looks up what is not in a run's record.
    pub fn archive(&self) -> Arc<dyn Archive> {
        self.archive.clone()
    }

    /// What stands behind the questions of a run.
    pub fn backing(&self) -> Backing {
        self.backing.clone()
    }

    /// Makes a decision durable, together with the calls that carry it out, with what its steps asked, and with what they remember; and has
    /// the calls sent.
    ///
    /// # Errors
    /// As [`Store::record`]; then the steps remember nothing of it.
    pub async fn record(&self, mine: Mine, event: &Event, ran: Ran) -> Result<Recorded, StoreError> {
        let Ran { mut decision, asked, written } = ran;
        decision.follows = workflow::follows(event);
        self.metrics.decided(&decision);
        journey::decided(&decision);
        let message = decision.follows.is_none();
        let clocks = if message { self.clocks(&event.source, &mut decision) } else { Vec::new() };
        let (free, approvals) = self.approvals(event, &decision);
        let posted = self.posted(event, &decision, free);
        let alerts = self.raised(event, &decision);
        let to_send = !alerts.is_empty() || posted.iter().any(|posted| posted.state == State::Waiting);
        let asks = approvals.len();
        let (asked, writes, calendars) = (record(&asked, self.asked_bytes), written.writes(), self.calendars.clone());
        let alert_window = self.workflow.alert_window;
        let besides = Besides { posted, asked, writes, approvals, alerts, alert_window, clocks, message, calendars };
        let (recorded, happened, rung) = self.store.record_all(mine, event, &decision, besides).instrument(journey::record()).await?;
        // An earlier decision stands with what was written then; this one's writes are taken back.
        if *recorded.decision_id == decision.head.id {
            written.keep();
            self.metrics.workflow.asked(asks);
        }
        self.happened(&happened);
        self.rung(&rung);
        self.turn.send_replace(());
        if to_send {
            self.delivery.wake();
        }
        Ok(recorded)
    }

    /// Every call that a decision makes: to its own desk first, with those that need nobody's approval, then to the sinks.
    fn posted(&self, event: &Event, decision: &Decision, free: Vec<Outgoing>) -> Vec<Posted> {
        let mut posted = Vec::new();
        let mut post = |target: String, mode: Mode, call: Outgoing| {
            if mode != Mode::Off {
                let state = match mode {
                    Mode::Shadow => State::Shadow,
                    // It waits for a person: sending it by hand is how they say yes.
                    _ if decision.held.is_some() => State::Parked,
                    _ => State::Waiting,
                };
                posted.push(Posted { target, call, state });
            }
        };
        if let Some((mode, calls)) = self.sources.get(&event.source).and_then(|source| written_back(source, event, decision)) {
            calls.into_iter().chain(free).for_each(|call| post(format!("sources.{}", event.source), mode, call));
        }
        for (name, sink) in &self.sinks {
            if sink.sources.is_empty() || sink.sources.contains(&event.source) {
                post(format!("sinks.{name}"), sink.mode, sink::told(&sink.path, decision));
            }
        }
        posted
    }

    /// Memory of this process that is in use, bytes, where the system says so.
    pub fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(kib.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
    }

    /// Says that the host is going down: load balancers look elsewhere from now on.
    pub fn begin_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.turn.send_replace(());
    }

    /// Whether it is going down.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Why it should get no traffic now, if so.
    pub async fn unready(&self) -> Option<String> {
        if self.is_stopping() {
            return Some("stopping".to_owned());
        }
        let free = self.permits.available_permits();
        if free == 0 {
            return Some(format!("all {} places are taken; requests that come now are told to come again", self.places));
        }
        // The registry brings one up before anything listens, so this is a fault of ours; but traffic it would pass undecided.
        if self.registry.now().1 == 0 {
            return Some("no set-up is live".to_owned());
        }
        self.store.healthy().await.err().map(|error| error.to_string())
    }
}
