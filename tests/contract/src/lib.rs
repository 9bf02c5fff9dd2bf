//! The contract's types over time: what was built for a released version of a track must fit the working WIT.
//!
//! A package of its own because the check needs a feature of `wit-component` that the host has no use for. `wit/VERSIONING.md` is the
//! promise in words, `tests/it/contract.rs` the part of it that types cannot say.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use wit_component::{DecodedWasm, decode, encode, semver_check};
    use wit_parser::Resolve;

    const WORLDS: [&str; 2] = ["pure-rule", "rule-plugin"];

    fn repository(path: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
    }

    fn working() -> String {
        fs::read_to_string(repository("wit/rules.wit")).unwrap()
    }

    /// Whether plugins that were built for `old` fit a host of `new`.
    fn keeps(old: &str, new: &str) -> Result<(), String> {
        for world in WORLDS {
            // One resolve cannot hold two packages of one name and version; the check itself looks past versions.
            let mut resolve = Resolve::default();
            let renamed = old.replace("package signalbox:rules@0.1.0;", "package signalbox:rules@0.0.1;");
            assert_ne!(renamed, old, "the package line is where it was");
            let packages =
                [renamed.as_str(), new].map(|text| resolve.push_str("rules.wit", text).unwrap_or_else(|error| panic!("{error:#}")));
            let [old, new] = packages.map(|package| resolve.packages[package].worlds[world]);
            semver_check(resolve, old, new).map_err(|error| format!("{world}: {error:#}"))?;
        }
        Ok(())
    }

    #[test]
    fn the_working_contract_keeps_every_released_plugin() {
        let mut released = 0;
        for folder in fs::read_dir(repository("wit/released")).unwrap().flatten() {
            let version = folder.file_name().into_string().unwrap();
            let text = fs::read_to_string(folder.path().join("rules.wit")).unwrap();
            assert!(text.contains(&format!("package signalbox:rules@{version};")), "{version} is what its package says");
            if version.starts_with("0.1.") {
                released += 1;
                keeps(&text, &working()).unwrap_or_else(|fault| panic!("plugins built for {version} would not run: {fault}"));
            }
        }
        assert!(released > 0, "there is a released copy");
    }

    #[test]
    fn an_edit_that_breaks_plugins_is_stopped_and_one_that_does_not_is_let_through() {
        let old = working();
        let edited = |from: &str, to: &str| {
            assert!(old.contains(from), "{from}");
            old.replacen(from, to, 1)
        };
        for (from, to) in [
            ("        text: string,\n        /// Subject", "        text: string,\n        mood: option<string>,\n        /// Subject"),
            ("        note(string),", "        note(string),\n        shout(string),"),
            ("        extension(extension),", ""),
            ("enum level { low, normal, high, critical }", "enum level { low, normal, high, urgent, critical }"),
            ("enum level { low, normal, high, critical }", "enum level { critical, high, normal, low }"),
            ("        confidence: f32,", "        confidence: f64,"),
            ("    now: func() -> timestamp-ms;", ""),
            ("    get-permalink: func() -> option<string>;", "    get-permalink: func() -> string;"),
            ("    configure: func(config: string)", "    prepare: func();\n    configure: func(config: string)"),
        ] {
            assert!(keeps(&old, &edited(from, to)).is_err(), "an edit of `{}` passes", from.trim());
        }
        for (from, to) in [
            ("    now: func() -> timestamp-ms;", "    now: func() -> timestamp-ms;\n    zone: func() -> string;"),
            ("    import clock;", "    import clock;\n    import weather;"),
            ("    /// As written, at most", "    /// At most"),
        ] {
            let weather = "interface weather {\n    look: func() -> string;\n}\n\nworld host-services {";
            let new = edited(from, to).replace("world host-services {", weather);
            keeps(&old, &new).unwrap_or_else(|fault| panic!("`{}`: {fault}", from.trim()));
        }
    }

    #[test]
    fn the_package_is_one_that_registries_take() {
        // What `wkg wit build` does with the folder.
        let mut resolve = Resolve::default();
        let (package, files) = resolve.push_dir(repository("wit")).unwrap();
        assert_eq!(files.paths().count(), 1, "the released copies are not part of the package");
        let bytes = encode(&resolve, package).unwrap();
        let DecodedWasm::WitPackage(decoded, package) = decode(&bytes).unwrap() else { panic!("no package") };
        let worlds: Vec<&String> = decoded.packages[package].worlds.keys().collect();
        assert_eq!(worlds, ["host-services", "rule-plugin", "pure-rule"]);
        assert!(decoded.packages[package].name.version.is_some());
    }
}
