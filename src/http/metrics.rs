//! What the server is doing, for Prometheus: requests by route, statements, and how much is kept in memory. It tells
//! nothing of what is in the database, and is served at an address of its own.
//!
//! prometheus-client counts and encodes, into a registry of each server's own. The crate `metrics`, and middleware that
//! is made with it, has one recorder for the process, so that two servers in one test would count as one. Queues and
//! memory are read when Prometheus asks (`ServerStateCollector`): no gauge has to be kept in step with them.

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    extract::MatchedPath,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::ConstGauge,
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use super::admission::{AdmissionQueue, AdmissionQueues};
use crate::{bi::cache::BiCache, database::Store, judgement::KeptSums};

/// Upper bounds of how long requests take, in seconds.
const SECONDS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

/// What has been counted; a copy counts the same.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<AnswerLabels, Counter>,
    seconds: Family<RouteLabel, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// Nothing counted yet, over this database, what is kept of it and who waits for it.
    #[must_use]
    pub fn new(store: Store, bi_cache: BiCache, admission: AdmissionQueues) -> Self {
        let mut registry = Registry::with_prefix("cx_blueprint");
        let requests = Family::default();
        let seconds: Family<RouteLabel, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        registry.register(
            "http_requests",
            "Requests that were answered, by route and status",
            requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "How long answers took, until their heads were ready",
            Unit::Seconds,
            seconds.clone(),
        );
        registry.register_collector(Box::new(ServerStateCollector {
            store,
            bi_cache,
            admission,
        }));
        Self {
            registry: Arc::new(registry),
            requests,
            seconds,
        }
    }

    /// Counts an answer.
    pub fn count_response(&self, route: &str, status: StatusCode, took: Duration) {
        let route = route.to_owned();
        self.seconds
            .get_or_create(&RouteLabel {
                route: route.clone(),
            })
            .observe(took.as_secs_f64());
        let status = status.as_u16();
        self.requests
            .get_or_create(&AnswerLabels { route, status })
            .inc();
    }

    /// All of it, in the text format of OpenMetrics.
    #[must_use]
    pub fn serve(&self) -> Response {
        let mut told = String::new();
        match text::encode(&mut told, &self.registry) {
            Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], told).into_response(),
            Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The route that a request takes, as it is declared: what stands in its place holders is nobody's to know.
pub fn route_of<B>(request: &Request<B>) -> String {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or("other", MatchedPath::as_str).to_owned()
}

/// What is looked at when it is asked for.
struct ServerStateCollector {
    store: Store,
    bi_cache: BiCache,
    admission: AdmissionQueues,
}

impl fmt::Debug for ServerStateCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerStateCollector")
    }
}

impl Collector for ServerStateCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let weight = self.bi_cache.memory_usage();
        let statements = ConstCounter::new(self.store.statement_count());
        let metric = encoder.encode_descriptor(
            "database_statements",
            "Statements that were sent to the database",
            None,
            statements.metric_type(),
        )?;
        statements.encode(metric)?;
        for (name, help, unit, value) in [
            (
                "cube_memory",
                "What measured values that are kept in memory take",
                Some(&Unit::Bytes),
                weight.bytes,
            ),
            (
                "cube_memory_bound",
                "What they may take at the most",
                Some(&Unit::Bytes),
                weight.bound,
            ),
            ("cube_values", "How many are kept", None, weight.values),
            (
                "figure_memory",
                "What the sums that current figures follow from, kept in memory, take: at most 32 MiB",
                Some(&Unit::Bytes),
                self.store.kept::<KeptSums>().bytes(),
            ),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, unit, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        self.encode_queues(encoder)
    }
}

impl ServerStateCollector {
    fn encode_queues(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, count) in QUEUE_GAUGES {
            let kind = MetricType::Gauge;
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (queue, waited) in self.admission.named_queues() {
                let gauge = ConstGauge::new(i64::try_from(count(waited)).unwrap_or(i64::MAX));
                gauge.encode(family.encode_family(&[("queue", queue)])?)?;
            }
        }
        let (help, kind) = ("Requests that were told to come again", MetricType::Counter);
        let mut family = encoder.encode_descriptor("queue_refusals", help, None, kind)?;
        for (queue, waited) in self.admission.named_queues() {
            let counter = ConstCounter::new(waited.refusal_count());
            counter.encode(family.encode_family(&[("queue", queue)])?)?;
        }
        Ok(())
    }
}

/// What is seen of each queue, by name, with its explanation.
type QueueGaugeDefinition = (&'static str, &'static str, fn(&AdmissionQueue) -> usize);

const QUEUE_GAUGES: [QueueGaugeDefinition; 2] = [
    (
        "queue_taken",
        "Requests that are worked on, by queue",
        AdmissionQueue::taken_slot_count,
    ),
    (
        "queue_waiting",
        "Requests that wait for their turn, by queue",
        AdmissionQueue::waiting_count,
    ),
];
