//! `GET /openapi.json`: the admin API as an OpenAPI 3.1 document, made from the table and the types themselves.
//!
//! It needs no token: it says nothing that the source does not.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::change::{PLAIN, TICKET_CHARS, WHY_CHARS};
use super::routes::{ROUTES, Route, Verb};
use crate::error::CODES;

const DESCRIPTION: &str = "The admin API of a signalbox host.\n\n\
    Every call needs `Authorization: Bearer TOKEN`. Roles are viewer, operator, developer and admin; each may do what the ones before \
    it may, and every operation says the least it needs (`x-least-role`). A token with a smaller role gets 403; an address that keeps \
    presenting wrong tokens gets 429 with `Retry-After`.\n\n\
    Errors are `application/problem+json`; the `type` holds a stable code. Lists come in pages, newest first: `next` of one page is \
    the `cursor` of the page after it, and is null on the last one.\n\n\
    Changes are in the audit log. They may say why (`Signalbox-Why`) and name a change ticket (`Signalbox-Change`).";

/// Answers with the document.
pub async fn serve() -> Response {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// The document.
pub fn document() -> Value {
    let mut generator =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into()).into_generator();
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(format!("/v1{}", route.path)).or_insert_with(|| json!({}));
        path[route.verb.word().to_lowercase()] = operation(route, &mut generator);
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem());
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "signalbox", "version": env!("CARGO_PKG_VERSION"), "description": DESCRIPTION, "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "A token of `POST /v1/tokens`, or the one in the file `admin.token` of the data directory." } },
            "responses": { "Problem": { "description": "Refused: what is wrong, and what to do about it.", "content": { "application/problem+json": { "schema": problem } } } },
            "schemas": schemas,
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let (status, answer) = route.answer;
    let mut success = json!({ "description": if answer.is_some() { "Done." } else { "Done; there is nothing to say." } });
    if let Some(answer) = answer {
        success["content"] = json!({ "application/json": { "schema": answer(generator) } });
    }
    let problem = json!({ "$ref": "#/components/responses/Problem" });
    let mut responses = Map::from_iter([(status.to_string(), success)]);
    let mut refusals = vec!["401", "403", "429", "default"];
    refusals.extend((route.query.is_some() || route.body.is_some()).then_some("400"));
    refusals.extend(route.path.contains('{').then_some("404"));
    refusals.extend(route.if_match.then_some(["412", "428"]).into_iter().flatten());
    refusals.extend(route.body.iter().flat_map(|_| ["413", "415", "422"]));
    responses.extend(refusals.into_iter().map(|status| (status.to_owned(), problem.clone())));
    let mut parameters = path_parameters(route.path);
    parameters.extend(route.query.map(|query| query_parameters(&query(generator).to_value())).unwrap_or_default());
    if route.verb != Verb::Get {
        parameters.extend(header_parameters());
    }
    if route.if_match {
        // A dry run, which is asked for in the query, changes nothing and needs none.
        parameters.push(json!({
            "name": "If-Match",
            "in": "header",
            "required": route.query.is_none(),
            "description": "The ETag of the set-up that the change was made from.",
            "schema": { "type": "string", "pattern": "^\"[0-9]{1,18}\"$" },
        }));
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [route.path.split('/').nth(1)],
        "summary": route.summary,
        "description": format!("Needs the role {}.", route.least),
        "x-least-role": route.least,
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(body) = route.body {
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": body(generator) } } });
    }
    operation
}

/// `get_decisions_id`: method and path, as a name.
fn operation_id(route: &Route) -> String {
    let words = route.path.split('/').map(|word| word.trim_matches(['{', '}'])).filter(|word| !word.is_empty());
    std::iter::once(route.verb.word().to_lowercase()).chain(words.map(|word| word.replace(['-', '.'], "_"))).collect::<Vec<_>>().join("_")
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })).collect()
}

/// The properties of an object, one by one.
fn query_parameters(object: &Value) -> Vec<Value> {
    let required = object["required"].as_array().cloned().unwrap_or_default();
    let properties = object["properties"].as_object().into_iter().flatten();
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut parameter = json!({ "name": name, "in": "query", "required": required.contains(&json!(name)), "schema": given(schema) });
        parameter["description"] = description.unwrap_or_default();
        parameter
    };
    properties.map(parameter).collect()
}

/// A schema without `null`: what is absent from a query is left out, there is no word for it.
fn given(mut schema: Value) -> Value {
    if let Some(types) = schema["type"].as_array() {
        schema["type"] = types.iter().find(|one| **one != "null").cloned().unwrap_or_default();
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let one = choices.iter().find(|choice| choice["type"] != "null").cloned();
        return one.unwrap_or(schema);
    }
    if let Some(object) = schema.as_object_mut() {
        object.remove("default");
    }
    schema
}

fn header_parameters() -> [Value; 2] {
    [
        ("Signalbox-Why", "Why it is changed, for the audit log.", WHY_CHARS),
        ("Signalbox-Change", "The number of the change ticket, for the audit log.", TICKET_CHARS),
    ]
    .map(|(name, description, most)| {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": most, "pattern": PLAIN });
        json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema })
    })
}

/// An error answer. Its codes are those of `error.rs`.
fn problem() -> Value {
    let types: Vec<String> = CODES.iter().map(|code| format!("urn:signalbox:problem:{code}")).collect();
    json!({
        "type": "object",
        "description": "RFC 9457.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "enum": types, "description": "The stable code of what is wrong." },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What is wrong, and what to do about it." },
            "pointer": { "type": "string", "description": "The place in the body that is wrong: a JSON Pointer." },
            "needs": { "type": "string", "description": "The least role that may." },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every value of a key, anywhere in the document.
    fn values<'a>(key: &str, value: &'a Value) -> Vec<&'a Value> {
        match value {
            Value::Object(object) => {
                let below = object.values().flat_map(|value| values(key, value));
                object.get(key).into_iter().chain(below).collect()
            }
            Value::Array(array) => array.iter().flat_map(|value| values(key, value)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_route_is_in_the_document_and_nothing_else() {
        let document = document();
        let told: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, verbs)| verbs.as_object().unwrap().keys().map(move |verb| (path.clone(), verb.to_uppercase())))
            .collect();
        let table = ROUTES.iter().map(|route| (format!("/v1{}", route.path), route.verb.word().to_owned()));
        assert_eq!(told, table.collect());
        assert_eq!(told.len(), ROUTES.len(), "no route stands twice in the table");
        for route in ROUTES {
            let operation = &document["paths"][format!("/v1{}", route.path)][route.verb.word().to_lowercase()];
            assert_eq!((&operation["x-least-role"], &operation["summary"]), (&json!(route.least), &json!(route.summary)));
            assert_eq!(operation["requestBody"].is_object(), route.body.is_some());
            assert_eq!(operation["responses"][route.answer.0.to_string()]["content"].is_object(), route.answer.1.is_some());
        }
        let ids: BTreeSet<String> = values("operationId", &document).into_iter().map(ToString::to_string).collect();
        assert_eq!(ids.len(), ROUTES.len());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let references: BTreeSet<&str> = values("$ref", &document).into_iter().filter_map(Value::as_str).collect();
        assert!(references.len() > 10, "{references:?}");
        for reference in references {
            let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
            assert!(target.is_some(), "{reference}");
        }
    }

    #[test]
    fn every_schema_is_one() {
        let document = document();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)), "{name}");
            assert_eq!(jsonschema::meta::validate(schema).map_err(|error| error.to_string()), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_query_parameter_is_left_out_and_never_null() {
        let document = document();
        let parameters = document["paths"]["/v1/decisions"]["get"]["parameters"].as_array().unwrap();
        let names: Vec<_> = parameters.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
        assert!(["source", "since", "limit", "cursor"].iter().all(|name| names.contains(name)), "{names:?}");
        for parameter in parameters {
            assert!(!parameter["schema"].to_string().contains("null") && parameter["required"] == false, "{parameter}");
            assert!(!parameter["description"].as_str().unwrap().is_empty(), "{parameter}");
        }
    }
}
