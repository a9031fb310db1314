//! Templates in the API: what they show of themselves, and what people do to them and begin with them.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    json::StoredTemplatePhase,
    template,
    words::{InsightKind, Stage, Subject},
};
use sea_orm::QueryFilter;

use super::{
    TemplateCreateInput, TemplateUpdateInput,
    begin::{BlueprintFromTemplateInput, create_from_template},
    for_subject_condition,
};
use crate::{
    account::authorship::Authorship,
    blueprint::graphql::BlueprintPayload,
    error::Result,
    input::{AtVersionInput, By},
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, into_node, mutation_caller},
};

/// What beginning with a template costs in the complexity of a document: as much as an import, whose rows it makes.
const FROM_TEMPLATE: usize = 2_000;

/// A template from which blueprints are created.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Template {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the organisation.
    pub key: String,
    /// The name.
    pub name: String,
    /// Description of its purpose.
    pub description: Option<String>,
    /// The subjects of the journeys that it is for.
    pub subjects: Vec<Subject>,
    /// The kinds of insight to look at, in order: the rows of `Blueprint.lens` to draw.
    pub lenses: Vec<InsightKind>,
    /// The phases of a new blueprint, in order.
    pub phases: Vec<TemplatePhase>,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
}

impl From<template::Model> for Template {
    fn from(row: template::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key,
            name: row.name,
            description: row.description,
            subjects: row.subjects.0,
            lenses: row.lenses.0,
            phases: row.phases.0.into_iter().map(TemplatePhase::from).collect(),
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
        }
    }
}

/// A phase of a template.
#[derive(Clone, SimpleObject)]
pub struct TemplatePhase {
    /// Its name.
    pub name: String,
    /// Its stage relative to what the customer came for.
    pub stage: Stage,
    /// The question to ask there.
    pub prompt: String,
    /// The customer's goal in it.
    pub customer_goal: Option<String>,
}

impl From<StoredTemplatePhase> for TemplatePhase {
    fn from(phase: StoredTemplatePhase) -> Self {
        Self {
            name: phase.name,
            stage: phase.stage,
            prompt: phase.prompt,
            customer_goal: phase.customer_goal,
        }
    }
}

/// Conditions on the templates to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct TemplateFilter {
    /// Only for journeys of this subject.
    pub subject: Option<Subject>,
}

/// Reading templates.
#[derive(Default)]
pub struct TemplateQuery;

#[Object]
impl TemplateQuery {
    /// A template by id or key.
    async fn template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id or its key.")] by: By,
    ) -> Option<Result<Template>> {
        into_node(async { caller(ctx)?.get_by_id_or_key::<template::Entity>(&by).await }).await
    }

    /// Templates, in the order of creation. `six-phases`, the experience journey of customers and employees, is built
    /// in.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn templates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<TemplateFilter>,
    ) -> Result<ObjectPage<Template>> {
        let caller = caller(ctx)?;
        let mut select = caller.select::<template::Entity>();
        if let Some(subject) = filter.and_then(|filter| filter.subject) {
            select = select.filter(for_subject_condition(subject));
        }
        page::page_oldest_first(ctx, select, PageArguments { first, after }, Template::from).await
    }
}

payload! {
    /// Result of a mutation on a template.
    TemplatePayload {
        /// The template as it is now; as it was, where it was deleted.
        template: Template of template::Entity
    }
}

/// Changing templates, and beginning with them.
#[derive(Default)]
pub struct TemplateMutation;

#[Object]
impl TemplateMutation {
    /// Creates a template. Requires: KEEP_CATALOGUE.
    async fn template_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: TemplateCreateInput,
    ) -> Result<TemplatePayload> {
        let caller = mutation_caller(ctx)?;
        TemplatePayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes name, description, subjects, lenses or phases of a template; blueprints that began with it keep their
    /// phases. Requires: KEEP_CATALOGUE.
    async fn template_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: TemplateUpdateInput,
    ) -> Result<TemplatePayload> {
        let caller = mutation_caller(ctx)?;
        TemplatePayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Deletes a template that no blueprint began with. Requires: KEEP_CATALOGUE.
    async fn template_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<TemplatePayload> {
        let caller = mutation_caller(ctx)?;
        TemplatePayload::from_result(&caller, super::delete(&caller, &input).await).await
    }

    /// Creates a draft with the phases of a template and their questions to ask. Requires: CREATE_BLUEPRINT.
    #[graphql(complexity = "FROM_TEMPLATE + child_complexity")]
    async fn blueprint_from_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The template, and the blueprint to create from it.")]
        input: BlueprintFromTemplateInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(&caller, create_from_template(&caller, input).await).await
    }
}
