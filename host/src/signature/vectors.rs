//! Tries the verifier on a file of test vectors, the shape of `tests/fixtures/signatures.json`.
//!
//! Called by `signalbox signature check FILE.json` and by the tests. Pure: the bodies that a vector names are read by the caller. It
//! must never stop at one vector that it cannot judge: that one is reported as unchecked, with the reason.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Auth, Challenge, Scheme, SchemeName, Secret, Tolerance, verify};

/// What one vector showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The vector's own id.
    pub id: String,
    /// The scheme it is for.
    pub scheme: String,
    /// What came out.
    pub outcome: Outcome,
}

/// Whether the verifier says what the vector says. The text is a sentence for people, without digest or secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As the vector says.
    Agrees(String),
    /// The opposite of what the vector says.
    Differs(String),
    /// The vector cannot be judged here.
    Unchecked(String),
}

#[derive(Deserialize)]
struct VectorFile {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    scheme: String,
    #[serde(default)]
    secret: Option<String>,
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
    body_file: Option<String>,
    #[serde(default)]
    now: Option<u64>,
    #[serde(default)]
    tolerance_s: Option<u64>,
    valid: bool,
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
    query: Map<String, Value>,
}

/// Checks every vector of a file. `body_of` gives the bytes of a vector's `body_file`, or a sentence why not.
///
/// # Errors
/// A sentence when the text is not such a file.
pub fn check_vectors(text: &str, body_of: impl Fn(&str) -> Result<Vec<u8>, String>) -> Result<Vec<Checked>, String> {
    let file: VectorFile = serde_json::from_str(text).map_err(|error| format!("not a file of signature vectors: {error}"))?;
    let outcome = |vector: &Vector| judge(vector, &body_of).unwrap_or_else(Outcome::Unchecked);
    Ok(file
        .vectors
        .iter()
        .map(|vector| Checked { id: vector.id.clone(), scheme: vector.scheme.clone(), outcome: outcome(vector) })
        .collect())
}

/// `Err` is the reason why the vector cannot be judged.
fn judge(vector: &Vector, body_of: impl Fn(&str) -> Result<Vec<u8>, String>) -> Result<Outcome, String> {
    let challenge = match vector.scheme.as_str() {
        "glpi-cra" => Some(Challenge::GlpiCra),
        "x-crc" => Some(Challenge::XCrc),
        "glpi" if vector.is_get() => Some(Challenge::GlpiCra),
        "x-webhooks" if vector.is_get() => Some(Challenge::XCrc),
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
    let body = match (&vector.body, &vector.body_file) {
        (Some(body), _) => body.clone().into_bytes(),
        (None, Some(path)) => body_of(path)?,
        (None, None) => Vec::new(),
    };
    let secrets = vector.secrets(&scheme)?;
    let verdict = verify(&scheme, &secrets, &vector.header_map()?, Some(&vector.query()), &body, vector.now.unwrap_or_default());
    Ok(match (verdict, vector.valid) {
        (Ok(()), true) => Outcome::Agrees("verified".to_owned()),
        (Err(refusal), false) => Outcome::Agrees(format!("refused: {refusal}")),
        (Ok(()), false) => Outcome::Differs("verified, but the vector is not valid".to_owned()),
        (Err(refusal), true) => Outcome::Differs(format!("refused, but the vector is valid: {refusal}")),
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
        let mut texts: Vec<&String> = self.secret.iter().chain(&self.secrets).collect();
        if texts.is_empty() {
            texts.extend(&self.app_key);
        }
        texts.into_iter().map(|text| scheme.secret(text).map_err(|error| error.to_string())).collect()
    }

    fn header_map(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().map_err(|_| format!("`{}` is no header's name", name.escape_debug()))?;
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                let bytes = value.as_str().map(str::as_bytes).unwrap_or_default();
                let value = HeaderValue::from_bytes(bytes).map_err(|_| format!("header {name} cannot be sent with this value"))?;
                headers.append(&name, value);
            }
        }
        Ok(headers)
    }

    fn query(&self) -> String {
        let pairs = self.request.query.iter().map(|(key, value)| (key, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
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
        match (given, wanted, self.valid) {
            (Err(refusal), _, false) => Ok(Outcome::Agrees(format!("refused: {refusal}"))),
            (Err(refusal), _, true) => Ok(Outcome::Differs(format!("refused, but the vector is valid: {refusal}"))),
            (Ok(_), None, _) => Err("the vector has no `answer` to compare with".to_owned()),
            (Ok(given), Some(wanted), valid) if fits(&given.body, wanted) == valid => Ok(Outcome::Agrees("answered".to_owned())),
            (Ok(_), Some(_), _) => Ok(Outcome::Differs("answered otherwise than the vector says".to_owned())),
        }
    }
}
