//! Promises: what customers are told they will get, where they are told it and where they should get it. Whether one
//! is kept is said by people here; nothing measures it.

pub mod graphql;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    id::{PromiseId, TouchpointId},
    promise, promise_delivery,
    words::PromiseState,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use crate::{
    access::{Caller, Permit, expect_version},
    blueprint::refuse_if_row_limit_reached,
    error::Result,
    input::{self, AtVersionInput, Faults, LIST, list_if_given, set_if_given},
    policy::Action,
    touchpoint::place::{self, BlueprintOrPartId, TouchpointList},
};

/// How many promises one blueprint holds at the most.
pub const MOST_PROMISES: u64 = 500;

/// A new promise.
#[derive(InputObject)]
pub struct PromiseCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Key, unique in the blueprint; derived from the text if absent.
    pub key: Option<String>,
    /// Id of the touchpoint at which it is made.
    pub touchpoint_id: ID,
    /// The promise, as a text.
    pub text: String,
    /// Whether the promise is kept.
    #[graphql(default_with = "PromiseState::Unknown")]
    pub state: PromiseState,
    /// The touchpoints of the same blueprint at which it is delivered, in order.
    #[graphql(default)]
    pub delivered_at_ids: Vec<ID>,
}

/// Changes to a promise; where it is made is fixed. Absent fields stay as they are; null clears, or is REQUIRED where
/// there is always a value.
#[derive(InputObject)]
pub struct PromiseUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The promise, as a text.
    pub text: MaybeUndefined<String>,
    /// Whether the promise is kept.
    pub state: MaybeUndefined<PromiseState>,
    /// The touchpoints of the same blueprint at which it is delivered, in order; replaces the list.
    pub delivered_at_ids: MaybeUndefined<Vec<ID>>,
}

/// Makes a promise.
pub async fn create(caller: &Caller, input: PromiseCreateInput) -> Result<promise::Model> {
    let mut faults = Faults::default();
    let id: PromiseId = faults.parse_or_make_id(input.id.as_ref());
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    let touchpoint_id: TouchpointId = faults.parse_id("touchpointId", &input.touchpoint_id);
    let text = faults.check_required_text("text", &input.text);
    let delivered_at = faults.parse_ids("deliveredAtIds", &input.delivered_at_ids);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let place = BlueprintOrPartId::Touchpoint(touchpoint_id)
        .lock_and_locate(&mut permit)
        .await?;
    place
        .require_permission(&permit, Action::DescribeTouchpoint)
        .await?;
    let same = |row: &promise::Model| row.text == text && row.touchpoint_id == touchpoint_id;
    if let Some(row) = permit
        .find_already_created::<promise::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let there = promise::Entity::find().filter(promise::Column::BlueprintId.eq(place.blueprint));
    refuse_if_row_limit_reached(&permit, there, "touchpointId", (MOST_PROMISES, "promises"))
        .await?;
    let key = permit
        .choose_unique_key::<promise::Entity>(key.as_deref(), &text, id, Some(place.blueprint))
        .await?;
    let row = permit
        .insert::<promise::Entity>(promise::ActiveModel {
            id: Set(id),
            blueprint_id: Set(place.blueprint),
            key: Set(key),
            touchpoint_id: Set(touchpoint_id),
            text: Set(text),
            state: Set(input.state),
            created_at: Set(caller.now),
            version: Set(1),
        })
        .await?;
    replace_deliveries(&mut permit, &row, &delivered_at).await?;
    permit.commit().await?;
    Ok(row)
}

/// Changes what is promised, whether it is kept or where it is delivered.
pub async fn update(caller: &Caller, input: PromiseUpdateInput) -> Result<promise::Model> {
    let mut faults = Faults::default();
    let id: PromiseId = faults.parse_id("id", &input.id);
    let text = set_if_given(faults.given("text", &input.text), |text| {
        faults.check_required_text("text", text)
    });
    let state = set_if_given(faults.given("state", &input.state), |state| *state);
    let delivered_at = list_if_given(&input.delivered_at_ids);
    let delivered_at = delivered_at.map(|ids| faults.parse_ids("deliveredAtIds", ids));
    faults.check()?;
    let (row, mut permit) = fetch_promise_at_version(caller, id, input.expected_version).await?;
    let change = promise::ActiveModel {
        text,
        state,
        ..Default::default()
    };
    if let Some(delivered_at) = delivered_at {
        replace_deliveries(&mut permit, &row, &delivered_at).await?;
    }
    let row = permit.update::<promise::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Makes the touchpoints at which it is delivered these, in this order.
async fn replace_deliveries(
    permit: &mut Permit<'_>,
    row: &promise::Model,
    touchpoints: &[TouchpointId],
) -> Result<()> {
    let list = TouchpointList::<promise_delivery::Entity> {
        its: promise_delivery::Column::PromiseId.eq(row.id),
        touchpoint: promise_delivery::Column::TouchpointId,
        position: promise_delivery::Column::Position,
        field: "deliveredAtIds",
        most: LIST,
    };
    let to_row = |touchpoint_id, position| promise_delivery::Model {
        promise_id: row.id,
        blueprint_id: row.blueprint_id,
        touchpoint_id,
        position,
    };
    let owner = (row, row.blueprint_id);
    place::replace_touchpoints::<_, promise::Entity>(permit, owner, list, touchpoints, to_row).await
}

/// Deletes a promise.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<promise::Model> {
    let id: PromiseId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = fetch_promise_at_version(caller, id, input.expected_version).await?;
    permit.delete::<promise::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

async fn fetch_promise_at_version(
    caller: &Caller,
    id: PromiseId,
    expected_version: i32,
) -> Result<(promise::Model, Permit<'_>)> {
    let (row, permit) = caller
        .fetch_locked::<promise::Entity>(Action::DescribeTouchpoint, "id", id)
        .await?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    expect_version::<promise::Entity>(&row, expected_version)?;
    Ok((row, permit))
}
