//! Channels: the ways in which people meet, kept as data and not as a fixed list.

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    channel, id::ChannelId, kpi_target, measurement, routing_rule, touchpoint_channel,
    words::Medium,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};

use crate::{
    access::{Caller, Permit, expect_version},
    error::{Error, Reason, Result},
    input::{self, AtVersionInput, Faults, set_if_given},
    policy::{Action, RowTies},
};

/// A new channel.
#[derive(InputObject)]
pub struct ChannelCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Key, unique in the organisation; derived from the name if absent.
    pub key: Option<String>,
    /// The name.
    pub name: String,
    /// The kind of channel.
    pub medium: Medium,
}

/// Changes to a channel. Absent fields stay as they are; null clears, or is REQUIRED where there is always a value.
#[derive(InputObject)]
pub struct ChannelUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new name.
    pub name: MaybeUndefined<String>,
    /// The kind of channel.
    pub medium: MaybeUndefined<Medium>,
}

/// Makes a channel.
pub async fn create(caller: &Caller, input: ChannelCreateInput) -> Result<channel::Model> {
    let mut faults = Faults::default();
    let id: ChannelId = faults.parse_or_make_id(input.id.as_ref());
    let name = faults.check_name("name", &input.name);
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    faults.check()?;
    let mut permit = caller
        .open_permit(Action::KeepCatalogue, &RowTies::none())
        .await?;
    let same = |row: &channel::Model| row.name == name && row.medium == input.medium;
    if let Some(row) = permit
        .find_already_created::<channel::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let key = permit
        .choose_unique_key::<channel::Entity>(key.as_deref(), &name, id, None)
        .await?;
    let row = permit
        .insert::<channel::Entity>(channel::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(name),
            medium: Set(input.medium),
            created_at: Set(caller.now),
            version: Set(1),
        })
        .await?;
    permit.commit().await?;
    Ok(row)
}

/// Changes name or medium.
pub async fn update(caller: &Caller, input: ChannelUpdateInput) -> Result<channel::Model> {
    let mut faults = Faults::default();
    let id: ChannelId = faults.parse_id("id", &input.id);
    let name = set_if_given(faults.given("name", &input.name), |name| {
        faults.check_name("name", name)
    });
    let medium = set_if_given(faults.given("medium", &input.medium), |medium| *medium);
    faults.check()?;
    let (row, mut permit) = caller
        .fetch_locked::<channel::Entity>(Action::KeepCatalogue, "id", id)
        .await?;
    expect_version::<channel::Entity>(&row, input.expected_version)?;
    let change = channel::ActiveModel {
        name,
        medium,
        ..Default::default()
    };
    let row = permit.update::<channel::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Deletes a channel that nothing names.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<channel::Model> {
    let id: ChannelId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<channel::Entity>(Action::KeepCatalogue, "id", id)
        .await?;
    expect_version::<channel::Entity>(&row, input.expected_version)?;
    refuse_if_used(&permit, &row).await?;
    permit.delete::<channel::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

async fn refuse_if_used(permit: &Permit<'_>, row: &channel::Model) -> Result<()> {
    let touchpoints = touchpoint_channel::Entity::find()
        .filter(touchpoint_channel::Column::ChannelId.eq(row.id))
        .count(permit.tx())
        .await?;
    let measurements = measurement::Entity::find()
        .filter(measurement::Column::ChannelId.eq(row.id))
        .count(permit.tx())
        .await?;
    let rules = routing_rule::Entity::find()
        .filter(routing_rule::Column::ChannelId.eq(row.id))
        .count(permit.tx())
        .await?;
    let targets = kpi_target::Entity::find()
        .filter(kpi_target::Column::ChannelId.eq(row.id))
        .count(permit.tx())
        .await?;
    if touchpoints + measurements + targets + rules == 0 {
        return Ok(());
    }
    let message = format!(
        "It is named by {touchpoints} touchpoints, {measurements} measurements, {targets} targets and {rules} routing rules."
    );
    Err(Error::conflict("id", Reason::InUse, message).with_current(row.id.0))
}
