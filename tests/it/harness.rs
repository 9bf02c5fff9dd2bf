//! Starts, asks and stops real hosts: the binary of this package, each with a directory and two ports of its own.
//!
//! Compiled plugins are the slow part of a start, so one warm-up makes them and every host begins with links to them. A host
//! that is dropped is killed by its own handle, so that a failed test leaves nothing running.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::wire::{Answer, Request, call, hub_signature, standard_signature};

/// The binary under test.
pub const SIGNALBOX: &str = env!("CARGO_BIN_EXE_signalbox");
/// The key that the source `desk` signs with, as bytes; its file holds the base64 of it.
pub const DESK_KEY: &[u8] = b"the key of the desk, 32 bytes ok";
/// The key that the source `zammad` signs with.
pub const ZAMMAD_KEY: &str = "the token of the zammad webhook";
/// One signed source for canonical events, one Zammad that reads answers, one that wants receipts, and the unsigned demo.
pub const SOURCES: &str = r#"
[sources.desk]
preset = "generic"
secrets = ["file:desk.secret"]
max_per_second = 100000
[sources.receipts]
preset = "generic"
secrets = ["file:desk.secret"]
answer = "receipt"
max_per_second = 100000
[sources.zammad]
preset = "zammad"
secrets = ["file:zammad.secret"]
answer = "decision"
[sources.demo]
preset = "demo"
max_per_second = 100000
"#;
/// Longest a start may take: the first one on a slow machine compiles every plugin.
const START: Duration = Duration::from_secs(120);
/// Longest that anything else is waited for.
pub const SOON: Duration = Duration::from_secs(20);

/// Asks again and again, until there is something or the time is up.
pub fn until<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Some(found) = ask() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited {limit:?} for {what}");
}

/// The present moment, unix seconds.
pub fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "signatures need the time of the machine that the host runs on")]
    let now = std::time::SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// An id that no other test has used.
pub fn fresh(word: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{word}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// An empty directory that is gone when the test is. Its name holds a space, as an admin's may.
pub fn directory() -> TempDir {
    tempfile::Builder::new().prefix("a host-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Runs a command of the binary to its end.
pub fn signalbox(arguments: &[&str]) -> Output {
    Command::new(SIGNALBOX).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// What a command printed to standard error.
pub fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A data directory with the artefacts of the bundled plugins and of the misbehaving one, made once for this very binary.
pub fn warm_data() -> &'static Path {
    static WARM: OnceLock<PathBuf> = OnceLock::new();
    WARM.get_or_init(|| {
        let binary = fs::metadata(SIGNALBOX).unwrap();
        let stamp = binary.modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let data = target.join(format!("warm-{}-{stamp}", binary.len()));
        for stale in fs::read_dir(target).unwrap().flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("warm-")) {
            if stale.path() != data {
                // Another run of the suite may have been faster.
                let _ = fs::remove_dir_all(stale.path());
            }
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&data).unwrap();
        furnish(&data);
        fs::write(data.join("event.json"), r#"{"id": "warm-up", "text": "hello"}"#).unwrap();
        fs::write(data.join("warm.toml"), steps("")).unwrap();
        let path = |name: &str| data.join(name).display().to_string();
        let output = signalbox(&["run", "--data", &data.display().to_string(), "--config", &path("warm.toml"), &path("event.json")]);
        assert!(output.status.success(), "{}", complaint(&output));
        data
    })
}

/// Puts the files that configs of these tests refer to into a directory.
fn furnish(dir: &Path) {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.encode(DESK_KEY);
    fs::write(dir.join("desk.secret"), format!("whsec_{key}\n")).unwrap();
    fs::write(dir.join("zammad.secret"), ZAMMAD_KEY).unwrap();
    fs::write(dir.join("misbehave.wasm"), signalbox_test_guests::MISBEHAVE).unwrap();
}

/// A directory with those files.
pub fn furnished() -> TempDir {
    let dir = directory();
    furnish(dir.path());
    dir
}

/// A config whose chain has the misbehaving plugin between the bundled ones; `more` are further keys of its step.
pub fn steps(more: &str) -> String {
    let step = |line: &str| format!("[[steps]]\n{line}\n");
    let chain = [
        step(r#"plugin = "categorize""#),
        step(r#"plugin = "sentiment""#),
        // It faults all day long in these tests; quarantine has tests of its own.
        step(&format!("file = \"misbehave.wasm\"\nquarantine_after = 0\n{more}")),
        step(r#"plugin = "escalate""#),
    ];
    format!("{SOURCES}{}", chain.concat())
}

/// One host and its directory.
pub struct TestHost {
    pub dir: TempDir,
    /// Where desks call.
    pub public: SocketAddr,
    /// Where admins call.
    pub admin: SocketAddr,
    /// What it printed when it was ready.
    pub welcome: String,
    child: Child,
    configured: bool,
}

impl TestHost {
    /// A host without a config: the bundled chain, and the demo source.
    pub fn start() -> Self {
        Self::launch(None)
    }

    /// A host with this config.
    pub fn with_config(config: &str) -> Self {
        Self::launch(Some(config))
    }

    /// A host with [`SOURCES`] and the misbehaving plugin between the bundled ones.
    pub fn with_misbehave(more: &str) -> Self {
        Self::launch(Some(&steps(more)))
    }

    fn launch(config: Option<&str>) -> Self {
        Self::in_dir(prepared(config))
    }

    /// A host in a directory that was [`prepared`], with its config if it has one.
    pub fn in_dir(dir: TempDir) -> Self {
        let configured = dir.path().join("signalbox.toml").exists();
        let child = spawn(dir.path(), configured);
        let mut host =
            Self { dir, child, configured, welcome: String::new(), public: ([127, 0, 0, 1], 0).into(), admin: ([127, 0, 0, 1], 0).into() };
        host.read_welcome();
        host
    }

    fn read_welcome(&mut self) {
        if !self.welcomed() {
            panic!("the host ended before its welcome: {}", self.log());
        }
    }

    /// Waits for its welcome; whether it lived to say it.
    fn welcomed(&mut self) -> bool {
        let told = self.dir.path().join("stdout");
        let welcome = until(START, "the welcome", || {
            let text = fs::read_to_string(&told).unwrap_or_default();
            let last = if text.contains("/hooks/demo") { "admin.token')\"\n\n" } else { "\n" };
            if text.contains("\n  memory  ") && text.ends_with(last) {
                return Some(Some(text));
            }
            self.child.try_wait().unwrap().map(|_| None)
        });
        let Some(welcome) = welcome else { return false };
        self.welcome = welcome;
        let address = |before: &str, after: &str| {
            let (_, rest) = self.welcome.split_once(before).unwrap_or_else(|| panic!("no {before}: {}", self.welcome));
            rest.split_once(after).unwrap().0.parse().unwrap()
        };
        self.public = address("  hook    http://", "/hooks/");
        self.admin = address("  admin   http://", "/v1/about");
        true
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Everything it has logged, over all its starts.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("stderr")).unwrap_or_default()
    }

    pub fn token(&self) -> String {
        fs::read_to_string(self.data().join("admin.token")).unwrap().trim().to_owned()
    }

    /// Asks for an orderly stop, without waiting for it.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// How it ended, which must be soon.
    pub fn ended(&mut self) -> ExitStatus {
        until(SOON, "the host's end", || self.has_ended().then_some(()));
        self.child.wait().unwrap()
    }

    /// Ends it as a power cut would: no warning, no last word.
    pub fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again in the same directory, on other ports.
    pub fn start_again(&mut self) {
        assert!(self.try_again(), "the host ended before its welcome: {}", self.log());
    }

    /// Starts it again; whether it lived until its welcome.
    pub fn try_again(&mut self) -> bool {
        self.child = spawn(self.dir.path(), self.configured);
        self.welcomed()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// An orderly stop and a start.
    pub fn restart(&mut self) {
        self.terminate();
        assert_eq!(self.ended().code(), Some(0), "{}", self.log());
        self.start_again();
    }

    /// Resident memory, bytes.
    pub fn rss(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        kib.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// An unsigned event, to the demo source.
    pub fn post(&self, event: impl Into<Vec<u8>>) -> Answer {
        call(self.public, &Request::post("/hooks/demo", event).json())
    }

    /// The decision about an event with this text, from the demo source.
    pub fn decide(&self, text: &str) -> Value {
        self.post(event(&fresh("event"), text)).decision()
    }

    /// A signed event in a delivery of its own, to the source `desk`.
    pub fn signed(&self, event: impl Into<Vec<u8>>) -> Answer {
        call(self.public, &signed("desk", &fresh("delivery"), event))
    }

    /// What the admin's API says, with the token.
    pub fn ask(&self, path: &str) -> Answer {
        call(self.admin, &Request::new("GET", path).header("authorization", &format!("Bearer {}", self.token())))
    }

    /// The journal's rows about one event.
    pub fn rows(&self, event_id: &str) -> Vec<Value> {
        self.pages(&format!("event_id={}", form_urlencoded::byte_serialize(event_id.as_bytes()).collect::<String>()), 200)
    }

    /// Every row that a query finds, page by page.
    pub fn pages(&self, query: &str, limit: usize) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        for _ in 0..10_000 {
            let answer = self.ask(&format!("/v1/decisions?{query}&limit={limit}{cursor}"));
            assert_eq!(answer.status, 200, "{}", answer.text());
            let mut page = answer.json();
            let items = page["items"].as_array_mut().unwrap();
            assert!(items.len() <= limit);
            rows.append(items);
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
        panic!("pages without end");
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the host's log\n{}", self.log());
        }
    }
}

/// Starts a host that must refuse this config; gives what it said.
pub fn refused(config: &str) -> String {
    let dir = prepared(Some(config));
    refused_in(&dir)
}

/// Starts a host that must refuse to run in this directory; gives what it said.
pub fn refused_in(dir: &TempDir) -> String {
    let mut child = spawn(dir.path(), dir.path().join("signalbox.toml").exists());
    let end = Instant::now() + START;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("it runs");
            }
        }
    };
    let said = fs::read_to_string(dir.path().join("stderr")).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert_eq!(fs::read_to_string(dir.path().join("stdout")).unwrap(), "", "nothing is ready");
    let sentence = said.lines().last().unwrap_or_default().to_owned();
    assert!(sentence.starts_with("signalbox: "), "{said}");
    sentence
}

/// A directory for a host: the config, the files it refers to, and compiled plugins.
pub fn prepared(config: Option<&str>) -> TempDir {
    let dir = directory();
    furnish(dir.path());
    if let Some(config) = config {
        fs::write(dir.path().join("signalbox.toml"), config).unwrap();
    }
    let artefacts = dir.path().join("data/artefacts");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&artefacts).unwrap();
    for file in fs::read_dir(warm_data().join("artefacts")).unwrap().flatten() {
        // A link that cannot be made costs a compilation, nothing else.
        let _ = fs::hard_link(file.path(), artefacts.join(file.file_name()));
    }
    dir
}

fn spawn(dir: &Path, configured: bool) -> Child {
    let log = |name: &str, append: bool| {
        let file = fs::OpenOptions::new().create(true).write(true).append(append).truncate(!append).open(dir.join(name));
        Stdio::from(file.unwrap())
    };
    // A test that has writes fail, or the host die at one, has put the command there that does it.
    let under = fs::read_to_string(dir.join("under")).unwrap_or_default();
    let mut words = under.split_whitespace().chain([SIGNALBOX]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"]).arg(dir.join("data"));
    if configured {
        command.arg("--config").arg(dir.join("signalbox.toml"));
    }
    // A test that moves its host through time has put the time there.
    if dir.join("clock").exists() {
        command.arg("--test-clock").arg(dir.join("clock"));
    }
    command.stdin(Stdio::null()).stdout(log("stdout", false)).stderr(log("stderr", true)).spawn().unwrap()
}

/// A small event.
pub fn event(id: &str, text: &str) -> String {
    serde_json::json!({ "id": id, "text": text }).to_string()
}

/// An event that says everything the bundled rules look at.
pub fn outage(id: &str) -> Value {
    serde_json::json!({
        "id": id,
        "network": "mastodon",
        "kind": "mention",
        "author": { "handle": "@ann", "followers": 12_000 },
        "text": "@acme the VPN has been down since 9am and nobody in the office can work. Unacceptable!",
    })
}

/// A call in the form of Standard Webhooks, signed now.
pub fn signed(source: &str, delivery: &str, body: impl Into<Vec<u8>>) -> Request {
    let (body, timestamp) = (body.into(), now().to_string());
    let signature = standard_signature(DESK_KEY, delivery, &timestamp, &body);
    Request::post(&format!("/hooks/{source}"), body)
        .json()
        .header("webhook-id", delivery)
        .header("webhook-timestamp", &timestamp)
        .header("webhook-signature", &signature)
}

/// A call as Zammad makes it.
pub fn zammad(delivery: &str, key: &str, body: &[u8]) -> Request {
    Request::post("/hooks/zammad", body)
        .json()
        .header("X-Zammad-Delivery", delivery)
        .header("X-Hub-Signature", &hub_signature(key.as_bytes(), body))
}
