//! The example rule in every language decides alike: each is written by `plugin new`, built as its guide says, and asked the same.
//!
//! Rust is built always, C where a compiler for wasm is (clang with wasi-libc); the others' toolchains come from registries:
//! `SIGNALBOX_LANGUAGES="go ts python ..."` names them, and `just languages` names all. What the fossils say is compared as well, so
//! that six ways in are held to one decision on every machine.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::harness::{complaint, directory, repository, signalbox};

/// One build at a time: two of one crate would write the same file.
pub fn one_build() -> MutexGuard<'static, ()> {
    static BUILDING: Mutex<()> = Mutex::new(());
    BUILDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Texts with no words, forty words, umlauts, emoji, look-alike letters, a NUL, nothing.
fn texts() -> [String; 6] {
    [
        "The VPN is DOWN again. Total outage!".to_owned(),
        "Thanks, all good.".to_owned(),
        "Größe 🚒🚒: müßig, Down—down, OFFLINE; unreachable und outage, sundown.".to_owned(),
        "down ".repeat(40),
        String::new(),
        "İstanbul ofﬂine DOWN\0down \u{1f692}down".to_owned(),
    ]
}

/// What was decided about every text and why, without what the machine did for it.
fn decisions(wasm: &Path) -> Vec<Value> {
    let dir = directory();
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::write(at("c.toml"), format!("[[steps]]\nfile = {:?}\n", wasm.display().to_string())).unwrap();
    let mut arguments = vec!["run".to_owned(), "--json".to_owned(), "--config".to_owned(), at("c.toml")];
    for (number, text) in texts().into_iter().enumerate() {
        let file = at(&format!("{number}.json"));
        fs::write(&file, json!({ "id": number.to_string(), "text": text }).to_string()).unwrap();
        arguments.push(file);
    }
    let output = signalbox(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}: {}", wasm.display(), complaint(&output)));
    let keys = ["category", "sentiment", "urgency", "confidence", "evidence", "reasons"];
    let one = |one: &Value| {
        let (decision, step) = (&one["decision"], &one["decision"]["trace"][0]);
        json!([step["outcome"], step["set"], step["dropped"], keys.map(|key| &decision[key])])
    };
    printed.as_array().unwrap().iter().map(one).collect()
}

/// Writes the project of a language into a folder and builds it; the error is what the build said last.
fn build(lang: &str, into: &Path) -> Result<std::path::PathBuf, String> {
    let output = signalbox(&["plugin", "new", "--lang", lang, "--into", into.to_str().unwrap(), "outage-words"]);
    assert!(output.status.success(), "{}", complaint(&output));
    let project = into.join("outage-words");
    let mut script = Command::new("./build.sh");
    script.current_dir(&project);
    if lang == "rust" {
        // Its crates are those of this repository's own build, so nothing is fetched; what it needs of them is built once.
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide-rust");
        fs::create_dir_all(&kept).unwrap();
        fs::create_dir_all(project.join("build")).unwrap();
        std::os::unix::fs::symlink(&kept, project.join("build/target")).unwrap();
        script.env("CARGO_NET_OFFLINE", "true");
    }
    let _one = one_build();
    let output = script.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned());
    }
    let tested = signalbox(&["plugin", "test", project.to_str().unwrap()]);
    assert!(tested.status.success(), "{lang}: {}{}", String::from_utf8_lossy(&tested.stdout), complaint(&tested));
    Ok(project.join("build/outage-words.wasm"))
}

/// Whether C can be compiled to wasm here, headers and library included.
fn compiles_c() -> bool {
    let dir = directory();
    let (source, made) = (dir.path().join("a.c"), dir.path().join("a.wasm"));
    fs::write(&source, "#include <stdlib.h>\nvoid *f(void) { return malloc(1); }\n").unwrap();
    ["clang-19", "clang"].iter().any(|clang| {
        let mut compiler = Command::new(clang);
        compiler.args(["-target", "wasm32-wasi", "-mexec-model=reactor"]).arg(&source).arg("-o").arg(&made);
        compiler.output().is_ok_and(|output| output.status.success())
    })
}

#[test]
fn the_same_rule_decides_the_same_in_every_language() {
    let asked = std::env::var_os("SIGNALBOX_LANGUAGES").unwrap_or_default().into_string().unwrap();
    let asked: Vec<&str> = asked.split_whitespace().filter(|lang| !["rust", "c"].contains(lang)).collect();
    let dir = directory();
    let folder = |lang: &str| {
        fs::create_dir(dir.path().join(lang)).unwrap();
        dir.path().join(lang)
    };
    let rust = decisions(&build("rust", &folder("rust")).unwrap());
    let outcomes: Vec<&Value> = rust.iter().map(|one| &one[0]).collect();
    assert!(outcomes.iter().all(|outcome| **outcome == "ran") && rust.iter().any(|one| one[3][2] == "high"), "{rust:#?}");

    let mut alike = vec!["rust".to_owned()];
    let mut compare = |name: &str, wasm: &Path| {
        assert_eq!(decisions(wasm), rust, "{name} decides otherwise than rust");
        alike.push(name.to_owned());
    };
    if compiles_c() {
        compare("c", &build("c", &folder("c")).unwrap());
    } else {
        eprintln!(
            "NOT BUILT: c, since neither clang-19 nor clang makes wasm here: apt-get install clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32"
        );
    }
    for lang in asked {
        match build(lang, &folder(lang)) {
            Ok(wasm) => compare(lang, &wasm),
            Err(why) => panic!("{lang} was asked for and does not build here: {why}"),
        }
    }
    for fossil in ["module-c.wasm", "component-typescript.wasm", "command-assemblyscript.wasm"] {
        compare(fossil, &repository("tests/fossils").join(fossil));
    }
    eprintln!("decided alike: {}", alike.join(", "));
}
