//! Blueprints and phases in the API: what they show of themselves, and what people do to them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    blueprint, phase,
    words::{BlueprintState, BlueprintStatus, Stage, Subject, Visibility},
};
use sea_orm::{ColumnTrait, Condition, QueryFilter};
use tokio::sync::OnceCell;

use super::{
    BlueprintOwnerChangeInput, BlueprintUpdateInput,
    draft::BlueprintCreateInput,
    life::{BlueprintSendBackInput, BlueprintStep, change_status, send_back},
    phase::{PhaseCreateInput, PhaseMoveInput, PhaseUpdateInput},
};
use crate::{
    account::authorship::Authorship,
    canvas::{Canvas, shared},
    error::{Error, Result},
    input::{self, AtVersionInput, By, ByInside},
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, into_node, mutation_caller},
    scalar::Date,
};

/// A service blueprint: one journey of one main persona.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Blueprint {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the organisation.
    pub key: String,
    /// The title, as the persona would say it.
    pub title: String,
    /// Whether it is the journey of a customer or an employee.
    pub subject: Subject,
    /// Whether it shows the journey as it is or as it should become.
    pub state: BlueprintState,
    /// Its place in the life cycle.
    pub status: BlueprintStatus,
    /// The people who may read it once it is published.
    pub visibility: Visibility,
    /// The day on which it is due for review.
    pub next_review_on: Option<Date>,
    /// The reason why it was last sent back from review; null once it is submitted or published again.
    pub sent_back_reason: Option<String>,
    /// Counts changes of the blueprint's own fields; send it as `expectedVersion`.
    pub version: i32,
    /// Revision number: rises with every change of anything inside the blueprint. Values of KPIs and what blueprints
    /// share, such as names of departments, are not inside: see `canvasDigest`.
    pub revision: i32,
    /// The number of its latest publication; null before the first.
    pub published_number: Option<i32>,
    /// Whether anything inside it has changed since its latest publication.
    pub changed_since_published: bool,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    /// Time of archiving; null while it is not archived.
    pub archived_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub row: Arc<blueprint::Model>,
    /// The whole blueprint, loaded at most once for all that is asked of it.
    #[graphql(skip)]
    pub canvas: Arc<OnceCell<Arc<Canvas>>>,
}

impl From<blueprint::Model> for Blueprint {
    fn from(row: blueprint::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key.clone(),
            title: row.title.clone(),
            subject: row.subject,
            state: row.state,
            status: row.status,
            visibility: row.visibility,
            next_review_on: row.next_review_on.map(Date),
            sent_back_reason: row.sent_back_reason.clone(),
            version: row.version,
            revision: row.revision,
            published_number: row.published_number,
            changed_since_published: row.has_changed_since_published(),
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            archived_at: row.archived_at,
            row: Arc::new(row),
            canvas: Arc::default(),
        }
    }
}

impl Blueprint {
    /// The whole blueprint, loaded at most once.
    pub async fn load_canvas(&self, ctx: &Context<'_>) -> Result<&Arc<Canvas>> {
        self.canvas
            .get_or_try_init(|| async {
                let caller = caller(ctx)?;
                let canvas = shared::find_canvas_of_row(ctx, caller, &self.row).await?;
                canvas.ok_or_else(|| Error::not_found("", "blueprint"))
            })
            .await
    }
}

impl From<Arc<Canvas>> for Blueprint {
    fn from(canvas: Arc<Canvas>) -> Self {
        Self {
            canvas: Arc::new(OnceCell::new_with(Some(Arc::clone(&canvas)))),
            ..canvas.blueprint.clone().into()
        }
    }
}

/// A phase: a group of columns of a blueprint. Phases order the display, not the flow.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Phase {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the blueprint.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its position among the phases, from 1.
    pub position: i32,
    /// Its stage relative to what the customer came for.
    pub stage: Stage,
    /// The customer's goal in it.
    pub customer_goal: Option<String>,
    /// When it is and how long it lasts, in words.
    pub timing: Option<String>,
    /// The question to ask there, from its template.
    pub prompt: Option<String>,
    /// Counts changes of the phase's own fields; send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    /// Time of archiving; null while it is not archived.
    pub archived_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub row: Arc<phase::Model>,
    /// The blueprint that it was read as a part of.
    #[graphql(skip)]
    pub canvas: Option<Arc<Canvas>>,
}

impl From<phase::Model> for Phase {
    fn from(row: phase::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key.clone(),
            name: row.name.clone(),
            position: row.position,
            stage: row.stage,
            customer_goal: row.customer_goal.clone(),
            timing: row.timing.clone(),
            prompt: row.prompt.clone(),
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            archived_at: row.archived_at,
            row: Arc::new(row),
            canvas: None,
        }
    }
}

impl Phase {
    /// A phase as a part of its blueprint.
    #[must_use]
    pub fn from_canvas(row: &phase::Model, canvas: &Arc<Canvas>) -> Self {
        Self {
            canvas: Some(Arc::clone(canvas)),
            ..row.clone().into()
        }
    }
}

/// Conditions on the blueprints to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct BlueprintFilter {
    /// Only of this subject.
    pub subject: Option<Subject>,
    /// Only in this state.
    pub state: Option<BlueprintState>,
    /// Only with one of these statuses.
    pub statuses: Option<Vec<BlueprintStatus>>,
    /// Only those owned by this department.
    pub owner_department_id: Option<ID>,
    /// Only journeys of this main persona.
    pub persona_id: Option<ID>,
    /// Also archived ones.
    #[graphql(default)]
    pub include_archived: bool,
}

/// Reading blueprints and phases.
#[derive(Default)]
pub struct BlueprintQuery;

#[Object]
impl BlueprintQuery {
    /// A blueprint by id or key; null if there is none that you may see. With `phases` or `transitions` it is read as a
    /// whole, as of one moment.
    async fn blueprint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id or its key.")] by: By,
    ) -> Option<Result<Blueprint>> {
        find_blueprint(ctx, by).await.transpose()
    }

    /// Blueprints, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn blueprints(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<BlueprintFilter>,
    ) -> Result<ObjectPage<Blueprint>> {
        let caller = caller(ctx)?;
        let filter = filter.unwrap_or_default();
        let mut select = caller.select::<blueprint::Entity>();
        if let Some(subject) = filter.subject {
            select = select.filter(blueprint::Column::Subject.eq(subject));
        }
        if let Some(state) = filter.state {
            select = select.filter(blueprint::Column::State.eq(state));
        }
        if let Some(owner) = &filter.owner_department_id {
            let owner: entity::id::DepartmentId =
                input::parse_id("filter.ownerDepartmentId", owner)?;
            select = select.filter(blueprint::Column::OwnerDepartmentId.eq(owner));
        }
        if let Some(persona) = &filter.persona_id {
            let persona: entity::id::PersonaId = input::parse_id("filter.personaId", persona)?;
            select = select.filter(blueprint::Column::PersonaId.eq(persona));
        }
        select = match filter.statuses {
            Some(statuses) => select.filter(blueprint::Column::Status.is_in(statuses)),
            None if filter.include_archived => select,
            None => select.filter(blueprint::Column::ArchivedAt.is_null()),
        };
        page::page_oldest_first(ctx, select, PageArguments { first, after }, Blueprint::from).await
    }

    /// A phase by id, or by its blueprint's key and its own.
    async fn phase(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id, or its blueprint's key and its own.")] by: ByInside,
    ) -> Option<Result<Phase>> {
        into_node(async {
            caller(ctx)?
                .get_inside_blueprint::<phase::Entity>(&by)
                .await
        })
        .await
    }
}

async fn find_blueprint(ctx: &Context<'_>, by: By) -> Result<Option<Blueprint>> {
    let caller = caller(ctx)?;
    let whole = [
        "phases",
        "transitions",
        "kpis",
        "lens",
        "flow",
        "view",
        "customerView",
        "attention",
        "assumptions",
    ]
    .iter()
    .any(|part| ctx.look_ahead().field(part).exists());
    if !whole {
        return Ok(caller
            .get_by_id_or_key::<blueprint::Entity>(&by)
            .await?
            .map(Blueprint::from));
    }
    let which = Condition::all().add(caller.id_or_key_condition::<blueprint::Entity>(&by)?);
    let asked = format!("{by:?}").to_lowercase();
    let canvas = shared::find_canvas(ctx, caller, asked, which).await?;
    Ok(canvas.map(Blueprint::from))
}

payload! {
    /// Result of a mutation on a blueprint.
    BlueprintPayload {
        /// The blueprint as it is now; as it was, where it was deleted.
        blueprint: Blueprint of blueprint::Entity
    }
}

payload! {
    /// Result of a mutation on a phase.
    PhasePayload {
        /// The phase as it is now.
        phase: Phase of phase::Entity
    }
}

/// Changing blueprints and phases.
#[derive(Default)]
pub struct BlueprintMutation;

#[Object]
impl BlueprintMutation {
    /// Creates a blueprint as a draft. Requires: CREATE_BLUEPRINT.
    async fn blueprint_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: BlueprintCreateInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes title, personas, visibility or review day of a blueprint. Requires: SHAPE_BLUEPRINT.
    async fn blueprint_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: BlueprintUpdateInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Transfers a blueprint to another department. Requires: GOVERN_BLUEPRINT.
    async fn blueprint_owner_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The blueprint, the version that you read, and its new owner.")]
        input: BlueprintOwnerChangeInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(&caller, super::change_owner(&caller, input).await).await
    }

    /// Submits a draft for review by a CX manager: DRAFT → IN_REVIEW. Requires: SHAPE_BLUEPRINT.
    async fn blueprint_submit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(
            &caller,
            change_status(&caller, BlueprintStep::Submit, &input).await,
        )
        .await
    }

    /// Sends a blueprint in review back to its authors, with the reason: IN_REVIEW → DRAFT. Requires: GOVERN_BLUEPRINT.
    async fn blueprint_send_back(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and the reason.")]
        input: BlueprintSendBackInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(&caller, send_back(&caller, &input).await).await
    }

    /// Archives a blueprint; it stays in KPI facts and can be unarchived. Requires: GOVERN_BLUEPRINT.
    async fn blueprint_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(
            &caller,
            change_status(&caller, BlueprintStep::Archive, &input).await,
        )
        .await
    }

    /// Unarchives a blueprint, with the status that it had. Requires: GOVERN_BLUEPRINT.
    async fn blueprint_unarchive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(
            &caller,
            change_status(&caller, BlueprintStep::Unarchive, &input).await,
        )
        .await
    }

    /// Deletes a draft that was never published, with everything in it. Requires: SHAPE_BLUEPRINT.
    async fn blueprint_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(&caller, super::delete(&caller, &input).await).await
    }

    /// Creates a phase. Requires: SHAPE_BLUEPRINT.
    async fn phase_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: PhaseCreateInput,
    ) -> Result<PhasePayload> {
        let caller = mutation_caller(ctx)?;
        PhasePayload::from_result(&caller, super::phase::create(&caller, input).await).await
    }

    /// Changes name, stage, goal or prompt of a phase. Requires: SHAPE_BLUEPRINT.
    async fn phase_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: PhaseUpdateInput,
    ) -> Result<PhasePayload> {
        let caller = mutation_caller(ctx)?;
        PhasePayload::from_result(&caller, super::phase::update(&caller, input).await).await
    }

    /// Moves a phase among the others, whose versions stay. Requires: SHAPE_BLUEPRINT.
    async fn phase_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The phase, the version that you read, and its new position.")]
        input: PhaseMoveInput,
    ) -> Result<PhasePayload> {
        let caller = mutation_caller(ctx)?;
        PhasePayload::from_result(&caller, super::phase::relocate(&caller, input).await).await
    }

    /// Archives a phase without touchpoints. Requires: SHAPE_BLUEPRINT.
    async fn phase_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<PhasePayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::phase::set_archived(&caller, &input, true).await;
        PhasePayload::from_result(&caller, result).await
    }

    /// Unarchives a phase, as the last one. Requires: SHAPE_BLUEPRINT.
    async fn phase_unarchive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<PhasePayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::phase::set_archived(&caller, &input, false).await;
        PhasePayload::from_result(&caller, result).await
    }
}
