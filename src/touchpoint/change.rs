//! Changes of touchpoints: name, text, lane and place; of one, or of many in one act.

use async_graphql::{ID, MaybeUndefined};
use entity::{
    id::{PhaseId, TouchpointId},
    phase, touchpoint,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ColumnTrait, EntityTrait, Iterable, QueryFilter, Set,
};

use super::{
    TouchpointChangeInput, TouchpointLaneChangeInput, TouchpointMoveInput, TouchpointRenameInput,
    TouchpointUpdateInput, TouchpointsUpdateInput, inputs::TouchpointLists,
    load_touchpoints_of_phase, make_room_after, replace_channels_and_audience, set_positions,
};
use crate::{
    access::{Caller, Permit},
    error::{Error, Result, UserErrorCode, refusals::Refusals},
    input::{Faults, MOST_AT_ONCE, set_if_given},
    order,
    policy::Action,
};

/// The change of a touchpoint, as it was read from an input.
struct TouchpointChange {
    id: TouchpointId,
    expected_version: i32,
    /// The columns that change, but phase and position.
    columns: touchpoint::ActiveModel,
    lists: TouchpointLists,
    place: Option<NewPlace>,
}

/// A place in a phase.
struct NewPlace {
    /// The phase; none for the present one.
    phase: Option<PhaseId>,
    /// The touchpoint after which to place it; absent: the end of the phase, null: its beginning.
    after: MaybeUndefined<TouchpointId>,
}

/// What a change came to: the touchpoint, and the phases whose order changed.
pub type TouchpointChanged = (touchpoint::Model, Vec<phase::Model>);

impl TouchpointChange {
    fn of(faults: &mut Faults, id: &ID, expected_version: i32) -> Self {
        Self {
            id: faults.parse_id("id", id),
            expected_version,
            columns: Default::default(),
            lists: TouchpointLists::default(),
            place: None,
        }
    }

    fn from_input(faults: &mut Faults, input: &TouchpointChangeInput) -> Self {
        let (columns, lists) = input.text.read(faults);
        let name = set_if_given(faults.given("name", &input.name), |name| {
            faults.check_name("name", name)
        });
        let lane = set_if_given(faults.given("lane", &input.lane), |lane| *lane);
        let moves = !(input.phase_id.is_undefined() && input.after_id.is_undefined());
        Self {
            columns: touchpoint::ActiveModel {
                name,
                lane,
                ..columns
            },
            lists,
            place: moves.then(|| NewPlace::read(faults, &input.phase_id, &input.after_id)),
            ..Self::of(faults, &input.id, input.expected_version)
        }
    }

    /// What has to be permitted: changes of what it says, of where it stands, or both.
    fn actions(&self) -> Vec<Action> {
        let shapes = self.columns.lane.is_set() || self.place.is_some();
        let set = touchpoint::Column::iter().filter(|column| self.columns.get(*column).is_set());
        let describes = set.count() > usize::from(self.columns.lane.is_set())
            || self.lists.channels.is_some()
            || self.lists.audience.is_some();
        match (shapes, describes) {
            (true, true) => vec![Action::ShapeBlueprint, Action::DescribeTouchpoint],
            (true, false) => vec![Action::ShapeBlueprint],
            (false, _) => vec![Action::DescribeTouchpoint],
        }
    }

    /// Fetches the touchpoint, where all of the change is permitted.
    async fn fetch(&self, permit: &mut Permit<'_>) -> Result<touchpoint::Model> {
        let mut row = None;
        for action in self.actions() {
            let fetched = permit
                .fetch_at_version::<touchpoint::Entity>(
                    action,
                    "id",
                    self.id,
                    self.expected_version,
                )
                .await?;
            row = Some(fetched);
        }
        row.ok_or_else(|| Error::internal("a change without an action"))
    }

    /// Changes the touchpoint that was fetched.
    async fn apply(
        self,
        permit: &mut Permit<'_>,
        row: &touchpoint::Model,
    ) -> Result<TouchpointChanged> {
        let lists_change = replace_channels_and_audience(permit, row, self.lists).await?;
        let mut change = touchpoint::ActiveModel {
            // The lists are the touchpoint's own fields: whoever has read the old ones is told.
            version: if lists_change {
                Set(row.version + 1)
            } else {
                NotSet
            },
            ..self.columns
        };
        let Some(place) = self.place else {
            let row = permit.update::<touchpoint::Entity>(row, change).await?;
            return Ok((row, Vec::new()));
        };
        let (to, position) = place.make_room(permit, row).await?;
        change.phase_id = Set(to.id);
        change.position = Set(position);
        let from = row.phase_id;
        let row = permit.update::<touchpoint::Entity>(row, change).await?;
        let mut phases = vec![to];
        if from != row.phase_id {
            let remaining = load_touchpoints_of_phase(permit, from).await?;
            set_positions(permit, order::plan_closing_gaps(&remaining)).await?;
            phases.push(permit.get::<phase::Entity>("phaseId", from).await?);
        }
        phases.sort_by_key(|phase| phase.position);
        Ok((row, phases))
    }
}

impl NewPlace {
    fn read(faults: &mut Faults, phase: &MaybeUndefined<ID>, after: &MaybeUndefined<ID>) -> Self {
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

    /// Makes room for a touchpoint, and gives the phase and the free position.
    async fn make_room(
        &self,
        permit: &Permit<'_>,
        row: &touchpoint::Model,
    ) -> Result<(phase::Model, i32)> {
        let to = self.phase.unwrap_or(row.phase_id);
        let to = permit
            .read_unarchived_row::<phase::Entity>("phaseId", to)
            .await?;
        if to.blueprint_id != row.blueprint_id {
            return Err(Error::not_found("phaseId", "phase in this blueprint"));
        }
        let mut others = load_touchpoints_of_phase(permit, to.id).await?;
        others.retain(|other| other.id != row.id);
        let after = match self.after {
            MaybeUndefined::Undefined => others.last().map(|last| last.id),
            MaybeUndefined::Null => None,
            MaybeUndefined::Value(after) => Some(after),
        };
        let position = make_room_after(permit, &others, after).await?;
        Ok((to, position))
    }
}

async fn change_one(caller: &Caller, change: TouchpointChange) -> Result<TouchpointChanged> {
    let mut permit = caller.open_permit_without_check().await?;
    let row = change.fetch(&mut permit).await?;
    let changed = change.apply(&mut permit, &row).await?;
    permit.commit().await?;
    Ok(changed)
}

/// Changes what a touchpoint says.
pub async fn update(caller: &Caller, input: TouchpointUpdateInput) -> Result<touchpoint::Model> {
    let mut faults = Faults::default();
    let (columns, lists) = input.text.read(&mut faults);
    let change = TouchpointChange {
        columns,
        lists,
        ..TouchpointChange::of(&mut faults, &input.id, input.expected_version)
    };
    faults.check()?;
    Ok(change_one(caller, change).await?.0)
}

/// Changes the name; the key stays.
pub async fn rename(caller: &Caller, input: TouchpointRenameInput) -> Result<touchpoint::Model> {
    let mut faults = Faults::default();
    let mut change = TouchpointChange::of(&mut faults, &input.id, input.expected_version);
    change.columns.name = Set(faults.check_name("name", &input.name));
    faults.check()?;
    Ok(change_one(caller, change).await?.0)
}

/// Puts it into another lane.
pub async fn change_lane(
    caller: &Caller,
    input: TouchpointLaneChangeInput,
) -> Result<touchpoint::Model> {
    let mut faults = Faults::default();
    let mut change = TouchpointChange::of(&mut faults, &input.id, input.expected_version);
    change.columns.lane = Set(input.lane);
    faults.check()?;
    Ok(change_one(caller, change).await?.0)
}

/// Moves a touchpoint within its blueprint; no other touchpoint's version changes.
pub async fn relocate(caller: &Caller, input: TouchpointMoveInput) -> Result<TouchpointChanged> {
    let mut faults = Faults::default();
    let mut change = TouchpointChange::of(&mut faults, &input.id, input.expected_version);
    change.place = Some(NewPlace::read(
        &mut faults,
        &input.phase_id,
        &input.after_id,
    ));
    faults.check()?;
    change_one(caller, change).await
}

/// Changes many touchpoints, all or none, in the order of the list. Gives them as they then are, in the same order, and
/// the phases whose order changed.
pub async fn update_many(
    caller: &Caller,
    input: TouchpointsUpdateInput,
) -> Result<(Vec<touchpoint::Model>, Vec<phase::Model>)> {
    let mut faults = Faults::default();
    faults.check_count("touchpoints", input.touchpoints.len(), MOST_AT_ONCE);
    let mut changes: Vec<(String, TouchpointChange)> = Vec::new();
    for (at, said) in input.touchpoints.iter().take(MOST_AT_ONCE).enumerate() {
        let (path, mut own) = (format!("touchpoints.{at}"), Faults::default());
        let change = TouchpointChange::from_input(&mut own, said);
        if changes.iter().any(|(_, other)| other.id == change.id) {
            let message = "This touchpoint is in the list already. Put its changes together.";
            own.add("id", UserErrorCode::Duplicate, None, message);
        }
        faults.add_under_path(&path, own.into_errors());
        changes.push((path, change));
    }
    faults.check()?;
    let ids: Vec<TouchpointId> = changes.iter().map(|(_, change)| change.id).collect();
    let mut permit = caller.open_permit_without_check().await?;
    permit
        .lock_blueprints_of::<touchpoint::Entity>(&ids)
        .await?;
    let mut refusals = Refusals::default();
    for (path, change) in &changes {
        refusals.collect(path, change.fetch(&mut permit).await)?;
    }
    refusals.check()?;
    let (mut refusals, mut phases) = (Refusals::default(), Vec::new());
    for (path, change) in changes {
        // Read again: it may have made room for one before it in the list.
        let row = permit.get::<touchpoint::Entity>("id", change.id).await?;
        let changed = change.apply(&mut permit, &row).await;
        phases.extend(refusals.collect(&path, changed)?.map(|(_, phases)| phases));
    }
    refusals.check()?;
    let rows = touchpoint::Entity::find().filter(touchpoint::Column::Id.is_in(ids.clone()));
    let mut rows = rows.all(permit.tx()).await?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    permit.commit().await?;
    let mut phases: Vec<phase::Model> = phases.into_iter().flatten().collect();
    phases.sort_by_key(|phase| (phase.blueprint_id, phase.position, phase.id));
    phases.dedup_by_key(|phase| phase.id);
    Ok((rows, phases))
}
