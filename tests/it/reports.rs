//! Reports over what a real host was told, on the command line and over the API.

use std::fs;

use serde_json::Value;

use crate::harness::{SOURCES, TestHost, complaint, prepared, signalbox};

/// Two hours to answer; the whole bundled chain.
const CHAIN: &str = r#"
[[steps]]
plugin = "categorize"
[[steps]]
plugin = "sentiment"
[[steps]]
plugin = "escalate"
[[steps.config.routes]]
id = "outages"
when = { category = ["outage"] }
then = { queue = "Operations", priority = "high", level = 2, audience = ["on-call"], sla = [{ clock = "first_response", target_seconds = 7200 }] }
[[steps.config.routes]]
id = "all"
then = { queue = "Desk", priority = "normal", sla = [{ clock = "first_response", target_seconds = 7200 }, { clock = "resolution", target_seconds = 86400 }] }
"#;

const OUTAGE: &str = "The VPN has been down since 9am and nobody in the office can work. Unacceptable!";

fn host_at(config: &str, moment: &str) -> TestHost {
    let dir = prepared(Some(config));
    fs::write(dir.path().join("clock"), moment).unwrap();
    TestHost::in_dir(dir)
}

#[test]
fn the_command_line_prints_what_the_host_says() {
    let host = host_at(&format!("{SOURCES}{CHAIN}"), "2026-03-27T09:10:00Z");
    host.decide(OUTAGE);
    let (url, file) = (format!("http://{}", host.admin), host.data().join("admin.token").display().to_string());
    let report = |arguments: &[&str]| signalbox(&[&["report"], arguments, &["--url", &url, "--token-file", &file]].concat());
    let table = report(&["volume", "--by", "category", "--zone", "Europe/Berlin"]);
    assert!(table.status.success(), "{}", complaint(&table));
    let text = String::from_utf8(table.stdout).unwrap();
    let wanted = "2026-03-20 10:00Z up to 2026-03-27 10:00Z\nAT                 NAME    MESSAGES\n2026-03-26 23:00Z  outage  1\n";
    assert_eq!(text, wanted);
    let csv = String::from_utf8(report(&["escalations", "--csv", "--days", "1"]).stdout).unwrap();
    assert_eq!(csv, host.ask("/v1/reports/escalations/csv?days=1").text());
    assert_eq!(csv.lines().next(), Some("\"at\",\"by\",\"name\",\"decisions\""));
    let json: Value = serde_json::from_slice(&report(&["rules", "--json"]).stdout).unwrap();
    assert_eq!(json, host.ask("/v1/reports/rules").json());
    for name in ["service-levels", "spikes", "reasons", "agreement", "corrections"] {
        assert!(report(&[name]).status.success(), "{name}");
    }
    let refused = report(&["volume", "--zone", "Berlin"]);
    assert!(!refused.status.success() && complaint(&refused).contains("Europe/Berlin"), "{}", complaint(&refused));
    host.ask("/v1/reports/volume?by=weather").problem(400);
    host.ask("/v1/reports/rules?bucket=hour").problem(400);
}
