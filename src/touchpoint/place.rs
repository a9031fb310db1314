//! A place in a blueprint: the whole of it, a phase or a touchpoint. What other slices hang on one names it so.

use std::collections::HashSet;

use async_graphql::ID;
use entity::{
    blueprint,
    id::{BlueprintId, PhaseId, TouchpointId},
    phase, touchpoint,
};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::SimpleExpr,
};

use crate::{
    access::{Guarded, Permit, location_ties},
    error::{Error, Result, UserErrorCode},
    input::Faults,
    order,
    policy::Action,
};

/// A place in a blueprint: without phase and touchpoint the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlueprintOrPart {
    pub blueprint: BlueprintId,
    pub phase: Option<PhaseId>,
    pub touchpoint: Option<TouchpointId>,
}

impl BlueprintOrPart {
    /// Refuses whoever may not do the action to what is said of the place.
    pub async fn require_permission(self, permit: &Permit<'_>, action: Action) -> Result<()> {
        let ties = location_ties(permit.tx(), self.blueprint, self.phase, self.touchpoint).await?;
        permit.require(action, &ties, Some(("Blueprint", self.blueprint.0)))
    }
}

/// Refuses a touchpoint that is not in the blueprint, or archived.
pub async fn require_live_touchpoint_in_blueprint(
    permit: &Permit<'_>,
    blueprint: BlueprintId,
    field: &str,
    touchpoint: Option<TouchpointId>,
) -> Result<()> {
    let Some(touchpoint) = touchpoint else {
        return Ok(());
    };
    let row = permit
        .read_unarchived_row::<touchpoint::Entity>(field, touchpoint)
        .await?;
    if row.blueprint_id == blueprint {
        Ok(())
    } else {
        Err(Error::not_found(field, "touchpoint in this blueprint"))
    }
}

/// Refuses touchpoints that are not in the blueprint, or archived; one statement for all of them.
async fn require_live_touchpoints_in_blueprint(
    permit: &Permit<'_>,
    blueprint: BlueprintId,
    (path, touchpoints): (&str, &[TouchpointId]),
) -> Result<()> {
    let there: Vec<touchpoint::Model> = touchpoint::Entity::find()
        .filter(touchpoint::Column::BlueprintId.eq(blueprint))
        .filter(touchpoint::Column::Id.is_in(touchpoints.iter().copied()))
        .all(permit.tx())
        .await?;
    let mut faults = Faults::default();
    for (at, touchpoint) in touchpoints.iter().enumerate() {
        let path = format!("{path}.{at}");
        match there.iter().find(|row| row.id == *touchpoint) {
            None => {
                let message = "There is no such touchpoint in this blueprint.";
                faults.add(&path, UserErrorCode::NotFound, None, message);
            }
            Some(row) if row.archived_at.is_some() => {
                let message = "This touchpoint is archived. Unarchive it first.";
                faults.add(&path, UserErrorCode::Archived, None, message);
            }
            Some(_) => {}
        }
    }
    faults.check()
}

/// An ordered list of touchpoints that a thing has in a table of its own.
pub struct TouchpointList<L: EntityTrait> {
    /// What its rows fulfil.
    pub its: SimpleExpr,
    pub touchpoint: L::Column,
    pub position: L::Column,
    /// How the input names it.
    pub field: &'static str,
    /// How many touchpoints it may have, archived ones among them.
    pub most: usize,
}

/// Makes the touchpoints of a list these, in this order. Archived ones of the list as it is stay where they stood: nobody
/// sees them, and they come back with their touchpoint.
///
/// # Errors
/// One that is not in the blueprint, or archived; or more than the list may have.
pub async fn replace_touchpoints<L, E: Guarded>(
    permit: &mut Permit<'_>,
    (owner, blueprint): (&E::Model, BlueprintId),
    list: TouchpointList<L>,
    given: &[TouchpointId],
    to_row: impl Fn(TouchpointId, i32) -> L::Model,
) -> Result<()>
where
    L: EntityTrait<Model: PartialEq + IntoActiveModel<L::ActiveModel> + Send + Sync>,
    L::ActiveModel: Send,
{
    require_live_touchpoints_in_blueprint(permit, blueprint, (list.field, given)).await?;
    let members = with_archived_members(permit, &list, given).await?;
    let members = members.into_iter().zip(1..);
    let rows = members.map(|(touchpoint, position)| to_row(touchpoint, position));
    permit
        .replace_list::<L, E>(
            owner,
            (list.its, list.position),
            rows.collect(),
            serde_json::json!({ list.field: given }),
        )
        .await
}

async fn with_archived_members<L: EntityTrait>(
    permit: &Permit<'_>,
    list: &TouchpointList<L>,
    given: &[TouchpointId],
) -> Result<Vec<TouchpointId>> {
    let was: Vec<TouchpointId> = L::find()
        .select_only()
        .column(list.touchpoint)
        .filter(list.its.clone())
        .order_by_asc(list.position)
        .into_tuple()
        .all(permit.tx())
        .await?;
    let archived: HashSet<TouchpointId> = touchpoint::Entity::find()
        .select_only()
        .column(touchpoint::Column::Id)
        .filter(touchpoint::Column::Id.is_in(was.iter().copied()))
        .filter(touchpoint::Column::ArchivedAt.is_not_null())
        .into_tuple()
        .all(permit.tx())
        .await?
        .into_iter()
        .collect();
    let is_archived = |id| archived.contains(&id);
    let members = order::keep_hidden_members(&was, is_archived, given);
    let mut faults = Faults::default();
    faults.check_count_with_archived(list.field, members.len(), list.most);
    faults.check()?;
    Ok(members)
}

/// The place that a client means.
#[derive(Clone, Copy, Debug)]
pub enum BlueprintOrPartId {
    Touchpoint(TouchpointId),
    Phase(PhaseId),
    Blueprint(BlueprintId),
}

impl BlueprintOrPartId {
    /// Reads the one of the three that was given; `unclear` says what is wrong where it is not exactly one.
    pub fn from_ids(
        faults: &mut Faults,
        (touchpoint, phase, blueprint): (Option<&ID>, Option<&ID>, Option<&ID>),
        unclear: &str,
    ) -> Self {
        let touchpoint = faults.parse_optional_id("touchpointId", touchpoint);
        let phase = faults.parse_optional_id("phaseId", phase);
        let blueprint = faults.parse_optional_id("blueprintId", blueprint);
        match (touchpoint, phase, blueprint) {
            (Some(touchpoint), None, None) => Self::Touchpoint(touchpoint),
            (None, Some(phase), None) => Self::Phase(phase),
            (None, None, Some(blueprint)) => Self::Blueprint(blueprint),
            _ => {
                faults.add("", UserErrorCode::Invalid, None, unclear);
                Self::Blueprint(uuid::Uuid::nil().into())
            }
        }
    }

    /// Takes the lock of the place's blueprint, and finds the place alive under it.
    pub async fn lock_and_locate(self, permit: &mut Permit<'_>) -> Result<BlueprintOrPart> {
        let (blueprint, phase, touchpoint) = match self {
            Self::Touchpoint(id) => {
                let row = permit.get::<touchpoint::Entity>("touchpointId", id).await?;
                permit.lock_blueprint(row.blueprint_id).await?;
                permit
                    .read_unarchived_row::<touchpoint::Entity>("touchpointId", id)
                    .await?;
                (row.blueprint_id, None, Some(id))
            }
            Self::Phase(id) => {
                let row = permit.get::<phase::Entity>("phaseId", id).await?;
                permit.lock_blueprint(row.blueprint_id).await?;
                permit
                    .read_unarchived_row::<phase::Entity>("phaseId", id)
                    .await?;
                (row.blueprint_id, Some(id), None)
            }
            Self::Blueprint(id) => {
                permit.get::<blueprint::Entity>("blueprintId", id).await?;
                permit.lock_blueprint(id).await?;
                permit
                    .read_unarchived_row::<blueprint::Entity>("blueprintId", id)
                    .await?;
                (id, None, None)
            }
        };
        permit.require_unarchived_blueprint(blueprint)?;
        Ok(BlueprintOrPart {
            blueprint,
            phase,
            touchpoint,
        })
    }
}
