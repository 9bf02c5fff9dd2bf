//! A disk that is full, and a journal whose bytes were changed behind the host's back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::figure;
use crate::harness::{SOURCES, TestHost, event, fresh, prepared, signalbox, until};
use crate::wire::{Request, call};

/// Bits that are turned, one journal each.
const FLIPS: u64 = 100;
/// Lengths that a journal is cut to.
const CUTS: u64 = 20;
/// The file of the journal.
const JOURNAL: &str = "signalbox.db";

/// A file system of its own, in memory; gone with the test.
struct Small(PathBuf);

impl Small {
    /// Puts one over a directory, with what is in it and so much room beside.
    fn over(dir: &Path, room: u64) -> Option<Self> {
        let inside: Vec<(PathBuf, Vec<u8>)> = files(dir).into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect();
        let bytes: u64 = inside.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let size = format!("size={}", bytes + room);
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir).status();
        mounted.is_ok_and(|status| status.success()).then(|| {
            for (file, bytes) in inside {
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, bytes).unwrap();
            }
            Command::new("chmod").args(["-R", "go-rwx"]).arg(dir).status().unwrap();
            Self(dir.to_owned())
        })
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_full_disk_refuses_and_recovers_by_itself() {
    const WHAT: &str = "the disk is full: events answered before; lost; reads meanwhile; seconds from room to the next decision";
    let dir = prepared(Some(SOURCES));
    let data = dir.path().join("data");
    let Some(_small) = Small::over(&data, 28 << 20) else {
        // Mounting is for root: the promise is not tried here, and the table says so.
        return figure(WHAT, "not tried: no right to mount a small file system");
    };
    fs::write(data.join("ballast"), vec![0; 16 << 20]).unwrap();
    let mut host = TestHost::in_dir(dir);
    let text = "the VPN is down, and this is a long story about it. ".repeat(150);
    let send = |host: &TestHost| {
        let id = fresh("full");
        let answer = call(host.public, &Request::post("/hooks/demo", event(&id, &text)).json());
        assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
        (answer.status == 200).then(|| (id, answer.json()["id"].clone()))
    };
    let mut answered = BTreeMap::new();
    while let Some((id, decision)) = send(&host) {
        answered.insert(id, decision);
        assert!(answered.len() < 10_000, "the disk does not fill up");
    }
    for _ in 0..20 {
        answered.extend(send(&host));
    }
    assert_eq!(host.ask("/v1/decisions?limit=1").status, 200, "what is there can be read");
    assert_eq!(host.ask("/readyz").status, 503);
    fs::remove_file(data.join("ballast")).unwrap();
    let room = Instant::now();
    answered.extend([until(Duration::from_secs(60), "a decision", || send(&host))]);
    let took = room.elapsed();
    until(Duration::from_secs(60), "readiness", || (host.ask("/readyz").status == 200).then_some(()));
    host.restart();
    for (id, decision) in &answered {
        let rows = host.rows(id);
        assert_eq!((rows.len(), &rows[0]["decision"]["id"]), (1, decision));
    }
    figure(WHAT, &format!("{}; 0; answered; {:.1}", answered.len(), took.as_secs_f64()));
    host.kill9();
}

/// A host's data after some work, and every decision of it.
fn worked() -> (TestHost, Vec<u8>, String) {
    let mut host = TestHost::with_config(SOURCES);
    (0..200).for_each(|at| drop(host.decide(&format!("the VPN is down since {at} o'clock, nobody can work"))));
    let rows = serde_json::to_string(&host.pages("", 200)).unwrap();
    host.terminate();
    assert!(host.ended().success());
    let journal = fs::read(host.data().join(JOURNAL)).unwrap();
    (host, journal, rows)
}

#[test]
fn changed_bytes_are_refused_or_harmless() {
    let (mut host, journal, rows) = worked();
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    let damages = (0..FLIPS + CUTS).map(|at| {
        let place = (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16) as usize % journal.len();
        let mut damaged = journal.clone();
        if at < FLIPS {
            damaged[place] ^= 1 << (at % 8)
        } else {
            damaged.truncate(place)
        }
        damaged
    });
    for damaged in damages {
        for file in files(&host.data()).into_iter().filter(|file| file.file_name().unwrap().to_string_lossy().starts_with(JOURNAL)) {
            fs::remove_file(file).unwrap();
        }
        fs::write(host.data().join(JOURNAL), &damaged).unwrap();
        Command::new("chmod").arg("600").arg(host.data().join(JOURNAL)).status().unwrap();
        if !host.try_again() {
            *seen.entry("refused at the start, with a sentence").or_default() += 1;
            assert!(host.log().lines().last().unwrap().starts_with("signalbox: "), "{}", host.log());
            continue;
        }
        let came = host.ask("/v1/decisions?limit=200");
        let same = || serde_json::to_string(&came.json()["items"]).unwrap() == rows;
        let what = match came.status {
            200 if same() => "served as it was",
            200 => "served changed",
            _ => "refused when it was read",
        };
        *seen.entry(what).or_default() += 1;
        host.kill9();
    }
    let output = signalbox(&["doctor", "--data", &host.data().display().to_string()]);
    assert!(output.status.code().is_some());
    let told: Vec<String> = seen.iter().map(|(what, times)| format!("{times} {what}")).collect();
    figure("a bit of the journal turned (100), or its end cut off (20)", &told.join(", "));
    assert_eq!(seen.get("served changed"), None, "nothing is served that was changed: {seen:?}");
}
