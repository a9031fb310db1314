//! The roof: the roots of the graph and its limits, and the edges that join two slices.

mod audit;
pub mod direct_json;
mod edges;
mod flow;
mod lens;
mod loaders;
mod node;
mod permissions;
mod picture;
pub mod price;
mod root;
pub mod types;
mod view;

use async_graphql::{
    EmptySubscription, MergedObject, SDLExportOptions, Schema, SchemaBuilder, ValidationMode,
};

pub use self::node::MOST as MOST_NODES;

use self::{audit::AuditQuery, node::NodeQuery, root::NullableFields};
use crate::{
    account::{
        graphql::{AccountMutation, AccountQuery},
        service_token::graphql::{ServiceTokenMutation, ServiceTokenQuery},
    },
    bi::{graphql::BiQuery, series::graphql::SeriesQuery},
    blueprint::graphql::{BlueprintMutation, BlueprintQuery},
    department::graphql::{DepartmentMutation, DepartmentQuery},
    document::graphql::DocumentMutation,
    evaluation::graphql::{EvaluationMutation, EvaluationQuery},
    feedback::graphql::{FeedbackMutation, FeedbackQuery},
    finding::graphql::{FindingMutation, FindingQuery},
    finding::rules::Thresholds,
    improvement::graphql::{ImprovementMutation, ImprovementQuery},
    insight::graphql::{InsightMutation, InsightQuery},
    kpi::graphql::{KpiMutation, KpiQuery},
    persona::graphql::{PersonaMutation, PersonaQuery},
    promise::graphql::{PromiseMutation, PromiseQuery},
    publication::graphql::{PublicationMutation, PublicationQuery},
    reorganise::graphql::{ReorganiseMutation, ReorganiseQuery},
    responsibility::graphql::{ResponsibilityMutation, ResponsibilityQuery},
    scenario::graphql::{ScenarioMutation, ScenarioQuery},
    search::graphql::SearchQuery,
    template::graphql::{TemplateMutation, TemplateQuery},
    touchpoint::graphql::{TouchpointMutation, TouchpointQuery},
};

/// The queries. One that fails is null beside its error in `errors`, and the others are answered.
#[derive(Default, MergedObject)]
pub struct Query(
    NodeQuery,
    AccountQuery,
    ServiceTokenQuery,
    DepartmentQuery,
    PersonaQuery,
    AuditQuery,
    BlueprintQuery,
    TemplateQuery,
    TouchpointQuery,
    ScenarioQuery,
    ResponsibilityQuery,
    KpiQuery,
    InsightQuery,
    PromiseQuery,
    EvaluationQuery,
    ImprovementQuery,
    FeedbackQuery,
    FindingQuery,
    PublicationQuery,
    ReorganiseQuery,
    SearchQuery,
    BiQuery,
    SeriesQuery,
);

/// The mutations. Several in one document are done one after another, and each is kept or refused by itself: what one
/// refuses in its `userErrors` undoes nothing of the others. What was carried out stands even where a field of its payload
/// fails and is null, beside an error in `errors` with its path.
#[derive(Default, MergedObject)]
pub struct Mutation(
    AccountMutation,
    ServiceTokenMutation,
    DepartmentMutation,
    PersonaMutation,
    ReorganiseMutation,
    BlueprintMutation,
    TemplateMutation,
    TouchpointMutation,
    ScenarioMutation,
    ResponsibilityMutation,
    KpiMutation,
    InsightMutation,
    PromiseMutation,
    EvaluationMutation,
    ImprovementMutation,
    FeedbackMutation,
    FindingMutation,
    DocumentMutation,
    PublicationMutation,
);

/// The schema.
pub type Api = Schema<NullableFields<Query>, NullableFields<Mutation>, EmptySubscription>;

/// Most complexity of a document, an upper bound computed before it runs: a field costs 1, a list its objects times
/// their number at most, a whole blueprint the cost of loading it. What it costs in fact, the request's budget counts.
pub const COMPLEXITY: usize = 25_000;

fn builder() -> SchemaBuilder<NullableFields<Query>, NullableFields<Mutation>, EmptySubscription> {
    let (query, mutation) = (NullableFields::default(), NullableFields::default());
    // The guard has validated what comes here.
    Schema::build(query, mutation, EmptySubscription).validation_mode(ValidationMode::Fast)
}

/// Builds the schema with its limits; findings are judged by these thresholds. Expensive: once for a process.
#[must_use]
pub fn build_schema(thresholds: Thresholds) -> Api {
    builder()
        .limit_complexity(COMPLEXITY)
        .data(thresholds)
        .finish()
}

/// The schema as SDL text.
#[must_use]
pub fn schema_sdl() -> String {
    build_schema(Thresholds::default()).sdl_with_options(
        SDLExportOptions::new()
            .sorted_fields()
            .sorted_enum_items()
            .include_specified_by(),
    )
}
