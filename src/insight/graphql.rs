//! Insights and sources in the API: what they show of themselves, and what people do to them.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    id::{BlueprintId, PersonaId, PhaseId, TouchpointId},
    insight, phase, source, touchpoint,
    words::{Basis, InsightKind, SourceKind},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select};

use super::{
    InsightCreateInput, InsightUpdateInput,
    source::{SourceCreateInput, SourceUpdateInput},
};
use crate::{
    access::Caller,
    account::authorship::Authorship,
    error::Result,
    input::{self, AtVersionInput, ByInside},
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, into_node, mutation_caller},
    scalar::Date,
};

/// A piece of knowledge about a touchpoint, a phase or a whole blueprint.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Insight {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the blueprint.
    pub key: String,
    /// The kind of knowledge.
    pub kind: InsightKind,
    /// The insight, as a text.
    pub text: String,
    /// Whether the text is a verbatim quotation.
    pub quote: bool,
    /// Whether it was observed or is assumed.
    pub basis: Basis,
    /// Of a QUESTION: the reasons, each the reason for the one before.
    pub whys: Vec<String>,
    /// Of an INFORMATION_NEED: the answer to it.
    pub answer: Option<String>,
    /// Counts its changes, those of its sources included; send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: insight::Model,
}

impl From<insight::Model> for Insight {
    fn from(row: insight::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key.clone(),
            kind: row.kind,
            text: row.text.clone(),
            quote: row.quote,
            basis: row.basis,
            whys: row.whys.0.clone(),
            answer: row.answer.clone(),
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
        }
    }
}

/// A source of insights.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Source {
    /// The object's id.
    pub id: ID,
    /// Its title, unique in the blueprint.
    pub title: String,
    /// The kind of source.
    pub kind: SourceKind,
    /// The day of the observation; one to come only where it is planned.
    pub held_on: Option<Date>,
    /// Whether it is still to be asked: nothing OBSERVED rests on it alone.
    pub planned: bool,
    /// Sample size: number of participants.
    pub sample_size: Option<i32>,
    /// An http or https address.
    pub link: Option<String>,
    /// A note.
    pub note: Option<String>,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: source::Model,
}

impl From<source::Model> for Source {
    fn from(row: source::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            title: row.title.clone(),
            kind: row.kind,
            held_on: row.held_on.map(Date),
            planned: row.planned,
            sample_size: row.sample_size,
            link: row.link.clone(),
            note: row.note.clone(),
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
        }
    }
}

/// Conditions on the insights to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct InsightFilter {
    /// Only in this blueprint.
    pub blueprint_id: Option<ID>,
    /// Only about this phase as a whole.
    pub phase_id: Option<ID>,
    /// Only at this touchpoint.
    pub touchpoint_id: Option<ID>,
    /// Only about this persona; insights about all personas are left out.
    pub persona_id: Option<ID>,
    /// Only of one of these kinds.
    pub kinds: Option<Vec<InsightKind>>,
    /// Only on this basis.
    pub basis: Option<Basis>,
    /// True: only QUESTIONs and INFORMATION_NEEDs without an answer.
    #[graphql(default)]
    pub unanswered: bool,
}

/// Reading insights and sources.
#[derive(Default)]
pub struct InsightQuery;

#[Object]
impl InsightQuery {
    /// An insight by id, or by its blueprint's key and its own.
    async fn insight(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id, or its blueprint's key and its own.")] by: ByInside,
    ) -> Option<Result<Insight>> {
        into_node(async {
            caller(ctx)?
                .get_inside_blueprint::<insight::Entity>(&by)
                .await
        })
        .await
    }

    /// Insights, in the order of creation; those at archived touchpoints and phases are left out.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn insights(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<InsightFilter>,
    ) -> Result<ObjectPage<Insight>> {
        let caller = caller(ctx)?;
        let select = select_insights(caller, &filter.unwrap_or_default())?;
        page::page_oldest_first(ctx, select, PageArguments { first, after }, Insight::from).await
    }

    /// A source by id.
    async fn source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<Source>> {
        into_node(async {
            caller(ctx)?
                .get::<source::Entity>(input::parse_id("id", &id)?)
                .await
        })
        .await
    }
}

fn select_insights(caller: &Caller, filter: &InsightFilter) -> Result<Select<insight::Entity>> {
    use insight::Column;
    let blueprint: Option<BlueprintId> =
        input::parse_optional_id("filter.blueprintId", filter.blueprint_id.as_ref())?;
    let phase: Option<PhaseId> =
        input::parse_optional_id("filter.phaseId", filter.phase_id.as_ref())?;
    let touchpoint: Option<TouchpointId> =
        input::parse_optional_id("filter.touchpointId", filter.touchpoint_id.as_ref())?;
    let persona: Option<PersonaId> =
        input::parse_optional_id("filter.personaId", filter.persona_id.as_ref())?;
    let open_question = Condition::all()
        .add(Column::Kind.eq(InsightKind::Question))
        .add(Column::AnsweredById.is_null());
    let open_need = Condition::all()
        .add(Column::Kind.eq(InsightKind::InformationNeed))
        .add(Column::Answer.is_null());
    let open = Condition::any().add(open_question).add(open_need);
    Ok(
        without_archived_locations(caller.select::<insight::Entity>()).filter(
            Condition::all()
                .add_option(blueprint.map(|id| Column::BlueprintId.eq(id)))
                .add_option(phase.map(|id| Column::PhaseId.eq(id)))
                .add_option(touchpoint.map(|id| Column::TouchpointId.eq(id)))
                .add_option(persona.map(|id| Column::PersonaId.eq(id)))
                .add_option(
                    filter
                        .kinds
                        .as_ref()
                        .map(|kinds| Column::Kind.is_in(kinds.iter().copied())),
                )
                .add_option(filter.basis.map(|basis| Column::Basis.eq(basis)))
                .add_option(filter.unanswered.then_some(open)),
        ),
    )
}

/// Without those whose touchpoint or phase is archived.
#[must_use]
pub fn without_archived_locations(select: Select<insight::Entity>) -> Select<insight::Entity> {
    let phases = phase::Entity::find()
        .select_only()
        .column(phase::Column::Id)
        .filter(phase::Column::ArchivedAt.is_not_null())
        .into_query();
    let touchpoints = touchpoint::Entity::find()
        .select_only()
        .column(touchpoint::Column::Id)
        .filter(touchpoint::Column::ArchivedAt.is_not_null())
        .into_query();
    let in_archived_phase = insight::Column::PhaseId.in_subquery(phases);
    let at_archived_touchpoint = insight::Column::TouchpointId.in_subquery(touchpoints);
    // `NOT (NULL IN …)` is not true: a place that is empty is asked for by name.
    select
        .filter(
            Condition::any()
                .add(insight::Column::PhaseId.is_null())
                .add(Condition::all().add(in_archived_phase).not()),
        )
        .filter(
            Condition::any()
                .add(insight::Column::TouchpointId.is_null())
                .add(Condition::all().add(at_archived_touchpoint).not()),
        )
}

payload! {
    /// Result of a mutation on an insight.
    InsightPayload {
        /// The insight as it is now; as it was, where it was deleted.
        insight: Insight of insight::Entity
    }
}

payload! {
    /// Result of a mutation on a source.
    SourcePayload {
        /// The source as it is now; as it was, where it was deleted.
        source: Source of source::Entity
    }
}

/// Changing insights and sources.
#[derive(Default)]
pub struct InsightMutation;

#[Object]
impl InsightMutation {
    /// Creates an insight about a touchpoint, a phase or the whole blueprint. Requires: DESCRIBE_TOUCHPOINT; of the
    /// whole DESCRIBE_BLUEPRINT.
    async fn insight_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: InsightCreateInput,
    ) -> Result<InsightPayload> {
        let caller = mutation_caller(ctx)?;
        InsightPayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes an insight's text, basis, sources or answer. Requires: DESCRIBE_TOUCHPOINT; of the whole blueprint
    /// DESCRIBE_BLUEPRINT.
    async fn insight_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: InsightUpdateInput,
    ) -> Result<InsightPayload> {
        let caller = mutation_caller(ctx)?;
        InsightPayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Deletes an insight; a question that it answered is open again, also one at an archived touchpoint. Requires:
    /// DESCRIBE_TOUCHPOINT; of the whole blueprint DESCRIBE_BLUEPRINT.
    async fn insight_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<InsightPayload> {
        let caller = mutation_caller(ctx)?;
        InsightPayload::from_result(&caller, super::delete(&caller, &input).await).await
    }

    /// Creates a source. Requires: DESCRIBE_TOUCHPOINT.
    async fn source_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: SourceCreateInput,
    ) -> Result<SourcePayload> {
        let caller = mutation_caller(ctx)?;
        SourcePayload::from_result(&caller, super::source::create(&caller, input).await).await
    }

    /// Changes a source. Requires: DESCRIBE_TOUCHPOINT where insights of your own alone rest on it, or where you made
    /// it and none does; else DESCRIBE_BLUEPRINT.
    async fn source_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: SourceUpdateInput,
    ) -> Result<SourcePayload> {
        let caller = mutation_caller(ctx)?;
        SourcePayload::from_result(&caller, super::source::update(&caller, input).await).await
    }

    /// Deletes a source that no insight rests on. Requires: DESCRIBE_TOUCHPOINT where you made it, else
    /// DESCRIBE_BLUEPRINT.
    async fn source_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<SourcePayload> {
        let caller = mutation_caller(ctx)?;
        SourcePayload::from_result(&caller, super::source::delete(&caller, &input).await).await
    }
}
