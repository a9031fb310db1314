//! Changes of touchpoints: name, text, lane and place; of one, or of many in one act.

use async_graphql::ID;
use entity::{
    id::{PhaseId, TouchpointId},
    phase, touchpoint,
};
use sea_orm::{ActiveModelTrait, Iterable, Set};

use super::{
    TouchpointChangeInput, TouchpointLaneChangeInput, TouchpointMoveInput, TouchpointRenameInput,
    TouchpointUpdateInput, TouchpointsUpdateInput,
    arrange::{Arrangement, NewPlace},
    inputs::TouchpointLists,
    replace_channels_and_audience,
};
use crate::{
    access::{Caller, Guarded, Permit},
    error::{Result, UserErrorCode, refusals::Refusals},
    input::{Faults, MOST_AT_ONCE, set_if_given},
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
    fn actions(&self) -> (Action, Option<Action>) {
        let shapes = self.columns.lane.is_set() || self.place.is_some();
        let set = touchpoint::Column::iter().filter(|column| self.columns.get(*column).is_set());
        let describes = set.count() > usize::from(self.columns.lane.is_set())
            || self.lists.channels.is_some()
            || self.lists.audience.is_some();
        match (shapes, describes) {
            (true, true) => (Action::ShapeBlueprint, Some(Action::DescribeTouchpoint)),
            (true, false) => (Action::ShapeBlueprint, None),
            (false, _) => (Action::DescribeTouchpoint, None),
        }
    }

    /// Fetches the touchpoint, where all of the change is permitted.
    async fn fetch(&self, permit: &mut Permit<'_>) -> Result<touchpoint::Model> {
        let (first, second) = self.actions();
        let row = permit
            .fetch_at_version::<touchpoint::Entity>(first, "id", self.id, self.expected_version)
            .await?;
        if let Some(second) = second {
            let ties = touchpoint::Entity::load_ties(permit.tx(), &row).await?;
            permit.require_permission_on_row::<touchpoint::Entity>(second, &ties, &row)?;
        }
        Ok(row)
    }

    /// Changes the touchpoint that was fetched, and puts it into its new place, where it has one.
    async fn apply(
        self,
        permit: &mut Permit<'_>,
        row: &touchpoint::Model,
        place: Option<(PhaseId, i32)>,
    ) -> Result<touchpoint::Model> {
        replace_channels_and_audience(permit, row, self.lists).await?;
        let mut change = self.columns;
        if let Some((phase, position)) = place {
            change.phase_id = Set(phase);
            change.position = Set(position);
        }
        permit.update::<touchpoint::Entity>(row, change).await
    }
}

async fn change_one(caller: &Caller, change: TouchpointChange) -> Result<TouchpointChanged> {
    let mut permit = caller.open_permit_without_check().await?;
    let row = change.fetch(&mut permit).await?;
    let mut arrangement = Arrangement::default();
    if let Some(place) = &change.place {
        arrangement.place(&permit, &row, place).await?;
    }
    let place = arrangement.new_place_of(row.id);
    let row = change.apply(&mut permit, &row, place).await?;
    let phases = arrangement.write(&permit).await?;
    permit.commit().await?;
    Ok((row, phases))
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
        let is_read = own.is_empty();
        if is_read && changes.iter().any(|(_, other)| other.id == change.id) {
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
    let (mut refusals, mut rows) = (Refusals::default(), Vec::new());
    for (path, change) in &changes {
        let fetched = change.fetch(&mut permit).await;
        let audience = permit.take_audience();
        rows.extend(refusals.collect(path, fetched)?.map(|row| (row, audience)));
    }
    refusals.check()?;
    let (mut refusals, mut arrangement) = (Refusals::default(), Arrangement::default());
    for ((path, change), (row, _)) in changes.iter().zip(&rows) {
        let Some(place) = &change.place else {
            continue;
        };
        let placed = arrangement.place(&permit, row, place).await;
        if refusals.collect(path, placed)?.is_none() {
            // The moves after it may build on it.
            break;
        }
    }
    let mut done = Vec::with_capacity(rows.len());
    for ((path, change), (row, audience)) in changes.into_iter().zip(rows) {
        let place = arrangement.new_place_of(row.id);
        let changed = change.apply(&mut permit, &row, place).await;
        done.extend(permit.collect(&mut refusals, &path, changed).await?);
        permit.end_item(audience);
    }
    refusals.check()?;
    for row in &mut done {
        // It may have moved aside for another.
        row.position = arrangement
            .place_of(row.id)
            .map_or(row.position, |(_, position)| position);
    }
    let phases = arrangement.write(&permit).await?;
    permit.commit().await?;
    Ok((done, phases))
}
