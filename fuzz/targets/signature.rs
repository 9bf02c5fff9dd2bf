//! Headers as a stranger writes them, against every way of verifying that there is: never a panic, and never a forged yes.

#![no_main]

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use signalbox::signature::{Scheme, Secret, verify};
use signalbox::source::presets;

/// Within the tolerance of the seeds' timestamps.
const NOW: u64 = 1_674_087_231;

static SCHEMES: LazyLock<Vec<(Scheme, Vec<Secret>)>> = LazyLock::new(|| {
    let adapters = presets::names().filter_map(|name| presets::adapter(name)?.ok());
    let schemes = adapters.filter_map(|adapter| Scheme::resolve(adapter.auth()).ok()).filter(Scheme::needs_secret);
    let texts = ["whsec_bm90IHRvIGJlIGd1ZXNzZWQgYnkgYW55Ym9keQ==", "not to be guessed by anybody"];
    schemes.map(|scheme| (scheme.clone(), texts.iter().filter_map(|text| scheme.secret(text).ok()).collect())).collect()
});

fuzz_target!(|data: &[u8]| {
    // `query LF` , then `name: value LF` up to an empty line, then the body.
    let split = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let (head, body) = (&data[..split], data.get(split + 2..).unwrap_or_default());
    let mut lines = head.split(|byte| *byte == b'\n');
    let query = lines.next().and_then(|query| std::str::from_utf8(query).ok());
    let mut headers = HeaderMap::new();
    for line in lines.take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(line[colon + 1..].trim_ascii())) {
            headers.append(name, value);
        }
    }
    for (scheme, secrets) in SCHEMES.iter() {
        let judged = verify(scheme, secrets, &headers, query, body, NOW);
        let refusal = judged.expect_err("nobody signs without the secret");
        let said = format!("{refusal}{}", refusal.caller());
        assert!(!said.contains("not to be guessed") && !said.contains("bm90IHRv"), "{said}");
    }
});
