//! `[outbound]` of an adapter: its format, its resolving, and the rendering of its calls.
//!
//! Called by `adapter` when the configuration is read, and by `outbound` per decision. Pure. It must never hold a secret: `{{secret}}`
//! is a place, filled in `auth` when a source is configured.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::field::Maps;
use super::template::{Filling, Node, Template};
use super::{Desk, Hidden, OutboundAuth};
use crate::outgoing::{Body, Outgoing, Repeat};
use crate::retry::RetryEntry;

/// `[outbound]`, as written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct OutboundSpec {
    /// How calls prove themselves.
    #[serde(default)]
    auth: AuthSpec,
    /// How often, and how long apart.
    #[serde(default)]
    retry: RetryEntry,
    /// The calls, in the order they are made.
    call: Vec<CallSpec>,
}

/// One of `header` with `value`, `basic`, and `token_path`. `{{secret}}`, `{{user}}` and `{{client_id}}` are the source's own.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuthSpec {
    /// The header's name.
    header: Option<String>,
    /// The header's value, such as `Token token={{secret}}`.
    value: Option<String>,
    /// User and password, such as `{{user}}:{{secret}}`.
    basic: Option<String>,
    /// Where OAuth2 client credentials become a token, below `base`.
    token_path: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallSpec {
    /// What people call it: "note", "tags".
    name: String,
    method: Method,
    /// Path and query below `base`.
    path: String,
    /// It writes an internal note, and nothing else.
    #[serde(default)]
    note: bool,
    /// It answers the author with `{{reply.body}}`: made when the answer may leave, or was approved.
    #[serde(default)]
    reply: bool,
    /// It does to the message what `{{decision.moderation.action}}` says: made when that may be done, or was approved.
    #[serde(default)]
    moderation: bool,
    /// A list; the call is made once for each `item`.
    #[serde(default)]
    for_each: Option<String>,
    /// Headers of its own, fixed.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// What is sent as JSON.
    #[serde(default)]
    body: Option<Value>,
    /// What is sent as a form; a table in it is sent as JSON text.
    #[serde(default)]
    form: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    repeat: RepeatSpec,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

/// Why sending it twice does no harm.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RepeatSpec {
    /// Twice leaves the desk as once.
    #[default]
    Harmless,
    /// This header takes a key that the desk honours.
    Keyed(String),
    /// This path, read before a second attempt, shows our mark when the first has arrived.
    ReadBack(String),
}

/// `[outbound]`, resolved.
#[derive(Clone, Debug)]
pub(in super::super) struct Plan {
    auth: AuthSpec,
    pub(super) retry: RetryEntry,
    calls: Vec<Call>,
}

#[derive(Clone, Debug)]
struct Call {
    name: String,
    method: String,
    path: Template,
    purpose: Purpose,
    for_each: Option<Template>,
    headers: BTreeMap<String, String>,
    content: Content,
    repeat: Again,
}

/// When a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// With the decision, where decisions are written back in full.
    Decision,
    /// With the decision: it is an internal note.
    Note,
    /// For each answer that may leave.
    Reply,
    /// When the message itself may be touched.
    Moderation,
}

#[derive(Clone, Debug)]
enum Content {
    None,
    Json(Node),
    Form(Vec<(String, Node)>),
}

#[derive(Clone, Debug)]
enum Again {
    Harmless,
    Keyed(String),
    ReadBack(Template),
}

impl Plan {
    pub(in super::super) fn resolve(spec: OutboundSpec, maps: &Maps) -> Result<Self, String> {
        let OutboundSpec { auth, retry, call } = spec;
        retry.resolve()?;
        match (&auth.header, &auth.value, &auth.basic, &auth.token_path) {
            (Some(name), Some(_), None, None) => drop(header_name(name)?),
            (None, None, Some(_), None) | (None, None, None, None) => {}
            (None, None, None, Some(path)) => drop(self::path(path, &Maps::new())?),
            _ => return Err("`auth` wants `header` with `value`, or `basic`, or `token_path`, and one of them only".to_owned()),
        }
        let calls = call.into_iter().map(|call| {
            let name = call.name.clone();
            Call::resolve(call, maps).map_err(|problem| format!("the call \"{name}\": {problem}"))
        });
        Ok(Self { auth, retry, calls: calls.collect::<Result<_, _>>()? })
    }

    /// What a source must say beside its secret.
    pub(in super::super) fn wants(&self) -> Vec<&'static str> {
        let AuthSpec { value, basic, token_path, .. } = &self.auth;
        let text = [value, basic].into_iter().flatten().map(String::as_str).collect::<String>();
        let mut wants = Vec::new();
        wants.extend((text.contains("{{user}}") || self.calls.iter().any(Call::names_our_user)).then_some("user"));
        wants.extend((text.contains("{{client_id}}") || token_path.is_some()).then_some("client_id"));
        wants
    }

    /// What a source's secret, user and client make of `auth`. The message never holds one of them.
    pub(super) fn auth(&self, desk: &Desk) -> Result<OutboundAuth, String> {
        if desk.user.is_none() && self.wants().contains(&"user") {
            return Err("has no `user`, which its adapter's calls want".to_owned());
        }
        let secret = || {
            desk.secret.as_ref().map(Hidden::expose).ok_or("has no `secret`; write where the desk's API secret is, such as \"env:NAME\"")
        };
        let fill = |template: &str| -> Result<String, String> {
            let mut text = template.to_owned();
            // The secret last: what it holds is never a place.
            for (place, value) in [("{{user}}", &desk.user), ("{{client_id}}", &desk.client_id)] {
                if text.contains(place) {
                    let key = place.trim_matches(['{', '}']);
                    let value =
                        value.as_deref().ok_or_else(|| format!("has no `{key}`, which its adapter's way of proving itself wants"))?;
                    text = text.replace(place, value);
                }
            }
            if text.contains("{{secret}}") { Ok(text.replace("{{secret}}", secret()?)) } else { Ok(text) }
        };
        let header = |name: &str, value: String| match HeaderValue::from_str(&value) {
            Ok(_) => Ok(OutboundAuth::Header { name: name.to_ascii_lowercase(), value: Hidden::new(value) }),
            Err(_) => Err("has a secret or a name that cannot stand in a header".to_owned()),
        };
        match &self.auth {
            AuthSpec { header: Some(name), value: Some(value), .. } => header(name, fill(value)?),
            AuthSpec { basic: Some(pair), .. } => header("authorization", format!("Basic {}", STANDARD.encode(fill(pair)?))),
            AuthSpec { token_path: Some(path), .. } => Ok(OutboundAuth::ClientCredentials {
                token_path: path.clone(),
                client_id: fill("{{client_id}}")?,
                client_secret: Hidden::new(secret()?.to_owned()),
                scope: desk.scope.clone(),
            }),
            _ => Ok(OutboundAuth::None),
        }
    }

    /// Every wanted call that has something to say.
    pub(super) fn render(&self, context: &Value, queues: &BTreeMap<String, String>, wanted: impl Fn(Purpose) -> bool) -> Vec<Outgoing> {
        let mut calls = Vec::new();
        for call in self.calls.iter().filter(|call| wanted(call.purpose)) {
            let Some(list) = &call.for_each else {
                calls.extend(call.render(&Filling { context, queues }));
                continue;
            };
            let items = list.render(&Filling { context, queues });
            for item in items.as_ref().and_then(Value::as_array).into_iter().flatten() {
                let mut context = context.clone();
                context["item"] = item.clone();
                calls.extend(call.render(&Filling { context: &context, queues }));
            }
        }
        calls
    }
}

impl Call {
    fn resolve(spec: CallSpec, maps: &Maps) -> Result<Self, String> {
        let CallSpec { name, method, path, note, reply, moderation, for_each, headers, body, form, repeat } = spec;
        let purpose = match (note, reply, moderation) {
            (false, false, false) => Purpose::Decision,
            (true, false, false) => Purpose::Note,
            (false, true, false) => Purpose::Reply,
            (false, false, true) => Purpose::Moderation,
            _ => return Err("is more than one of `note`, `reply` and `moderation`; make it two calls".to_owned()),
        };
        for (name, value) in &headers {
            header_name(name)?;
            HeaderValue::from_str(value).map_err(|_| format!("the value of header `{name}` cannot stand in a header"))?;
        }
        let content = match (body, form) {
            (Some(_), Some(_)) => return Err("has both `body` and `form`; keep one".to_owned()),
            (Some(body), None) => Content::Json(Node::parse(body, maps)?),
            (None, Some(form)) => {
                Content::Form(form.into_iter().map(|(key, value)| Ok((key, Node::parse(value, maps)?))).collect::<Result<_, String>>()?)
            }
            (None, None) => Content::None,
        };
        Ok(Self {
            name,
            method: json!(method).as_str().unwrap_or_default().to_owned(),
            path: self::path(&path, maps)?,
            purpose,
            for_each: for_each.map(|list| Template::parse(&format!("{{{{{list}}}}}"), maps)).transpose()?,
            headers,
            content,
            repeat: match repeat {
                RepeatSpec::Harmless => Again::Harmless,
                RepeatSpec::Keyed(header) => {
                    header_name(&header)?;
                    Again::Keyed(header)
                }
                RepeatSpec::ReadBack(path) => Again::ReadBack(self::path(&path, maps)?),
            },
        })
    }

    fn names_our_user(&self) -> bool {
        matches!(&self.content, Content::Json(node) if node.names("desk"))
    }

    fn render(&self, filling: &Filling<'_>) -> Option<Outgoing> {
        let misses_ticket = match &self.content {
            Content::None => false,
            Content::Json(node) => node.misses_ticket(filling),
            Content::Form(fields) => fields.iter().any(|(_, node)| node.misses_ticket(filling)),
        };
        if misses_ticket {
            return None;
        }
        let body = match &self.content {
            Content::None => Body::Empty,
            Content::Json(node) => Body::Json(node.render(filling)?),
            Content::Form(fields) => {
                let written = fields.iter().filter_map(|(key, node)| {
                    Some((
                        key.clone(),
                        match node.render(filling)? {
                            Value::String(text) => text,
                            other => other.to_string(),
                        },
                    ))
                });
                let written: Vec<(String, String)> = written.collect();
                // A form is whole or not sent: what is left out of it is what the decision could not say.
                if written.len() < fields.len() {
                    return None;
                }
                Body::Form(written)
            }
        };
        let repeat = match &self.repeat {
            Again::Harmless => Repeat::Harmless,
            Again::Keyed(header) => Repeat::Keyed { header: header.clone() },
            Again::ReadBack(path) => {
                Repeat::ReadBack { path: path.render_path(filling)?, mark: filling.context["decision"]["mark"].as_str()?.to_owned() }
            }
        };
        let path = self.path.render_path(filling)?;
        Some(Outgoing { name: self.name.clone(), method: self.method.clone(), path, headers: self.headers.clone(), body, repeat })
    }
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    name.parse().map_err(|_| format!("`{name}` is no header's name"))
}

/// A path below the base, and nothing that could leave it.
fn path(text: &str, maps: &Maps) -> Result<Template, String> {
    let fixed = text.split("{{").map(|part| part.split_once("}}").map_or(part, |(_, after)| after)).collect::<String>();
    let plain = |b: u8| b.is_ascii_graphic() && !b"#\\\"<>^`|".contains(&b);
    if !text.starts_with('/') || text.starts_with("//") || !fixed.bytes().all(plain) || fixed.contains("/../") {
        return Err(format!("`{text}` is no path below `base`; begin it with one `/`"));
    }
    Template::parse(text, maps)
}
