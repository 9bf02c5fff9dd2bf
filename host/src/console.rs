//! The web console: its page and its files, which are part of the binary.
//!
//! Plain ES modules and one stylesheet under `host/console/`, as they were written: no build step, nothing from elsewhere. The files are
//! served below their common digest, so that a browser may keep them for ever and a new binary is seen at once; relative imports between
//! them stay inside it. Compressed once, at the first call. It needs no token: the files say nothing that the source does not, and all that
//! they show comes from `/v1`, which does. It must never put anything into a page: what is served are constant bytes.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;

/// What a page of the console may do: run and ask what came from this very listener, and nothing else. Trusted types leave no way from a
/// text to markup or script: the browser itself refuses.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
/// The first page.
const PAGE: &str = include_str!("../console/index.html");
/// What stands in the page where the digest goes.
const PLACE: &str = "VERSION";
/// Every other file.
const FILES: &[(&str, &[u8])] = &[
    ("api.js", include_bytes!("../console/api.js")),
    ("charts.js", include_bytes!("../console/charts.js")),
    ("diff.js", include_bytes!("../console/diff.js")),
    ("draft.js", include_bytes!("../console/draft.js")),
    ("form.js", include_bytes!("../console/form.js")),
    ("format.js", include_bytes!("../console/format.js")),
    ("icon.svg", include_bytes!("../console/icon.svg")),
    ("icons.js", include_bytes!("../console/icons.js")),
    ("main.js", include_bytes!("../console/main.js")),
    ("style.css", include_bytes!("../console/style.css")),
    ("theme.js", include_bytes!("../console/theme.js")),
    ("ui.js", include_bytes!("../console/ui.js")),
    ("pages/alerts.js", include_bytes!("../console/pages/alerts.js")),
    ("pages/chain.js", include_bytes!("../console/pages/chain.js")),
    ("pages/connect.js", include_bytes!("../console/pages/connect.js")),
    ("pages/decision.js", include_bytes!("../console/pages/decision.js")),
    ("pages/decisions.js", include_bytes!("../console/pages/decisions.js")),
    ("pages/lookups.js", include_bytes!("../console/pages/lookups.js")),
    ("pages/now.js", include_bytes!("../console/pages/now.js")),
    ("pages/people.js", include_bytes!("../console/pages/people.js")),
    ("pages/plugins.js", include_bytes!("../console/pages/plugins.js")),
    ("pages/reports.js", include_bytes!("../console/pages/reports.js")),
    ("pages/sources.js", include_bytes!("../console/pages/sources.js")),
    ("pages/step.js", include_bytes!("../console/pages/step.js")),
    ("pages/waiting.js", include_bytes!("../console/pages/waiting.js")),
    ("vendor/hooks.js", include_bytes!("../console/vendor/hooks.js")),
    ("vendor/htm.js", include_bytes!("../console/vendor/htm.js")),
    ("vendor/preact.js", include_bytes!("../console/vendor/preact.js")),
    ("vendor/uplot.css", include_bytes!("../console/vendor/uplot.css")),
    ("vendor/uplot.js", include_bytes!("../console/vendor/uplot.js")),
];

/// The console as it is served.
struct Console {
    version: String,
    page: Served,
    files: BTreeMap<&'static str, Served>,
}

/// One file.
struct Served {
    media: &'static str,
    plain: Bytes,
    packed: Bytes,
}

static CONSOLE: LazyLock<Console> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for (name, bytes) in FILES {
        digest.update(name);
        digest.update(bytes);
    }
    let version = hex::encode(&digest.finalize()[..8]);
    let page = Served::of("index.html", Bytes::from(PAGE.replace(PLACE, &version)));
    let files = FILES.iter().map(|(name, bytes)| (*name, Served::of(name, Bytes::from_static(bytes)))).collect();
    Console { version, page, files }
});

impl Served {
    fn of(name: &str, plain: Bytes) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory cannot fail; were it to, the file is served as it is.
        let packed = encoder.write_all(&plain).and_then(|()| encoder.finish()).map_or_else(|_| Bytes::new(), Bytes::from);
        Self { media: media(name), plain, packed }
    }

    /// The file, compressed for who takes it so.
    fn answer(&self, asked: &HeaderMap) -> Response {
        let gzip = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(takes_gzip);
        let mut response = if gzip && !self.packed.is_empty() {
            ([(CONTENT_ENCODING, "gzip")], self.packed.clone()).into_response()
        } else {
            self.plain.clone().into_response()
        };
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, self.media),
            (VARY, "accept-encoding"),
            (CONTENT_SECURITY_POLICY, POLICY),
            (REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (HeaderName::from_static("x-frame-options"), "DENY"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Whether a value of `Accept-Encoding` takes gzip.
fn takes_gzip(value: &str) -> bool {
    value.split(',').any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(quality.trim().trim_start_matches("q="), "0" | "0.0" | "0.00" | "0.000")
    })
}

fn media(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

/// `GET /`: asked for anew each time, and answered with nothing when it is the one that the browser has.
pub async fn page(asked: HeaderMap) -> Response {
    let tag = format!("\"{}\"", CONSOLE.version);
    let known = asked.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { CONSOLE.page.answer(&asked) };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.extend(HeaderValue::try_from(tag).map(|tag| (ETAG, tag)));
    response
}

/// `GET /console/{version}/{file}`: good for ever, since another content has another address.
pub async fn file(path: Result<Path<(String, String)>, PathRejection>, asked: HeaderMap) -> Result<Response, ApiError> {
    let Path((version, name)) = path.map_err(|_| ApiError::NoRoute)?;
    let served = CONSOLE.files.get(name.as_str()).filter(|_| version == CONSOLE.version).ok_or(ApiError::NoRoute)?;
    let mut response = served.answer(&asked);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for taken in ["gzip", "br, GZIP;q=0.5", "deflate,gzip ;q=1"] {
            assert!(takes_gzip(taken), "{taken}");
        }
        for not in ["", "br", "gzip;q=0", "x-gzip2", "gzip; q=0.0"] {
            assert!(!takes_gzip(not), "{not}");
        }
    }
}
