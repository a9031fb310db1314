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
    life::{Step, step},
    phase::{PhaseCreateInput, PhaseMoveInput, PhaseUpdateInput},
};
use crate::{
    canvas::{Canvas, shared},
    error::{Error, Result},
    input::{self, AtVersionInput, By, ByInside},
    page::{self, Page, Pages},
    payload,
    payload::{acting, caller, found},
    scalar::Date,
};

/// One journey of one main persona.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Blueprint {
    /// Its id.
    pub id: ID,
    /// Its key, unique in the organisation.
    pub key: String,
    /// The title, as the persona would say it.
    pub title: String,
    /// Whose journey it is.
    pub subject: Subject,
    /// As it is, or as it should become.
    pub state: BlueprintState,
    /// Where it stands in its life.
    pub status: BlueprintStatus,
    /// Who may read it once it is published.
    pub visibility: Visibility,
    /// When it should be looked at again.
    pub next_review_on: Option<Date>,
    /// Counts changes of the blueprint's own fields; send it as `expectedVersion`.
    pub version: i32,
    /// Rises with every change of anything inside the blueprint: poll it to know whether to read again.
    pub revision: i32,
    /// The number of its latest publication; null before the first.
    pub published_number: Option<i32>,
    /// Whether anything inside has changed since it was published last.
    pub changed_since_published: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it is archived.
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
            version: row.version,
            revision: row.revision,
            published_number: row.published_number,
            changed_since_published: row
                .published_revision
                .is_some_and(|published| row.revision > published),
            created_at: row.created_at,
            archived_at: row.archived_at,
            row: Arc::new(row),
            canvas: Arc::default(),
        }
    }
}

impl Blueprint {
    /// The whole blueprint, loaded at most once.
    pub async fn whole(&self, ctx: &Context<'_>) -> Result<&Arc<Canvas>> {
        self.canvas
            .get_or_try_init(|| async {
                let caller = caller(ctx)?;
                let canvas = shared::find_by_row(ctx, caller, &self.row).await?;
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

/// A column group of a blueprint: an order of display, not of the flow.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Phase {
    /// Its id.
    pub id: ID,
    /// Its key, unique in the blueprint.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its place, from 1.
    pub position: i32,
    /// Where it stands relative to what the customer came for.
    pub stage: Stage,
    /// What the customer wants to reach in it.
    pub customer_goal: Option<String>,
    /// What to ask there, as its template says.
    pub prompt: Option<String>,
    /// Counts changes of the phase's own fields; send it as `expectedVersion`.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it is archived.
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
            prompt: row.prompt.clone(),
            version: row.version,
            created_at: row.created_at,
            archived_at: row.archived_at,
            row: Arc::new(row),
            canvas: None,
        }
    }
}

impl Phase {
    /// A phase as a part of its blueprint.
    #[must_use]
    pub fn within(row: &phase::Model, canvas: &Arc<Canvas>) -> Self {
        Self {
            canvas: Some(Arc::clone(canvas)),
            ..row.clone().into()
        }
    }
}

/// Which blueprints to list.
#[derive(Default, InputObject)]
pub struct BlueprintFilter {
    /// Of this subject.
    pub subject: Option<Subject>,
    /// In this state.
    pub state: Option<BlueprintState>,
    /// With one of these statuses.
    pub statuses: Option<Vec<BlueprintStatus>>,
    /// Owned by this department.
    pub owner_department_id: Option<ID>,
    /// Of this main persona.
    pub persona_id: Option<ID>,
    /// Archived ones too.
    #[graphql(default)]
    pub include_archived: bool,
}

/// Reading blueprints and phases.
#[derive(Default)]
pub struct BlueprintQuery;

#[Object]
impl BlueprintQuery {
    /// A blueprint by id or key; null where there is none, or none that you may see. With `phases` or
    /// `transitions` it is read whole, as of one moment.
    async fn blueprint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id or its key.")] by: By,
    ) -> Option<Result<Blueprint>> {
        find(ctx, by).await.transpose()
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
    ) -> Result<Pages<Blueprint>> {
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
            let owner: entity::id::DepartmentId = input::id("filter.ownerDepartmentId", owner)?;
            select = select.filter(blueprint::Column::OwnerDepartmentId.eq(owner));
        }
        if let Some(persona) = &filter.persona_id {
            let persona: entity::id::PersonaId = input::id("filter.personaId", persona)?;
            select = select.filter(blueprint::Column::PersonaId.eq(persona));
        }
        select = match filter.statuses {
            Some(statuses) => select.filter(blueprint::Column::Status.is_in(statuses)),
            None if filter.include_archived => select,
            None => select.filter(blueprint::Column::ArchivedAt.is_null()),
        };
        page::by_creation(ctx, select, Page { first, after }, Blueprint::from).await
    }

    /// A phase by id, or by its blueprint's key and its own.
    async fn phase(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id, or its blueprint's key and its own.")] by: ByInside,
    ) -> Option<Result<Phase>> {
        found(async { caller(ctx)?.by_inside::<phase::Entity>(&by).await }).await
    }
}

async fn find(ctx: &Context<'_>, by: By) -> Result<Option<Blueprint>> {
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
            .by::<blueprint::Entity>(&by)
            .await?
            .map(Blueprint::from));
    }
    let which = Condition::all().add(caller.which::<blueprint::Entity>(&by)?);
    let asked = format!("{by:?}").to_lowercase();
    let canvas = shared::find(ctx, caller, asked, which).await?;
    Ok(canvas.map(Blueprint::from))
}

payload! {
    /// What became of a mutation on a blueprint.
    BlueprintPayload {
        /// The blueprint as it is now; as it was, where it was deleted.
        blueprint: Blueprint of blueprint::Entity
    }
}

payload! {
    /// What became of a mutation on a phase.
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
    /// Makes a draft. Requires: CREATE_BLUEPRINT.
    async fn blueprint_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: BlueprintCreateInput,
    ) -> Result<BlueprintPayload> {
        let caller = acting(ctx)?;
        BlueprintPayload::answer(&caller, super::create(&caller, input).await).await
    }

    /// Changes title, personas, visibility or day of review. Requires: SHAPE_BLUEPRINT.
    async fn blueprint_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: BlueprintUpdateInput,
    ) -> Result<BlueprintPayload> {
        let caller = acting(ctx)?;
        BlueprintPayload::answer(&caller, super::update(&caller, input).await).await
    }

    /// Gives the blueprint to another department. Requires: GOVERN_BLUEPRINT.
    async fn blueprint_owner_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The blueprint, the version that you read, and its new owner.")]
        input: BlueprintOwnerChangeInput,
    ) -> Result<BlueprintPayload> {
        let caller = acting(ctx)?;
        BlueprintPayload::answer(&caller, super::change_owner(&caller, input).await).await
    }

    /// Asks a CX manager to look at a draft: DRAFT → IN_REVIEW. Requires: SHAPE_BLUEPRINT.
    async fn blueprint_submit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<BlueprintPayload> {
        let caller = acting(ctx)?;
        BlueprintPayload::answer(&caller, step(&caller, Step::Submit, &input).await).await
    }

    /// Back to the drawing board: IN_REVIEW → DRAFT. Requires: GOVERN_BLUEPRINT.
    async fn blueprint_send_back(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<BlueprintPayload> {
        let caller = acting(ctx)?;
        BlueprintPayload::answer(&caller, step(&caller, Step::SendBack, &input).await).await
    }

    /// Puts it away; it stays in facts and can be brought back. Requires: GOVERN_BLUEPRINT.
    async fn blueprint_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<BlueprintPayload> {
        let caller = acting(ctx)?;
        BlueprintPayload::answer(&caller, step(&caller, Step::Archive, &input).await).await
    }

    /// Brings it back with the status that it had. Requires: GOVERN_BLUEPRINT.
    async fn blueprint_unarchive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<BlueprintPayload> {
        let caller = acting(ctx)?;
        BlueprintPayload::answer(&caller, step(&caller, Step::Unarchive, &input).await).await
    }

    /// Deletes a draft that was never published, with everything in it. Requires: SHAPE_BLUEPRINT.
    async fn blueprint_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<BlueprintPayload> {
        let caller = acting(ctx)?;
        BlueprintPayload::answer(&caller, super::delete(&caller, &input).await).await
    }

    /// Makes a phase. Requires: SHAPE_BLUEPRINT.
    async fn phase_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: PhaseCreateInput,
    ) -> Result<PhasePayload> {
        let caller = acting(ctx)?;
        PhasePayload::answer(&caller, super::phase::create(&caller, input).await).await
    }

    /// Changes name, stage, goal or prompt of a phase. Requires: SHAPE_BLUEPRINT.
    async fn phase_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: PhaseUpdateInput,
    ) -> Result<PhasePayload> {
        let caller = acting(ctx)?;
        PhasePayload::answer(&caller, super::phase::update(&caller, input).await).await
    }

    /// Moves a phase; its neighbours' versions stay. Requires: SHAPE_BLUEPRINT.
    async fn phase_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The phase, the version that you read, and its new position.")]
        input: PhaseMoveInput,
    ) -> Result<PhasePayload> {
        let caller = acting(ctx)?;
        PhasePayload::answer(&caller, super::phase::relocate(&caller, input).await).await
    }

    /// Archives a phase without touchpoints. Requires: SHAPE_BLUEPRINT.
    async fn phase_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<PhasePayload> {
        let caller = acting(ctx)?;
        let result = super::phase::set_archived(&caller, &input, true).await;
        PhasePayload::answer(&caller, result).await
    }

    /// Brings a phase back, as the last one. Requires: SHAPE_BLUEPRINT.
    async fn phase_unarchive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<PhasePayload> {
        let caller = acting(ctx)?;
        let result = super::phase::set_archived(&caller, &input, false).await;
        PhasePayload::answer(&caller, result).await
    }
}
