//! Traces to an OpenTelemetry collector: the spans of `journey`, in batches, as OTLP over HTTP.
//!
//! The exporter runs on a thread of its own and calls through `egress`. A collector that is slow or down costs spans, never an event:
//! what does not fit into the queue is dropped.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use crate::app::Clock;
use crate::config::Traces as Config;
use crate::egress::{ANSWER_BYTES, Auth, Egress, Place, Request, Tls};
use crate::journey::TARGET;

/// Spans on their way out. What waits is sent by [`Traces::end`].
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends what waits, within the time that a call may take.
    pub fn end(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(reason = %error, "the last traces were not sent");
        }
    }
}

/// The layer that turns spans into traces, and what ends it. Runs within a runtime.
///
/// # Errors
/// When the place cannot be called.
pub fn layer<S>(config: &Config, clock: Clock) -> anyhow::Result<(impl Layer<S>, Traces)>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let place = Place { base: config.base.clone(), allow_private: config.allow_private.clone(), timeout: config.timeout };
    let auth = match &config.authorization {
        Some(secret) => Auth::Headers(vec![("authorization".to_owned(), secret.expose().to_owned())]),
        None => Auth::None,
    };
    let egress = Egress::new(place, auth, &Tls::of_this_machine()?).map_err(|problem| anyhow::anyhow!("traces: {problem}"))?;
    let way = Way { egress: Arc::new(egress), runtime: Handle::current(), clock, well: Arc::new(AtomicBool::new(true)) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(way)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}{}", config.base, config.path))
        .with_timeout(config.timeout)
        .build()?;
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name("signalbox").with_attribute(version).build())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.share))))
        .with_batch_exporter(exporter)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("signalbox"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target(TARGET, LevelFilter::TRACE));
    Ok((layer, Traces(provider)))
}

/// The exporter's way out: the host's own client.
#[derive(Clone)]
struct Way {
    egress: Arc<Egress>,
    runtime: Handle,
    clock: Clock,
    /// Whether the last batch arrived: a collector that is down is worth one line, not one for every batch.
    well: Arc<AtomicBool>,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Way")
    }
}

impl HttpClient for Way {
    fn send_bytes<'life, 'sending>(
        &'life self,
        request: http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, HttpError>> + Send + 'sending>>
    where
        'life: 'sending,
        Self: 'sending,
    {
        let way = self.clone();
        // The exporter's thread has no runtime: the call itself runs where the host's other calls do.
        Box::pin(async move { way.runtime.clone().spawn(way.send(request)).await? })
    }
}

impl Way {
    async fn send(self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        let request = Request {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            headers: headers.filter(|(name, _)| name != "content-length" && name != "host").collect(),
            body: Some(("application/x-protobuf", body)),
            answer_bytes: ANSWER_BYTES,
        };
        let answer = self.egress.call(&request, self.clock.now()).await;
        let trouble = match &answer {
            Ok(answer) if answer.status < 300 => None,
            Ok(answer) => Some(format!("the collector answers {}", answer.status)),
            Err(failure) => Some(failure.to_string()),
        };
        let was_well = self.well.swap(trouble.is_none(), Ordering::Relaxed);
        match trouble {
            Some(reason) if was_well => tracing::warn!(reason, "traces do not arrive"),
            None if !was_well => tracing::info!("traces arrive again"),
            _ => {}
        }
        let answer = answer?;
        let mut response = http::Response::builder().status(answer.status);
        if let Some(after) = answer.retry_after {
            response = response.header(http::header::RETRY_AFTER, after);
        }
        // Past the bound the answer's end is missing: all that it could say there is how many spans were refused.
        Ok(response.body(Bytes::from(answer.body))?)
    }
}
