//! What every handler can reach: the parts that the program puts together, and what the server makes of them.

use std::sync::Arc;

use axum::http::HeaderValue;

use super::{
    admission::AdmissionQueues, graphql::GraphqlSettings, host::ServedHosts, metrics::Metrics,
};
use crate::{
    bi::cache::BiCache, clock::Clock, database::Store, finding::rules::Thresholds, graph::Api,
    task_runtime::TaskRuntime, token::SigningKey,
};

/// What the handlers need.
#[derive(Clone)]
pub struct App {
    parts: Arc<AppParts>,
    /// What it is doing.
    pub metrics: Metrics,
    /// Who is worked for next.
    pub admission: AdmissionQueues,
    /// Where it is worked on.
    pub task_runtime: TaskRuntime,
}

/// The parts of the application.
pub struct AppParts {
    pub store: Store,
    pub clock: Clock,
    pub key: SigningKey,
    pub api: Api,
    pub settings: GraphqlSettings,
    /// From what on something is a finding.
    pub thresholds: Thresholds,
    /// How many proxies in front add to X-Forwarded-For.
    pub forwarded_hops: usize,
    /// The hosts that requests may name.
    pub hosts: ServedHosts,
    /// Origins whose pages may call the API.
    pub cors_origins: Vec<HeaderValue>,
    /// How many queries are worked on at the same time.
    pub concurrent_requests: usize,
    /// How many requests of one client may be under way.
    pub requests_of_one_client: usize,
    /// Measured values that are kept in memory.
    pub bi_cache: BiCache,
    /// Bytes of the longest sheet that is taken in.
    pub longest_sheet: u64,
}

impl std::ops::Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.parts
    }
}

impl App {
    /// The application of these parts, which works in the runtime in which it is made.
    #[must_use]
    pub fn new(parts: AppParts) -> Self {
        let admission = AdmissionQueues::new(parts.concurrent_requests, parts.settings.deadline);
        let (store, bi_cache) = (parts.store.clone(), parts.bi_cache.clone());
        Self {
            metrics: Metrics::new(store, bi_cache, admission.clone()),
            admission,
            task_runtime: TaskRuntime::current(),
            parts: Arc::new(parts),
        }
    }
}
