//! A place in a blueprint: the whole of it, a phase or a touchpoint. What other slices hang on one names it so.

use async_graphql::ID;
use entity::{
    blueprint,
    id::{BlueprintId, PhaseId, TouchpointId},
    phase, touchpoint,
};

use crate::{
    access::Permit,
    error::{Result, UserErrorCode},
    input::Faults,
};

/// A place in a blueprint: without phase and touchpoint the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub blueprint: BlueprintId,
    pub phase: Option<PhaseId>,
    pub touchpoint: Option<TouchpointId>,
}

/// The place that a client means.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    Touchpoint(TouchpointId),
    Phase(PhaseId),
    Blueprint(BlueprintId),
}

impl Which {
    /// Reads the one of the three that was given; `unclear` says what is wrong where it is not exactly one.
    pub fn read(
        faults: &mut Faults,
        (touchpoint, phase, blueprint): (Option<&ID>, Option<&ID>, Option<&ID>),
        unclear: &str,
    ) -> Self {
        let touchpoint = faults.optional_id("touchpointId", touchpoint);
        let phase = faults.optional_id("phaseId", phase);
        let blueprint = faults.optional_id("blueprintId", blueprint);
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

    /// Takes the lock of the place's blueprint, and finds the place alive behind it.
    pub async fn lock(self, permit: &mut Permit<'_>) -> Result<Place> {
        let (blueprint, phase, touchpoint) = match self {
            Self::Touchpoint(id) => {
                let row = permit
                    .read::<touchpoint::Entity>("touchpointId", id)
                    .await?;
                permit.lock_blueprint(row.blueprint_id).await?;
                permit
                    .read_live::<touchpoint::Entity>("touchpointId", id)
                    .await?;
                (row.blueprint_id, None, Some(id))
            }
            Self::Phase(id) => {
                let row = permit.read::<phase::Entity>("phaseId", id).await?;
                permit.lock_blueprint(row.blueprint_id).await?;
                permit.read_live::<phase::Entity>("phaseId", id).await?;
                (row.blueprint_id, Some(id), None)
            }
            Self::Blueprint(id) => {
                permit.read::<blueprint::Entity>("blueprintId", id).await?;
                permit.lock_blueprint(id).await?;
                permit
                    .read_live::<blueprint::Entity>("blueprintId", id)
                    .await?;
                (id, None, None)
            }
        };
        permit.live_blueprint(blueprint)?;
        Ok(Place {
            blueprint,
            phase,
            touchpoint,
        })
    }
}
