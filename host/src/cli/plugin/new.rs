//! `signalbox plugin new`: a project that builds, in the author's language. The templates are the examples of this repository,
//! so what is written here is what its tests build; the contract goes along, so that the project stands alone.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::sdk;
use crate::cli::{Done, out};

/// The contract.
const WIT: &str = include_str!("../../../../wit/rules.wit");
/// What the example rule must do, in every language.
const CASES: &str = include_str!("../../../../examples/plugins/cases.toml");

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Language to write it in
    #[arg(long, value_enum)]
    lang: Lang,
    /// Name of the plugin: lower-case letters, digits and `-`
    name: String,
    /// Where to make the project's folder
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Lang {
    Rust,
    Go,
    /// JavaScript
    Js,
    /// TypeScript
    Ts,
    Python,
    C,
    #[value(help = "AssemblyScript, as a WASI command")]
    Assemblyscript,
    /// Go without bindings, as a WASI command
    GoCommand,
}

/// The files of an example, as (path, text).
macro_rules! template {
    ($lang:literal: $($file:literal),+) => {
        &[$(($file, include_str!(concat!("../../../../examples/plugins/", $lang, "/", $file)))),+]
    };
}

type Files = &'static [(&'static str, &'static str)];

impl Lang {
    /// The example's name for itself, and its files.
    fn template(self) -> (&'static str, Files) {
        match self {
            Self::Rust => ("outage-words-rust", template!("rust": "Cargo.toml", "src/lib.rs", "build.sh", "README.md", ".gitignore")),
            Self::Go => (
                "outage-words-go",
                template!("go": "go.mod", "rule/rule.go", "export_signalbox_rules_metadata/metadata.go",
                    "export_signalbox_rules_rule/rule.go", "wit_exports.go", "signalbox_rules_metadata/empty.s",
                    "signalbox_rules_metadata/wit_bindings.go", "signalbox_rules_rule/empty.s", "signalbox_rules_rule/wit_bindings.go",
                    "signalbox_rules_types/empty.s", "signalbox_rules_types/wit_bindings.go", "pkg/go.mod",
                    "pkg/wit/runtime/runtime.go", "pkg/wit/types/types.go", "build.sh", "README.md", ".gitignore"),
            ),
            Self::Js => {
                ("outage-words-javascript", template!("javascript": "plugin.js", "package.json", "build.sh", "README.md", ".gitignore"))
            }
            Self::Ts => (
                "outage-words-typescript",
                template!("typescript": "plugin.ts", "package.json", "tsconfig.json", "types/pure-rule.d.ts",
                    "types/interfaces/signalbox-rules-metadata.d.ts", "types/interfaces/signalbox-rules-rule.d.ts",
                    "types/interfaces/signalbox-rules-types.d.ts", "build.sh", "README.md", ".gitignore"),
            ),
            Self::Python => {
                ("outage-words-python", template!("python": "app.py", "requirements.txt", "build.sh", "README.md", ".gitignore"))
            }
            Self::C => (
                "outage-words-c",
                template!("c": "plugin.c", "json.h", "gen/pure_rule.c", "gen/pure_rule.h", "build.sh", "README.md", ".gitignore"),
            ),
            Self::Assemblyscript => (
                "outage-words-assemblyscript",
                template!("assemblyscript": "command.ts", "package.json", "build.sh", "README.md", ".gitignore"),
            ),
            Self::GoCommand => (
                "outage-words-go-command",
                template!("go-command": "go.mod", "main.go", "rule/rule.go", "build.sh", "README.md", ".gitignore"),
            ),
        }
    }
}

pub(super) fn new(args: &Args) -> anyhow::Result<Done> {
    let name = &args.name;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    anyhow::ensure!(
        starts && name.len() <= 64 && name.chars().all(plain),
        "`{name}` is no name: 1 to 64 lower-case letters, digits and `-`"
    );
    let folder = args.into.join(name);
    fs::create_dir_all(&args.into).with_context(|| args.into.display().to_string())?;
    fs::create_dir(&folder).with_context(|| format!("{} cannot be made; give another name", folder.display()))?;
    let (example, files) = args.lang.template();
    let built = format!("build/{name}.wasm");
    let project = format!(
        "# How `signalbox plugin dev` builds this, and what `signalbox plugin test .` tries.\n\
        build = \"./build.sh\"\nwasm = \"{built}\"\ncases = [\"cases.toml\"]\n"
    );
    let alike = [("wit/rules.wit", WIT), ("cases.toml", CASES), ("plugin.toml", project.as_str())];
    for (path, text) in files.iter().copied().chain(alike) {
        // An example takes contract and SDK from this repository, a project has its own copy.
        let text = text.replace(example, name).replace("../../../wit", "wit").replace("../../../plugins/sdk", "sdk");
        write(
            &folder.join(path),
            &text.replace("signalbox plugin check build", "signalbox plugin test .\n    signalbox plugin check build"),
        )?;
    }
    if matches!(args.lang, Lang::Rust) {
        for (path, text) in sdk::files() {
            write(&folder.join("sdk").join(path), &text)?;
        }
    }
    out(&format!("{0}\n  cd {0}\n  ./build.sh\n  signalbox plugin test .\n", folder.display()));
    Ok(Done::Well)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, text).with_context(|| file.display().to_string())?;
    if file.extension().is_some_and(|end| end == "sh") {
        fs::set_permissions(file, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
