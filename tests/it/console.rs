//! The console as a browser gets it: every file under a strict policy, nothing from elsewhere, small; and the routes that it brought.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::harness::{TestHost, event, fresh, repository};
use crate::wire::{Answer, Connection, Request, call};

/// All of the console together, compressed, bytes: what a first visit to every page costs at most.
const MOST: usize = 150_000;

/// The files as they were written, by name.
fn written() -> BTreeMap<String, String> {
    let root = repository("host/console");
    let mut found = BTreeMap::new();
    for dir in ["", "pages", "vendor"] {
        for entry in fs::read_dir(root.join(dir)).unwrap().flatten() {
            let name = Path::new(dir).join(entry.file_name()).display().to_string();
            if ["js", "css", "svg"].iter().any(|end| name.ends_with(&format!(".{end}"))) {
                found.insert(name, fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    assert!(found.len() > 15, "the console is where it was");
    found
}

fn get(host: &TestHost, path: &str) -> Answer {
    call(host.admin, &Request::new("GET", path))
}

/// Where the page says that its files are.
fn prefix(page: &str) -> String {
    let (_, rest) = page.split_once("/console/").unwrap();
    format!("/console/{}", rest.split('/').next().unwrap())
}

fn is_locked(answer: &Answer) {
    let policy = answer.header("content-security-policy").unwrap();
    for part in
        ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]
    {
        assert!(policy.contains(part), "{part} is not in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
    assert!(policy.contains("require-trusted-types-for 'script'; trusted-types 'none'"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
}

#[test]
fn every_file_is_served_locked_typed_and_small() {
    let host = TestHost::start();
    assert!(host.welcome.contains(&format!("  console http://{}/\n", host.admin)), "{}", host.welcome);
    let page = get(&host, "/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(page.header("cache-control"), Some("no-cache"), "another binary is seen at once");
    is_locked(&page);
    let (text, mut bytes) = (page.text(), page.body.len());
    assert!(!text.contains("VERSION") && !text.contains("style=") && !text.contains("<script>"), "{text}");
    let files = written();
    for reference in text.split('"').filter(|part| part.starts_with("/console/")) {
        assert!(files.contains_key(&reference[prefix(&text).len() + 1..]), "{reference}");
    }
    for (name, written) in files {
        let path = format!("{}/{name}", prefix(&text));
        let plain = get(&host, &path);
        assert_eq!((plain.status, plain.text() == written), (200, true), "{name}");
        let media = match name.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(plain.header("content-type"), Some(media), "{name}");
        assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"), "{name}");
        assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")), "{name}");
        is_locked(&plain);
        let packed = call(host.admin, &Request::new("GET", &path).header("accept-encoding", "gzip, br"));
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{name}");
        let mut unpacked = String::new();
        GzDecoder::new(packed.body.as_slice()).read_to_string(&mut unpacked).unwrap();
        assert!(unpacked == written, "{name}");
        bytes += packed.body.len();
    }
    assert!(bytes <= MOST, "the console has {bytes} bytes");
}

#[test]
fn another_file_another_version_and_another_method_are_refused() {
    let host = TestHost::start();
    let page = get(&host, "/");
    let known = call(host.admin, &Request::new("GET", "/").header("if-none-match", page.header("etag").unwrap()));
    assert_eq!((known.status, known.body.len()), (304, 0));
    let prefix = prefix(&page.text());
    for path in [
        "/console/0000000000000000/main.js".to_owned(),
        format!("{prefix}/index.html"),
        format!("{prefix}/vendor/preact.LICENSE"),
        format!("{prefix}/../../../admin.token"),
        format!("{prefix}/%2e%2e/%2e%2e/Cargo.toml"),
        format!("{prefix}/"),
        "/console".to_owned(),
    ] {
        get(&host, &path).problem(404);
    }
    call(host.admin, &Request::post("/", "x")).problem(405);
    assert_eq!(call(host.public, &Request::new("GET", "/")).status, 404, "desks have no console");
}

#[test]
fn files_need_no_token_and_what_they_show_does() {
    let host = TestHost::start();
    for path in ["/v1/volume", "/v1/decisions/stream", "/v1/decisions?trace=false", "/v1/whoami", "/metrics"] {
        let problem = get(&host, path).problem(401);
        assert_eq!(problem["type"], "urn:signalbox:problem:token", "{path}");
    }
}

#[test]
fn nothing_is_asked_of_another_place_and_no_text_becomes_markup() {
    // Names of the parts of the platform that make markup or code of a text.
    let makers = ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc", "setAttribute('on"];
    let mut faults = Vec::new();
    for (name, text) in written() {
        for (at, line) in text.lines().enumerate() {
            // A licence's banner and the names of namespaces ask nobody anything; a host on this machine is what an example calls.
            let comment = line.trim_start().starts_with("//") || line.starts_with("/*!");
            let line = line.replace("http://www.w3.org/", "").replace("http://127.0.0.1", "");
            if !comment && (line.contains("http://") || line.contains("https://") || line.contains("\"//")) {
                faults.push(format!("{name}:{}: an address", at + 1));
            }
            let ours = !name.starts_with("vendor/");
            let made = makers.iter().filter(|word| ours && line.contains(**word));
            faults.extend(made.map(|word| format!("{name}:{}: {word}", at + 1)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn our_own_files_say_what_they_are_and_stay_short() {
    for (name, text) in written().into_iter().filter(|(name, _)| !name.starts_with("vendor/") && !name.ends_with(".svg")) {
        assert!(text.starts_with("// ") || text.starts_with("/* "), "{name} says first what it is");
        assert!(text.lines().count() <= 450, "{name} is too long");
    }
    for library in ["preact", "htm", "uplot", "lucide"] {
        assert!(repository(&format!("host/console/vendor/{library}.LICENSE")).exists(), "{library} comes with its licence");
    }
}

fn follow(host: &TestHost, query: &str, last: Option<&str>) -> Connection {
    let mut connection = Connection::open(host.admin).unwrap();
    let mut request =
        Request::new("GET", &format!("/v1/decisions/stream?{query}")).header("authorization", &format!("Bearer {}", host.token()));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let answer = connection.call(&request).unwrap().unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
    connection
}

/// The next decision of a stream, and its place.
fn next(stream: &mut Connection) -> (Value, String) {
    let lines = stream.lines_to("data: {\"event\"");
    let place = lines.iter().rev().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    (serde_json::from_str(lines.last().unwrap().strip_prefix("data: ").unwrap()).unwrap(), place)
}

#[test]
fn decisions_come_as_they_happen_and_none_is_missed() {
    let mut host = TestHost::start();
    host.decide("before anybody listens");
    let mut stream = follow(&host, "trace=false", None);
    stream.lines_to("data: {\"skipped\":0}");
    let first = host.decide("the VPN is down");
    let (told, place) = next(&mut stream);
    assert_eq!((&told["decision"]["id"], &told["event"]["text"]), (&first["id"], &"the VPN is down".into()));
    assert!(told["decision"]["trace"].is_null(), "{told}");
    drop(stream);
    let missed: Vec<Value> = (0..3).map(|_| host.decide("while nobody listened")["id"].clone()).collect();
    let mut stream = follow(&host, "", Some(&place));
    let found: Vec<Value> = (0..3).map(|_| next(&mut stream).0).collect();
    assert_eq!(found.iter().map(|told| told["decision"]["id"].clone()).collect::<Vec<_>>(), missed);
    assert!(found[0]["decision"]["trace"].is_array(), "with the trace, unless asked otherwise");
    // A stream that is open does not keep a stopping host waiting.
    host.terminate();
    assert_eq!(host.ended().code(), Some(0), "{}", host.log());
    assert!(!host.log().contains("still under way"), "{}", host.log());
}

#[test]
fn what_was_decided_is_counted() {
    let host = TestHost::start();
    let ids: Vec<Value> =
        ["the VPN is down, unacceptable!", "thank you, great work", "hello"].map(|text| host.decide(text)["id"].clone()).into();
    let volume = host.ask("/v1/volume?parts=4").json();
    let parts = volume["parts"].as_array().unwrap();
    let sum = |key: &str| parts.iter().map(|part| part[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((parts.len(), sum("decisions"), sum("negative"), sum("degraded")), (4, 3, 1, 0), "{volume}");
    let total = |key: &str| volume[key].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>();
    assert_eq!((total("categories"), total("escalations"), volume["part_ms"].as_u64()), (3, 3, Some(900_000)), "{volume}");
    assert_eq!(host.ask("/v1/volume?until=2020-01-01T00:00:00Z").json()["categories"], serde_json::json!({}));
    host.ask("/v1/volume?parts=many").problem(400);
    let brief = host.ask("/v1/decisions?trace=false").json();
    assert_eq!((brief["items"][0]["decision"]["trace"].is_null(), &brief["items"][0]["decision"]["id"]), (true, &ids[2]));
    assert!(host.ask("/v1/decisions").json()["items"][0]["decision"]["trace"].is_array());
}

#[test]
fn the_calls_of_one_decision_are_found() {
    let host = TestHost::with_config(
        "[sources.demo]\npreset = \"demo\"\n[sinks.one]\nurl = \"http://127.0.0.1:9/one\"\nsecret = \"file:desk.secret\"\nallow_private = [\"127.0.0.0/8\"]\n\
         [sinks.two]\nurl = \"http://127.0.0.1:9/two\"\nsecret = \"file:desk.secret\"\nallow_private = [\"127.0.0.0/8\"]\nmode = \"shadow\"\n",
    );
    let decisions: Vec<Value> = (0..3).map(|_| host.post(event(&fresh("call"), "hello")).decision()).collect();
    for decision in decisions {
        let id = decision["id"].as_str().unwrap();
        let found = host.ask(&format!("/v1/deliveries?decision={id}")).json();
        let ids: Vec<_> = found["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, [format!("{id}-2"), format!("{id}-1")], "{found}");
    }
    assert_eq!(host.ask("/v1/deliveries?decision=nothing").json()["items"], serde_json::json!([]));
}
