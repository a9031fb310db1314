//! Touchpoints and transitions in the API: what they show of themselves, and what people do to them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    id::{BlueprintId, DepartmentId},
    responsibility, touchpoint, transition,
    words::{Basis, End, Lane, ResponsibilityStatus, Role, Stage, TransitionKind, Usage},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select};

use super::{
    TouchpointCreateInput, TouchpointLaneChangeInput, TouchpointMoveInput, TouchpointRenameInput,
    TouchpointUpdateInput, TouchpointsUpdateInput, change,
    transition::{TransitionCreateInput, TransitionUpdateInput},
};
use crate::{
    access::{Caller, scope},
    account::authorship::Authorship,
    blueprint::graphql::Phase,
    canvas::Canvas,
    error::{Result, UserError},
    fields::{api::ApiField, kinds, touchpoint::touchpoint_fields},
    input::{self, AtVersionInput, ByInside, MOST_AT_ONCE},
    meter::{self, BudgetChargedList},
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, into_node, load_conflicts_and_errors, mutation_caller},
};

/// Makes the object of the described fields, and fills it from a row.
macro_rules! touchpoint_object {
    ([] $({ $(
        $(#[doc = $doc:literal])? $(#[shown = $shown:literal] #[given = $_given:literal])?
        $field:ident $_name:literal: $kind:ty { $($_facts:tt)* }
    )* })*) => {
        /// One step of a journey, in one phase.
        #[derive(Clone, SimpleObject)]
        #[graphql(complex)]
        pub struct Touchpoint {
            /// The object's id.
            pub id: ID,
            /// Its key, unique in the blueprint.
            pub key: String,
            /// Its name.
            pub name: String,
            /// The lane: the party that acts in it.
            pub lane: Lane,
            /// Its position in the phase, from 1.
            pub position: i32,
            $($(
                $(#[doc = $doc])? $(#[doc = $shown])?
                pub $field: <$kind as ApiField>::Output,
            )*)*
            /// Counts changes of the touchpoint's own fields; send it as `expectedVersion`.
            pub version: i32,
            /// Time of creation.
            pub created_at: DateTime<Utc>,
            #[graphql(flatten)]
            pub authorship: Authorship,
            /// Time of archiving; null while it is not archived.
            pub archived_at: Option<DateTime<Utc>>,
            #[graphql(skip)]
            pub row: Arc<touchpoint::Model>,
            /// The blueprint that it was read as a part of.
            #[graphql(skip)]
            pub canvas: Option<Arc<Canvas>>,
        }

        impl From<touchpoint::Model> for Touchpoint {
            fn from(row: touchpoint::Model) -> Self {
                let kept = Arc::new(row.clone());
                Self {
                    id: ID(row.id.to_string()),
                    key: row.key,
                    name: row.name,
                    lane: row.lane,
                    position: row.position,
                    $($($field: <$kind as ApiField>::to_output(row.$field),)*)*
                    version: row.version,
                    created_at: row.created_at,
authorship: Authorship::of(row.id.0, row.created_at),
                    archived_at: row.archived_at,
                    row: kept,
                    canvas: None,
                }
            }
        }
    };
}
touchpoint_fields!(touchpoint_object);

impl Touchpoint {
    /// A touchpoint as a part of its blueprint.
    #[must_use]
    pub fn from_canvas(row: &touchpoint::Model, canvas: &Arc<Canvas>) -> Self {
        Self {
            canvas: Some(Arc::clone(canvas)),
            ..row.clone().into()
        }
    }
}

/// An edge of the journey graph.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Transition {
    /// The object's id.
    pub id: ID,
    /// The kind of movement.
    pub kind: TransitionKind,
    /// The end of the journey graph, where `from` or `to` is null.
    pub end: Option<End>,
    /// The condition on which it is taken.
    pub condition: Option<String>,
    /// The longest wait that customers accept, in minutes.
    pub max_wait_minutes: Option<i32>,
    /// Whether it was observed or is assumed.
    pub basis: Basis,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: transition::Model,
    /// The blueprint that it was read as a part of.
    #[graphql(skip)]
    pub canvas: Option<Arc<Canvas>>,
}

impl From<transition::Model> for Transition {
    fn from(row: transition::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            kind: row.kind,
            end: row.end,
            condition: row.condition.clone(),
            max_wait_minutes: row.max_wait_minutes,
            basis: row.basis,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
            canvas: None,
        }
    }
}

impl Transition {
    /// A transition as a part of its blueprint.
    #[must_use]
    pub fn from_canvas(row: &transition::Model, canvas: &Arc<Canvas>) -> Self {
        Self {
            canvas: Some(Arc::clone(canvas)),
            ..row.clone().into()
        }
    }
}

/// Conditions on the touchpoints to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct TouchpointFilter {
    /// Only in this blueprint.
    pub blueprint_id: Option<ID>,
    /// Only in phases of this stage.
    pub stage: Option<Stage>,
    /// Only in one of these lanes.
    pub lanes: Option<Vec<Lane>>,
    /// Only with one of these usages.
    pub usages: Option<Vec<Usage>>,
    /// Only where nobody holds this role, in CURRENT blueprints that are or were published; touchpoints in the lane
    /// CUSTOMER are left out, whatever the role.
    pub without_role: Option<Role>,
    /// Only where this department holds a role.
    pub department_id: Option<ID>,
    /// With `withoutRole`: also in drafts and FUTURE blueprints.
    #[graphql(default)]
    pub include_drafts: bool,
    /// Also archived ones.
    #[graphql(default)]
    pub include_archived: bool,
}

/// Reading touchpoints and transitions.
#[derive(Default)]
pub struct TouchpointQuery;

#[Object]
impl TouchpointQuery {
    /// A touchpoint by id, or by its blueprint's key and its own.
    async fn touchpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id, or its blueprint's key and its own.")] by: ByInside,
    ) -> Option<Result<Touchpoint>> {
        into_node(async {
            caller(ctx)?
                .get_inside_blueprint::<touchpoint::Entity>(&by)
                .await
        })
        .await
    }

    /// Touchpoints of blueprints that are not archived, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn touchpoints(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<TouchpointFilter>,
    ) -> Result<ObjectPage<Touchpoint>> {
        let caller = caller(ctx)?;
        let select = select_touchpoints(caller, filter.unwrap_or_default())?;
        page::page_oldest_first(
            ctx,
            select,
            PageArguments { first, after },
            Touchpoint::from,
        )
        .await
    }

    /// A transition by id.
    async fn transition(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<Transition>> {
        into_node(async {
            caller(ctx)?
                .get::<transition::Entity>(input::parse_id("id", &id)?)
                .await
        })
        .await
    }
}

fn select_touchpoints(
    caller: &Caller,
    filter: TouchpointFilter,
) -> Result<Select<touchpoint::Entity>> {
    use entity::{blueprint, phase};
    let mut all = Condition::all();
    if let Some(id) = &filter.blueprint_id {
        all = all.add(
            touchpoint::Column::BlueprintId
                .eq(input::parse_id::<BlueprintId>("filter.blueprintId", id)?),
        );
    }
    if let Some(stage) = filter.stage {
        let phases = phase::Entity::find()
            .select_only()
            .column(phase::Column::Id)
            .filter(phase::Column::Stage.eq(stage))
            .into_query();
        all = all.add(touchpoint::Column::PhaseId.in_subquery(phases));
    }
    if let Some(lanes) = filter.lanes {
        all = all.add(touchpoint::Column::Lane.is_in(lanes));
    }
    if let Some(usages) = filter.usages {
        all = all.add(touchpoint::Column::Usage.is_in(usages));
    }
    let accepted =
        Condition::all().add(responsibility::Column::Status.eq(ResponsibilityStatus::Accepted));
    if let Some(role) = filter.without_role {
        let held =
            select_held_touchpoints(accepted.clone().add(responsibility::Column::Role.eq(role)));
        all = all
            .add(touchpoint::Column::Lane.ne(Lane::Customer))
            .add(touchpoint::Column::Id.not_in_subquery(held.into_query()));
    }
    if let Some(id) = &filter.department_id {
        let department: DepartmentId = input::parse_id("filter.departmentId", id)?;
        let held = select_held_touchpoints(
            accepted.add(responsibility::Column::DepartmentId.eq(department)),
        );
        all = all.add(touchpoint::Column::Id.in_subquery(held.into_query()));
    }
    if filter.without_role.is_some() && !filter.include_drafts {
        all = all.add(
            touchpoint::Column::BlueprintId
                .in_subquery(scope::select_published_current_blueprint_ids()),
        );
    } else if !filter.include_archived {
        let live = blueprint::Entity::find()
            .select_only()
            .column(blueprint::Column::Id)
            .filter(blueprint::Column::ArchivedAt.is_null());
        all = all.add(touchpoint::Column::BlueprintId.in_subquery(live.into_query()));
    }
    if !filter.include_archived {
        all = all.add(touchpoint::Column::ArchivedAt.is_null());
    }
    Ok(caller.select::<touchpoint::Entity>().filter(all))
}

/// The touchpoints of these responsibilities.
fn select_held_touchpoints(held: Condition) -> Select<responsibility::Entity> {
    responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::TouchpointId)
        .filter(held)
}

payload! {
    /// Result of a mutation on a touchpoint.
    TouchpointPayload {
        /// The touchpoint as it is now.
        touchpoint: Touchpoint of touchpoint::Entity
    }
}

payload! {
    /// Result of a mutation on a transition.
    TransitionPayload {
        /// The transition as it is now; as it was, where it was deleted.
        transition: Transition of transition::Entity
    }
}

/// Result of moving a touchpoint.
#[derive(SimpleObject)]
pub struct TouchpointMovePayload {
    /// The touchpoint as it is now.
    pub touchpoint: Option<Touchpoint>,
    /// The phases whose order changed, in order of display.
    pub phases: Option<Vec<Phase>>,
    /// The reasons why the mutation was refused; empty if it was carried out.
    pub user_errors: Vec<UserError>,
}

/// Result of changing several touchpoints.
#[derive(SimpleObject)]
pub struct TouchpointsUpdatePayload {
    /// The touchpoints as they are now, in the order of the input; where nothing was done, those in conflict.
    pub touchpoints: Option<BudgetChargedList<Touchpoint>>,
    /// The phases whose order changed, in order of display.
    pub phases: Option<BudgetChargedList<Phase>>,
    /// The reasons why the mutation was refused; empty if it was carried out.
    pub user_errors: Vec<UserError>,
}

/// Changing touchpoints and transitions.
#[derive(Default)]
pub struct TouchpointMutation;

#[Object]
impl TouchpointMutation {
    /// Creates a touchpoint. Requires: SHAPE_BLUEPRINT.
    async fn touchpoint_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: TouchpointCreateInput,
    ) -> Result<TouchpointPayload> {
        let caller = mutation_caller(ctx)?;
        TouchpointPayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes the descriptive fields of a touchpoint. Requires: DESCRIBE_TOUCHPOINT.
    async fn touchpoint_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: TouchpointUpdateInput,
    ) -> Result<TouchpointPayload> {
        let caller = mutation_caller(ctx)?;
        TouchpointPayload::from_result(&caller, change::update(&caller, input).await).await
    }

    /// Renames a touchpoint; its key stays. Requires: DESCRIBE_TOUCHPOINT.
    async fn touchpoint_rename(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The touchpoint, the version that you read, and its new name.")]
        input: TouchpointRenameInput,
    ) -> Result<TouchpointPayload> {
        let caller = mutation_caller(ctx)?;
        TouchpointPayload::from_result(&caller, change::rename(&caller, input).await).await
    }

    /// Moves a touchpoint to another lane. Requires: SHAPE_BLUEPRINT.
    async fn touchpoint_lane_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The touchpoint, the version that you read, and its new lane.")]
        input: TouchpointLaneChangeInput,
    ) -> Result<TouchpointPayload> {
        let caller = mutation_caller(ctx)?;
        TouchpointPayload::from_result(&caller, change::change_lane(&caller, input).await).await
    }

    /// Moves a touchpoint within its phase or to another one; the others' versions stay. Requires: SHAPE_BLUEPRINT.
    async fn touchpoint_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The touchpoint, the version that you read, and its new phase and position."
        )]
        input: TouchpointMoveInput,
    ) -> Result<TouchpointMovePayload> {
        let caller = mutation_caller(ctx)?;
        match change::relocate(&caller, input).await {
            Ok((row, phases)) => Ok(TouchpointMovePayload {
                touchpoint: Some(row.into()),
                phases: Some(phases.into_iter().map(Phase::from).collect()),
                user_errors: Vec::new(),
            }),
            Err(error) => {
                let refused = TouchpointPayload::from_result(&caller, Err(error)).await?;
                let (touchpoint, user_errors) = (refused.touchpoint, refused.user_errors);
                Ok(TouchpointMovePayload {
                    touchpoint,
                    phases: Some(Vec::new()),
                    user_errors,
                })
            }
        }
    }

    /// Changes name, text, lane and place of up to 200 touchpoints in one act: all of them, or none. Requires:
    /// DESCRIBE_TOUCHPOINT for name and text, SHAPE_BLUEPRINT for lane and place.
    #[graphql(
        complexity = "input.touchpoints.len().min(MOST_AT_ONCE).saturating_mul(child_complexity)"
    )]
    async fn touchpoints_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The touchpoints, the versions that you read, and new values.")]
        input: TouchpointsUpdateInput,
    ) -> Result<TouchpointsUpdatePayload> {
        let caller = mutation_caller(ctx)?;
        let (rows, phases, user_errors) = match change::update_many(&caller, input).await {
            Ok((rows, phases)) => (rows, phases, Vec::new()),
            Err(error) => {
                let (current, errors) =
                    load_conflicts_and_errors::<touchpoint::Entity>(&caller, error).await?;
                (current, Vec::new(), errors)
            }
        };
        Ok(TouchpointsUpdatePayload {
            touchpoints: Some(meter::metered_list(rows)),
            phases: Some(meter::metered_list(phases)),
            user_errors,
        })
    }

    /// Creates a transition. Requires: SHAPE_BLUEPRINT.
    async fn transition_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: TransitionCreateInput,
    ) -> Result<TransitionPayload> {
        let caller = mutation_caller(ctx)?;
        TransitionPayload::from_result(&caller, super::transition::create(&caller, input).await)
            .await
    }

    /// Changes kind, condition, longest wait or basis of a transition. Requires: SHAPE_BLUEPRINT.
    async fn transition_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: TransitionUpdateInput,
    ) -> Result<TransitionPayload> {
        let caller = mutation_caller(ctx)?;
        TransitionPayload::from_result(&caller, super::transition::update(&caller, input).await)
            .await
    }

    /// Deletes a transition. Requires: SHAPE_BLUEPRINT.
    async fn transition_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<TransitionPayload> {
        let caller = mutation_caller(ctx)?;
        TransitionPayload::from_result(&caller, super::transition::delete(&caller, &input).await)
            .await
    }
}
