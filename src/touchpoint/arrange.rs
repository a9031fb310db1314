//! Moves of touchpoints, planned in memory and written once: however many move, those that move aside are written by
//! one statement.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_graphql::{ID, MaybeUndefined};
use entity::{
    id::{PhaseId, TouchpointId},
    phase, touchpoint,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::set_positions;
use crate::{
    access::Permit,
    error::{Error, Result},
    input::Faults,
};

/// A place in a phase, as an input names it.
pub(super) struct NewPlace {
    /// The phase; none for the present one.
    phase: Option<PhaseId>,
    /// The touchpoint after which to place it; absent: the end of the phase, null: its beginning.
    after: MaybeUndefined<TouchpointId>,
}

impl NewPlace {
    pub(super) fn read(
        faults: &mut Faults,
        phase: &MaybeUndefined<ID>,
        after: &MaybeUndefined<ID>,
    ) -> Self {
        let phase = faults.given("phaseId", phase);
        Self {
            phase: faults.parse_optional_id("phaseId", phase),
            after: match after {
                MaybeUndefined::Undefined => MaybeUndefined::Undefined,
                MaybeUndefined::Null => MaybeUndefined::Null,
                MaybeUndefined::Value(id) => MaybeUndefined::Value(faults.parse_id("afterId", id)),
            },
        }
    }
}

/// The order of touchpoints in the phases that moves touch.
#[derive(Default)]
pub(super) struct Arrangement {
    phases: BTreeMap<PhaseId, PhaseOrder>,
    /// The positions that are kept.
    kept: HashMap<TouchpointId, i32>,
    /// The touchpoints that were moved themselves.
    moved: HashSet<TouchpointId>,
}

struct PhaseOrder {
    phase: phase::Model,
    touchpoints: Vec<TouchpointId>,
}

impl Arrangement {
    /// Moves a touchpoint that was fetched.
    ///
    /// # Errors
    /// NOT_FOUND where the phase or the touchpoint before is not there; then nothing has moved.
    pub(super) async fn place(
        &mut self,
        permit: &Permit<'_>,
        row: &touchpoint::Model,
        place: &NewPlace,
    ) -> Result<()> {
        let to = place.phase.unwrap_or(row.phase_id);
        self.load_phase(permit, row.phase_id).await?;
        self.load_phase(permit, to).await?;
        let mut order = self.order(to)?.touchpoints.clone();
        if self.order(to)?.phase.blueprint_id != row.blueprint_id {
            return Err(Error::not_found("phaseId", "phase in this blueprint"));
        }
        order.retain(|other| *other != row.id);
        let index = match place.after {
            MaybeUndefined::Undefined => Some(order.len()),
            MaybeUndefined::Null => Some(0),
            MaybeUndefined::Value(after) => {
                let found = order.iter().position(|other| *other == after);
                found.map(|index| index + 1)
            }
        };
        let index = index.ok_or_else(|| Error::not_found("afterId", "touchpoint in this phase"))?;
        order.insert(index, row.id);
        self.order(row.phase_id)?
            .touchpoints
            .retain(|other| *other != row.id);
        self.order(to)?.touchpoints = order;
        self.moved.insert(row.id);
        Ok(())
    }

    /// Where a touchpoint comes to stand; none where it stands in no phase that a move touches.
    pub(super) fn place_of(&self, id: TouchpointId) -> Option<(PhaseId, i32)> {
        self.phases.iter().find_map(|(phase, order)| {
            let mut places = order.touchpoints.iter().zip(1..);
            places
                .find(|(other, _)| **other == id)
                .map(|(_, position)| (*phase, position))
        })
    }

    /// The place of a touchpoint that was moved itself.
    pub(super) fn new_place_of(&self, id: TouchpointId) -> Option<(PhaseId, i32)> {
        self.moved
            .contains(&id)
            .then(|| self.place_of(id))
            .flatten()
    }

    /// Writes the positions of those that move aside, and gives the phases that moves touched, in order of display.
    pub(super) async fn write(self, permit: &Permit<'_>) -> Result<Vec<phase::Model>> {
        let orders = self.phases.values();
        let places = orders.flat_map(|order| order.touchpoints.iter().copied().zip(1..));
        let aside = places.filter(|(id, position)| {
            !self.moved.contains(id) && self.kept.get(id) != Some(position)
        });
        set_positions(permit, aside.collect()).await?;
        let mut phases: Vec<phase::Model> =
            self.phases.into_values().map(|order| order.phase).collect();
        phases.sort_by_key(|phase| (phase.blueprint_id, phase.position));
        Ok(phases)
    }

    fn order(&mut self, phase: PhaseId) -> Result<&mut PhaseOrder> {
        let order = self.phases.get_mut(&phase);
        order.ok_or_else(|| Error::internal("a phase was not loaded"))
    }

    async fn load_phase(&mut self, permit: &Permit<'_>, id: PhaseId) -> Result<()> {
        use touchpoint::Column::{ArchivedAt, Id, PhaseId, Position};
        if self.phases.contains_key(&id) {
            return Ok(());
        }
        let phase = permit
            .read_unarchived_row::<phase::Entity>("phaseId", id)
            .await?;
        let rows: Vec<(TouchpointId, i32)> = touchpoint::Entity::find()
            .select_only()
            .column(Id)
            .column(Position)
            .filter(PhaseId.eq(id))
            .filter(ArchivedAt.is_null())
            .order_by_asc(Position)
            .order_by_asc(Id)
            .into_tuple()
            .all(permit.tx())
            .await?;
        let touchpoints = rows.iter().map(|(id, _)| *id).collect();
        self.kept.extend(rows);
        self.phases.insert(id, PhaseOrder { phase, touchpoints });
        Ok(())
    }
}
