//! Says whether a call really comes from the desk that a source names: bytes and a `now` in, `Ok` or a named refusal out.
//!
//! Called by `source` before anything parses the body, and by `signalbox signature check`. It must never read a clock, parse the
//! body, compare in variable time, take another algorithm than the configured one, or put a digest or a secret into a message.
//!
//! One verifier serves every desk, because their schemes differ only in parameters: see [`Auth`]. The written rules:
//!
//! - A header that a scheme reads is there exactly once; a second one is refused, whichever of the two would match.
//! - base64 is the standard alphabet with padding; hex may be in either case; a digest of another length is refused.
//! - Every entry of a list is tried against every secret; entries of another version or form are passed over.
//! - The clock is checked before the digest. `tolerance_s = "off"` signs the timestamp's text as it stands and reads no time.

mod auth;
mod challenge;
mod refusal;
mod scheme;
mod secret;
mod sign;
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

pub use self::auth::{Algorithm, Auth, Encoding, KeyForm, List, Off, SchemeName, TimeForm, Tolerance};
pub use self::challenge::{Challenge, ChallengeAnswer};
pub use self::refusal::{Hint, Refusal};
pub use self::scheme::{Reach, Scheme, SchemeError};
pub use self::secret::Secret;
pub use self::sign::{sign_standard, standard_secret};
pub use self::vectors::{Checked, Outcome, check_vectors};

use self::scheme::{Check, Part, Signed};

/// Past this many body bytes a refused call gets no [`Hint`]: every hint costs another digest, and a stranger must not choose that.
const HINT_BODY_BYTES: usize = 64 * 1024;
/// Longest `{id}` a scheme takes: the bound of Standard Webhooks' own libraries, and what the journal keeps as a key.
const MAX_ID_CHARS: usize = 256;
/// From here on unix "seconds" are milliseconds: as seconds the year 5138, as milliseconds 1973.
const SURELY_MILLISECONDS: u64 = 100_000_000_000;

/// Checks one call against a scheme. Any of the secrets may match, so that a desk's secret can be changed without a gap.
///
/// `query` is the raw query string, `body` the raw body, `now` unix seconds.
///
/// # Errors
/// The first [`Refusal`] met, in the order: headers present, their form, the clock, the digest.
pub fn verify(scheme: &Scheme, secrets: &[Secret], headers: &HeaderMap, query: Option<&str>, body: &[u8], now: u64) -> Result<(), Refusal> {
    if secrets.is_empty() && scheme.needs_secret() {
        return Err(Refusal::NoSecret);
    }
    match &scheme.check {
        Check::Signed(signed) => verify_signed(signed, secrets, headers, body, now),
        Check::StaticHeader(name) => same_as_a_secret(one(headers, name)?.as_bytes(), secrets),
        Check::Bearer => same_as_a_secret(authorization(headers, "bearer")?.as_bytes(), secrets),
        Check::Basic => {
            let problem = "what follows `Basic` is not base64";
            let pair = STANDARD.decode(authorization(headers, "basic")?).map_err(|_| Refusal::Form { header: AUTHORIZATION, problem })?;
            same_as_a_secret(&pair, secrets)
        }
        Check::UrlToken(parameter) => same_as_a_secret(one_parameter(query, parameter)?.as_bytes(), secrets),
        // The caller's address is not in these bytes: the webhook holds such a source to `Scheme::reach`.
        Check::Loopback => Ok(()),
    }
}

fn verify_signed(signed: &Signed, secrets: &[Secret], headers: &HeaderMap, body: &[u8], now: u64) -> Result<(), Refusal> {
    let presented = one(headers, &signed.header)?;
    let id = signed.id_header.as_ref().map(|name| id(headers, name)).transpose()?.unwrap_or_default();
    let (listed_time, entries) = entries(signed, presented)?;
    let (time_header, timestamp) = match &signed.timestamp_header {
        Some(name) => (name, one(headers, name)?),
        None => (&signed.header, listed_time.unwrap_or_default()),
    };
    if let Some(tolerance) = signed.tolerance {
        check_time(signed.timestamp, time_header, timestamp, now, tolerance)?;
    }
    let candidates = candidates(signed, &entries)?;
    let parts = Parts { id, timestamp, body };
    if secrets.iter().any(|secret| matches(&digest(signed, secret.key(), &signed.template, &parts), &candidates)) {
        return Ok(());
    }
    Err(Refusal::Mismatch { hint: hint(signed, secrets, &parts, &candidates) })
}

/// What a template's places stand for.
struct Parts<'a> {
    id: &'a str,
    timestamp: &'a str,
    body: &'a [u8],
}

fn digest(signed: &Signed, key: &[u8], template: &[Part], parts: &Parts<'_>) -> Vec<u8> {
    fn run<M: Mac + hmac::digest::KeyInit>(key: &[u8], template: &[Part], parts: &Parts<'_>) -> Vec<u8> {
        let Ok(mut mac) = <M as Mac>::new_from_slice(key) else { return Vec::new() }; // HMAC takes a key of any length
        for part in template {
            match part {
                Part::Id => mac.update(parts.id.as_bytes()),
                Part::Timestamp => mac.update(parts.timestamp.as_bytes()),
                Part::Body => mac.update(parts.body),
                Part::Literal(text) => mac.update(text.as_bytes()),
            }
        }
        mac.finalize().into_bytes().to_vec()
    }
    match signed.algorithm {
        Algorithm::Sha1 => run::<Hmac<Sha1>>(key, template, parts),
        Algorithm::Sha256 => run::<Hmac<Sha256>>(key, template, parts),
    }
}

/// Constant time over all candidates; an empty digest matches nothing.
fn matches(digest: &[u8], candidates: &[Vec<u8>]) -> bool {
    let found = candidates.iter().fold(Choice::from(0), |found, candidate| found | digest.ct_eq(candidate));
    !digest.is_empty() && found.into()
}

fn same_as_a_secret(presented: &[u8], secrets: &[Secret]) -> Result<(), Refusal> {
    // Digests are compared, so that the time taken tells nothing about a secret's length either.
    let presented = Sha256::digest(presented);
    let found = secrets.iter().fold(Choice::from(0), |found, secret| found | Sha256::digest(secret.key()).ct_eq(&presented));
    if found.into() { Ok(()) } else { Err(Refusal::WrongSecret) }
}

/// The one value of a header, in visible ASCII.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or_else(|| Refusal::Absent { header: name.clone() })?;
    if values.next().is_some() {
        return Err(Refusal::Repeated { header: name.clone() });
    }
    value.to_str().map_err(|_| Refusal::Form { header: name.clone(), problem: "the value is not plain ASCII" })
}

fn one_parameter(query: Option<&str>, parameter: &str) -> Result<String, Refusal> {
    let mut values = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).filter(|(key, _)| key == parameter);
    let (_, value) = values.next().ok_or_else(|| Refusal::AbsentParameter { parameter: parameter.to_owned() })?;
    match values.next() {
        Some(_) => Err(Refusal::RepeatedParameter { parameter: parameter.to_owned() }),
        None => Ok(value.into_owned()),
    }
}

fn authorization<'a>(headers: &'a HeaderMap, scheme: &'static str) -> Result<&'a str, Refusal> {
    let (word, rest) = one(headers, &AUTHORIZATION)?.split_once(' ').unwrap_or_default();
    if word.eq_ignore_ascii_case(scheme) {
        return Ok(rest.trim_start_matches(' '));
    }
    let problem = if scheme == "basic" { "`Basic` and a user:password pair are wanted" } else { "`Bearer` and a token are wanted" };
    Err(Refusal::Form { header: AUTHORIZATION, problem })
}

fn id<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    let id = one(headers, name)?;
    if id.is_empty() || id.len() > MAX_ID_CHARS || !id.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Refusal::Form { header: name.clone(), problem: "an id is 1 to 256 visible ASCII characters" });
    }
    Ok(id)
}

/// The timestamp that stands inside the signature header, if any, and the signature entries.
type Listed<'a> = (Option<&'a str>, Vec<&'a str>);

fn entries<'a>(signed: &Signed, presented: &'a str) -> Result<Listed<'a>, Refusal> {
    let refuse = |problem| Refusal::Form { header: signed.header.clone(), problem };
    match signed.list {
        List::Single => Ok((None, vec![presented])),
        List::SpaceSeparated => {
            let of_v1: Vec<_> = presented.split(' ').filter_map(|entry| entry.strip_prefix("v1,")).collect();
            if of_v1.is_empty() { Err(refuse("no entry starts with `v1,`")) } else { Ok((None, of_v1)) }
        }
        List::CommaSeparated => {
            let pairs = || presented.split(',').filter_map(|pair| pair.trim().split_once('='));
            let mut times = pairs().filter(|(key, _)| *key == "t").map(|(_, value)| value);
            let time = times.next().ok_or_else(|| refuse("no `t=` entry with the timestamp"))?;
            if times.next().is_some() {
                return Err(refuse("two `t=` entries"));
            }
            let of_v1: Vec<_> = pairs().filter(|(key, _)| *key == "v1").map(|(_, value)| value).collect();
            if of_v1.is_empty() { Err(refuse("no `v1=` entry")) } else { Ok((Some(time), of_v1)) }
        }
    }
}

/// Every entry that has the form of a digest; when none has, what is wrong with the first.
fn candidates(signed: &Signed, entries: &[&str]) -> Result<Vec<Vec<u8>>, Refusal> {
    let mut fault = None;
    let decoded = |entry: &&str| {
        let digest = match entry.strip_prefix(&signed.prefix) {
            Some(text) => decode(signed, text),
            None => Err(unlabelled(signed, entry)),
        };
        digest.map_err(|refusal| fault.get_or_insert(refusal).clone()).ok()
    };
    let candidates: Vec<_> = entries.iter().filter_map(decoded).collect();
    match fault {
        Some(refusal) if candidates.is_empty() => Err(refusal),
        _ => Ok(candidates),
    }
}

/// Names what stands where the prefix should: another algorithm's label is a downgrade, and is told apart.
fn unlabelled(signed: &Signed, entry: &str) -> Refusal {
    let header = signed.header.clone();
    let label =
        ["sha1", "sha256", "sha512", "md5"].into_iter().find(|label| entry.strip_prefix(label).is_some_and(|rest| rest.starts_with('=')));
    match label {
        Some(label) if !signed.prefix.starts_with(label) => Refusal::Algorithm { header, label, wanted: signed.algorithm },
        _ => Refusal::Form { header, problem: "the configured prefix is missing" },
    }
}

fn decode(signed: &Signed, text: &str) -> Result<Vec<u8>, Refusal> {
    let size = signed.algorithm.size();
    let is_hex = |size: usize| text.len() == size * 2 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let refuse = |problem| Refusal::Form { header: signed.header.clone(), problem };
    match signed.encoding {
        _ if text.is_empty() => Err(refuse("the signature is empty")),
        Encoding::Hex => match hex::decode(text) {
            Ok(digest) if digest.len() == size => Ok(digest),
            Ok(_) => Err(refuse("the hex has another length than this algorithm's digest")),
            Err(_) if text.contains('=') && signed.prefix.is_empty() => Err(refuse("bare hex is wanted, without a prefix")),
            Err(_) if STANDARD.decode(text).is_ok_and(|digest| digest.len() == size) => Err(refuse("base64 where hex is wanted")),
            Err(_) => Err(refuse("not hex")),
        },
        Encoding::Base64 => match STANDARD.decode(text) {
            Ok(digest) if digest.len() == size => Ok(digest),
            Ok(_) | Err(_) if is_hex(size) => Err(refuse("hex where base64 is wanted")),
            Ok(_) => Err(refuse("the base64 has another length than this algorithm's digest")),
            Err(_) if text.contains(['-', '_']) => Err(refuse("url-safe base64 where the standard alphabet is wanted")),
            Err(_) if !text.ends_with('=') => Err(refuse("not base64 with its padding")),
            Err(_) => Err(refuse("not base64")),
        },
    }
}

fn check_time(form: TimeForm, header: &HeaderName, text: &str, now: u64, tolerance_s: u64) -> Result<(), Refusal> {
    let refuse = |problem| Refusal::Form { header: header.clone(), problem };
    let time = match form {
        TimeForm::Unix => {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let time = digits.then(|| text.parse::<u64>().ok()).flatten();
            time.ok_or_else(|| refuse("the timestamp is not unix seconds in plain digits"))?
        }
        TimeForm::Rfc3339 => crate::event::Timestamp::parse(text).map_err(|_| refuse("the timestamp is not an RFC 3339 time"))?.0 / 1_000,
    };
    if time >= SURELY_MILLISECONDS {
        return Err(Refusal::Milliseconds { header: header.clone() });
    }
    match now.abs_diff(time) {
        off_s if off_s <= tolerance_s => Ok(()),
        off_s if time > now => Err(Refusal::Future { off_s, tolerance_s }),
        off_s => Err(Refusal::Stale { off_s, tolerance_s }),
    }
}

/// Looks for the usual mistakes of an integration, for the log and the admin's test page only.
fn hint(signed: &Signed, secrets: &[Secret], parts: &Parts<'_>, candidates: &[Vec<u8>]) -> Hint {
    if parts.body.len() > HINT_BODY_BYTES {
        return Hint::None;
    }
    for secret in secrets {
        let with = |key: &[u8], template: &[Part]| matches(&digest(signed, key, template, parts), candidates);
        if signed.template.len() > 1 && with(secret.key(), &[Part::Body]) {
            return Hint::BodyOnly;
        }
        if let Ok(decoded) = STANDARD.decode(secret.key())
            && with(&decoded, &signed.template)
        {
            return Hint::DecodedSecret;
        }
        let text = STANDARD.encode(secret.key());
        if with(text.as_bytes(), &signed.template) || with(format!("whsec_{text}").as_bytes(), &signed.template) {
            return Hint::SecretAsText;
        }
    }
    Hint::None
}

#[cfg(test)]
mod tests;
