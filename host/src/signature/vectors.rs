//! Tries the verifier on a file of test vectors, the shape of `tests/fixtures/signatures.json`.
//!
//! Called by `signalbox signature check FILE.json` and by the tests. Pure: the bodies that a vector names are read by the caller. It
//! must never stop at one vector that it cannot judge: that one is reported as unchecked, with the reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Auth, Challenge, Refusal, Scheme, SchemeName, Secret, Tolerance, verify};

/// What one vector showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The vector's own id.
    pub id: String,
    /// The scheme it is for.
    pub scheme: String,
    /// What the vector says of itself.
    pub valid: Option<bool>,
    /// What the verifier says.
    pub outcome: Outcome,
}

impl Checked {
    /// Whether the verifier says the opposite of the vector.
    pub fn differs(&self) -> bool {
        match self.outcome {
            Outcome::Valid(_) => self.valid == Some(false),
            Outcome::Invalid(_) => self.valid == Some(true),
            Outcome::Unchecked(_) => false,
        }
    }
}

/// What the verifier says of a vector. The text is a sentence for people, without digest or secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The call is taken.
    Valid(String),
    /// The call is refused: also when this host does not know the scheme, or cannot read the vector.
    Invalid(String),
    /// Its body is not here, and nothing else speaks against it.
    Unchecked(String),
}

#[derive(Deserialize)]
struct VectorFile {
    vectors: Vec<Value>,
}

#[derive(Deserialize)]
struct Vector {
    scheme: String,
    #[serde(default)]
    secret: Option<Value>,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    app_key: Option<String>,
    #[serde(default)]
    headers: Map<String, Value>,
    /// The name of the header, for the schemes that leave it open.
    #[serde(default)]
    header: Option<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    body_base64: Option<String>,
    #[serde(default)]
    body_file: Option<String>,
    #[serde(default)]
    now: Option<u64>,
    #[serde(default)]
    tolerance_s: Option<u64>,
    #[serde(default)]
    request: Request,
    /// What a challenge must be answered with.
    #[serde(default, alias = "response", alias = "expected", alias = "expect")]
    answer: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Request {
    method: Option<String>,
    query: Query,
}

/// By names and values, or as it stands in the url.
#[derive(Deserialize)]
#[serde(untagged)]
enum Query {
    Pairs(Map<String, Value>),
    Raw(String),
}

impl Default for Query {
    fn default() -> Self {
        Self::Pairs(Map::new())
    }
}

/// Checks every vector of a file. `body_of` gives the bytes of a vector's `body_file`, or a sentence why not.
///
/// # Errors
/// A sentence when the text is not such a file.
pub fn check_vectors(text: &str, body_of: impl Fn(&str) -> Result<Vec<u8>, String>) -> Result<Vec<Checked>, String> {
    let file: VectorFile = serde_json::from_str(text).map_err(|error| format!("not a file of signature vectors: {error}"))?;
    let checked = file.vectors.into_iter().enumerate().map(|(at, vector)| {
        let text = |key: &str| vector[key].as_str().map(str::to_owned);
        let (id, scheme) = (text("id").unwrap_or_else(|| format!("vector-{}", at + 1)), text("scheme").unwrap_or_default());
        let valid = vector["valid"].as_bool();
        let read = Vector::deserialize(&vector).map_err(|error| format!("the vector cannot be read: {error}"));
        let outcome = read.and_then(|vector| judge(&vector, &body_of)).unwrap_or_else(Outcome::Invalid);
        Checked { id, scheme, valid, outcome }
    });
    Ok(checked.collect())
}

/// `Err` is why the host would take no such call at all.
fn judge(vector: &Vector, body_of: impl Fn(&str) -> Result<Vec<u8>, String>) -> Result<Outcome, String> {
    let challenge = match vector.scheme.as_str() {
        "glpi-cra" => Some(Challenge::GlpiCra),
        "x-crc" => Some(Challenge::XCrc),
        "glpi" if vector.is_get() => Some(Challenge::GlpiCra),
        "x-webhooks" if vector.is_get() => Some(Challenge::XCrc),
        "meta-hub" | "hub-challenge" => Some(Challenge::MetaHub),
        "x-hub-signature-256" if vector.is_get() => Some(Challenge::MetaHub),
        _ => None,
    };
    if let Some(challenge) = challenge {
        return vector.judge_challenge(challenge);
    }
    let scheme = Scheme::resolve(&vector.auth()?).map_err(|error| error.to_string())?;
    let scheme = scheme.with_tolerance(match (vector.now, vector.tolerance_s) {
        (None, _) => Tolerance::OFF,
        (Some(_), Some(seconds)) => Tolerance::Seconds(seconds),
        (Some(_), None) => Tolerance::Seconds(300),
    });
    let (body, missing) = match (&vector.body, &vector.body_base64, &vector.body_file) {
        (Some(body), ..) => (body.clone().into_bytes(), None),
        (None, Some(body), _) => (STANDARD.decode(body).map_err(|_| "`body_base64` is not base64".to_owned())?, None),
        (None, None, Some(path)) => body_of(path).map_or_else(|missing| (Vec::new(), Some(missing)), |body| (body, None)),
        (None, None, None) => (Vec::new(), None),
    };
    let secrets = vector.secrets(&scheme)?;
    let verdict = verify(&scheme, &secrets, &vector.header_map()?, Some(&vector.query()), &body, vector.now.unwrap_or_default());
    Ok(match (verdict, missing) {
        // Without its body only what stands in the headers can be judged.
        (Ok(()) | Err(Refusal::Mismatch { .. }), Some(missing)) => Outcome::Unchecked(missing),
        (Ok(()), None) => Outcome::Valid("verified".to_owned()),
        (Err(refusal), _) => Outcome::Invalid(refusal.to_string()),
    })
}

impl Vector {
    fn is_get(&self) -> bool {
        self.request.method.as_deref().is_some_and(|method| method.eq_ignore_ascii_case("get"))
    }

    fn auth(&self) -> Result<Auth, String> {
        let name = SchemeName::parse(&self.scheme).ok_or_else(|| format!("`{}` is no scheme of this host", self.scheme.escape_debug()))?;
        let open = matches!(name, SchemeName::HmacSha256Base64 | SchemeName::TV1List | SchemeName::StaticHeader);
        // Where a vector leaves the header's name out, it is the one header there, or the one that sounds like it.
        let telling = |name: &&String| ["signature", "hmac", "token"].iter().any(|word| name.to_ascii_lowercase().contains(word));
        let guess = || self.headers.keys().find(telling).or_else(|| self.headers.keys().next()).cloned();
        let header = open.then(|| self.header.clone().or_else(guess).unwrap_or_else(|| "x-signature".to_owned()));
        Ok(Auth { header, ..Auth::named(name) })
    }

    fn secrets(&self, scheme: &Scheme) -> Result<Vec<Secret>, String> {
        let own = self.secret.as_ref().map(|secret| secret.as_array().map_or(std::slice::from_ref(secret), Vec::as_slice));
        let own = own.unwrap_or_default().iter().filter_map(Value::as_str);
        let mut texts: Vec<&str> = own.chain(self.secrets.iter().map(String::as_str)).collect();
        if texts.is_empty() {
            texts.extend(self.app_key.as_deref());
        }
        texts.into_iter().map(|text| scheme.secret(text).map_err(|error| error.to_string())).collect()
    }

    fn header_map(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().map_err(|_| format!("`{}` is no header's name", name.escape_debug()))?;
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let value =
                    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| format!("header {name} cannot be sent with this value"))?;
                headers.append(&name, value);
            }
        }
        Ok(headers)
    }

    fn query(&self) -> String {
        let pairs = match &self.request.query {
            Query::Raw(query) => return query.trim_start_matches('?').to_owned(),
            Query::Pairs(pairs) => pairs,
        };
        let pairs = pairs.iter().map(|(key, value)| (key, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    fn judge_challenge(&self, challenge: Challenge) -> Result<Outcome, String> {
        let scheme = Scheme::resolve(&Auth::named(SchemeName::Glpi)).map_err(|error| error.to_string())?;
        let given = challenge.answer(&self.secrets(&scheme)?, Some(&self.query()));
        let wanted = self.answer.as_ref().map(|answer| answer.get("body").unwrap_or(answer));
        let fits = |body: &str, wanted: &Value| match wanted {
            Value::String(text) => text == body || serde_json::from_str::<Value>(body).is_ok_and(|body| body["response_token"] == *text),
            other => serde_json::from_str::<Value>(body).is_ok_and(|body| body == *other),
        };
        Ok(match (given, wanted) {
            (Err(refusal), _) => Outcome::Invalid(refusal.to_string()),
            (Ok(_), None) => Outcome::Unchecked("the vector has no `answer` to compare with".to_owned()),
            (Ok(given), Some(wanted)) if fits(&given.body, wanted) => Outcome::Valid("answered".to_owned()),
            (Ok(_), Some(_)) => Outcome::Invalid("answered otherwise than the vector says".to_owned()),
        })
    }
}
