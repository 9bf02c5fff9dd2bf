//! `signalbox serve`: builds the host, binds both listeners, tells a newcomer what to do next, and drains on SIGTERM.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Done, out};
use crate::app::{App, Behind, Clock};
use crate::config::{Config, DEMO, Overrides};
use crate::server::{self, Bounds};
use crate::telemetry::{self, Traces};
use crate::token;

/// Between two looks for accepted events that have no decision: such are rare, and a look costs one short query.
const RESUME_EVERY: Duration = Duration::from_secs(30);

/// Between two looks for events that are older than they are kept: their age is told in days.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Config file (TOML); without one, the bundled chain and a demo source for this machine
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept: journal, admin token, compiled plugins [default: signalbox-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where desks call [default: 127.0.0.1:8640]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where admins call [default: 127.0.0.1:8641]
    #[arg(long, value_name = "ADDR")]
    admin_listen: Option<String>,
    /// File whose text is the time, for tests that move a whole host through time
    #[arg(long, value_name = "FILE", hide = true)]
    test_clock: Option<PathBuf>,
}

pub(super) fn serve(args: &Args) -> anyhow::Result<Done> {
    let overrides = Overrides { listen: args.listen.clone(), admin_listen: args.admin_listen.clone(), data: args.data.clone() };
    let config = Config::load(args.config.as_deref(), &overrides)?;
    config.samples_hold().map_err(anyhow::Error::msg)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let inside = runtime.enter();
    let traces = telemetry::start(&config.log, config.traces.as_ref(), clock(args))?;
    drop(inside);
    let done = runtime.block_on(host(config, clock(args)));
    // While the runtime is there: the exporter's calls run on it.
    traces.into_iter().for_each(Traces::end);
    done
}

/// The machine's time, or a test's. Nothing else of the host differs.
fn clock(args: &Args) -> Clock {
    let Some(file) = &args.test_clock else { return Clock::System };
    tracing::warn!(file = %file.display(), "the time comes from a file: this host is for a test");
    // Once for the life of the process.
    Clock::Steered(Box::leak(file.clone().into_boxed_path()))
}

async fn host(config: Config, clock: Clock) -> anyhow::Result<Done> {
    let start = Instant::now();
    // Both sockets before anything slow: a port that is taken is told at once.
    let public = bind("listen", config.listen).await?;
    let admin = bind("admin_listen", config.admin_listen).await?;
    let bounds = Bounds {
        header_timeout: config.header_timeout,
        answer_timeout: config.body_timeout,
        drain: config.drain,
        connections: config.max_connections,
    };
    let data = config.data.clone();
    let program = std::env::current_exe().context("cannot find the running binary, which also compiles plugins")?;
    let app = Arc::new(App::build(config, &program, clock).await?);
    let addresses = (public.local_addr()?, admin.local_addr()?);
    // Before the welcome: whoever has read it may stop the host, in order, at any moment.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    out(&welcome(&app, addresses, &data, start));

    let (stop, stopping) = watch::channel(());
    let until = |mut stopping: watch::Receiver<()>| async move {
        // The channel closes when the signal has come.
        let _ = stopping.changed().await;
    };
    // Before anything comes in: what was accepted first is decided first.
    let behind = app.left_behind().await?;
    let listeners = (
        tokio::spawn(server::run(public, server::public(app.clone()), bounds, until(stopping.clone()))),
        tokio::spawn(server::run(admin, server::admin(app.clone()), bounds, until(stopping.clone()))),
    );
    let delivering = tokio::spawn(app.delivery.clone().run(until(stopping), bounds.drain));
    let (resuming, sweeping) = (tokio::spawn(resume(app.clone(), behind)), tokio::spawn(sweep(app.clone())));
    let keeper = app.clone();
    let keeping_time = tokio::spawn(async move { keeper.keep_time().await });
    let counter = app.clone();
    let keeping_count = tokio::spawn(async move { counter.keep_count().await });
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    tracing::info!("stopping: no new requests, those under way finish");
    app.begin_stopping();
    resuming.abort();
    sweeping.abort();
    keeping_time.abort();
    keeping_count.abort();
    drop(stop);
    let _ = tokio::join!(listeners.0, listeners.1, delivering);
    app.store.clone().close().await.context("the journal could not be closed; nothing is lost, the next start checks it")?;
    Ok(Done::Well)
}

/// Decides what was accepted and not decided: at the start what a crash left, later what the journal refused at first.
async fn resume(app: Arc<App>, behind: Vec<Behind>) {
    let resumed = behind.len();
    match app.catch_up(behind).await {
        Ok(()) if resumed == 0 => {}
        Ok(()) => tracing::info!(resumed, "accepted events are decided"),
        Err(error) => tracing::error!(reason = %error, "accepted events are still waiting"),
    }
    let mut turn = tokio::time::interval(RESUME_EVERY);
    loop {
        turn.tick().await;
        match app.resume().await {
            Ok(0) => {}
            Ok(resumed) => tracing::info!(resumed, "accepted events are decided"),
            Err(error) => tracing::error!(reason = %error, "accepted events are still waiting"),
        }
    }
}

/// Erases what is older than it is kept.
async fn sweep(app: Arc<App>) {
    let mut turn = tokio::time::interval(SWEEP_EVERY);
    loop {
        turn.tick().await;
        match app.sweep().await {
            Ok(0) => {}
            Ok(events) => tracing::info!(events, "events past their retention are erased"),
            Err(error) => tracing::error!(reason = %error, "events past their retention are still there"),
        }
    }
}

async fn bind(key: &str, address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; stop what has it, or choose another with `{key}`"))
}

fn welcome(app: &App, (public, admin): (std::net::SocketAddr, std::net::SocketAddr), data: &std::path::Path, start: Instant) -> String {
    let generation = app.generation();
    let chain: Vec<String> = generation
        .steps()
        .iter()
        .map(|step| {
            let description = step.plugin.description();
            format!("{} {}", description.name, description.version)
        })
        .collect();
    let hooks: String = app.sources.keys().map(|name| format!("  hook    http://{public}/hooks/{name}\n")).collect();
    let token = data.join(token::FILE);
    let mut text = format!(
        "signalbox {} is ready after {} ms\n\n{hooks}  admin   http://{admin}/v1/about  (token in {})\n  console http://{admin}/\n  data    {}\n  chain   {}\n  memory  {}\n",
        env!("CARGO_PKG_VERSION"),
        start.elapsed().as_millis(),
        token.display(),
        data.display(),
        chain.join(" > "),
        app.registry.allocation(),
    );
    if app.sources.contains_key(DEMO) {
        let event = r#"{"id":"post-1","network":"mastodon","kind":"mention","author":{"handle":"@ann","followers":12000},"text":"@acme the VPN has been down since 9am and nobody in the office can work. Unacceptable!"}"#;
        text.push_str(&format!("\nTry it:\n\n  curl -s http://{public}/hooks/{DEMO} -H 'content-type: application/json' -d '{event}'\n"));
        text.push_str(&format!(
            "\nRead it back:\n\n  curl -s 'http://{admin}/v1/decisions?event_id=post-1' -H \"authorization: Bearer $(cat '{}')\"\n\n",
            token.display()
        ));
    }
    text
}
