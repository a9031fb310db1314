//! Segments: the real groups of people that personas stand for and touchpoints are for.

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    id::SegmentId, kpi_target, measurement, persona_segment, phase_segment, routing_rule, segment,
    touchpoint_segment,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};

use crate::{
    access::{Caller, Permit, expect_version},
    error::{Error, Reason, Result},
    input::{self, AtVersionInput, Faults, set_if_given},
    policy::{Action, RowTies},
};

/// A new segment.
#[derive(InputObject)]
pub struct SegmentCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Key, unique in the organisation; derived from dimension and value if absent.
    pub key: Option<String>,
    /// The dimension, such as LIFE_STAGE, EDUCATION_TYPE or MARKET.
    pub dimension: String,
    /// The value of the dimension, such as STUDENT.
    pub value: String,
}

/// Changes to a segment. Absent fields stay as they are; null clears, or is REQUIRED where there is always a value.
#[derive(InputObject)]
pub struct SegmentUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The dimension.
    pub dimension: MaybeUndefined<String>,
    /// The value of the dimension.
    pub value: MaybeUndefined<String>,
}

/// Makes a segment.
pub async fn create(caller: &Caller, input: SegmentCreateInput) -> Result<segment::Model> {
    let mut faults = Faults::default();
    let id: SegmentId = faults.parse_or_make_id(input.id.as_ref());
    let dimension = faults.check_name("dimension", &input.dimension);
    let value = faults.check_name("value", &input.value);
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    faults.check()?;
    let mut permit = caller
        .open_permit(Action::KeepCatalogue, &RowTies::none())
        .await?;
    let same = |row: &segment::Model| row.dimension == dimension && row.value == value;
    if let Some(row) = permit
        .find_already_created::<segment::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let name = format!("{dimension} {value}");
    let key = permit
        .choose_unique_key::<segment::Entity>(key.as_deref(), &name, id, None)
        .await?;
    let row = permit
        .insert::<segment::Entity>(segment::ActiveModel {
            id: Set(id),
            key: Set(key),
            dimension: Set(dimension),
            value: Set(value),
            created_at: Set(caller.now),
            version: Set(1),
        })
        .await?;
    permit.commit().await?;
    Ok(row)
}

/// Changes dimension or value.
pub async fn update(caller: &Caller, input: SegmentUpdateInput) -> Result<segment::Model> {
    let mut faults = Faults::default();
    let id: SegmentId = faults.parse_id("id", &input.id);
    let dimension = set_if_given(faults.given("dimension", &input.dimension), |text| {
        faults.check_name("dimension", text)
    });
    let value = set_if_given(faults.given("value", &input.value), |text| {
        faults.check_name("value", text)
    });
    faults.check()?;
    let (row, mut permit) = caller
        .fetch_locked::<segment::Entity>(Action::KeepCatalogue, "id", id)
        .await?;
    expect_version::<segment::Entity>(&row, input.expected_version)?;
    let change = segment::ActiveModel {
        dimension,
        value,
        ..Default::default()
    };
    let row = permit.update::<segment::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Deletes a segment that nothing names.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<segment::Model> {
    let id: SegmentId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<segment::Entity>(Action::KeepCatalogue, "id", id)
        .await?;
    expect_version::<segment::Entity>(&row, input.expected_version)?;
    refuse_if_used(&permit, &row).await?;
    permit.delete::<segment::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

async fn refuse_if_used(permit: &Permit<'_>, row: &segment::Model) -> Result<()> {
    let personas = persona_segment::Entity::find()
        .filter(persona_segment::Column::SegmentId.eq(row.id))
        .count(permit.tx())
        .await?;
    let touchpoints = touchpoint_segment::Entity::find()
        .filter(touchpoint_segment::Column::SegmentId.eq(row.id))
        .count(permit.tx())
        .await?;
    let phases = phase_segment::Entity::find()
        .filter(phase_segment::Column::SegmentId.eq(row.id))
        .count(permit.tx())
        .await?;
    let measurements = measurement::Entity::find()
        .filter(measurement::Column::SegmentId.eq(row.id))
        .count(permit.tx())
        .await?;
    let rules = routing_rule::Entity::find()
        .filter(routing_rule::Column::SegmentId.eq(row.id))
        .count(permit.tx())
        .await?;
    let targets = kpi_target::Entity::find()
        .filter(kpi_target::Column::SegmentId.eq(row.id))
        .count(permit.tx())
        .await?;
    if personas + phases + touchpoints + measurements + targets + rules == 0 {
        return Ok(());
    }
    let message = format!(
        "It is named by {personas} personas, {phases} phases, {touchpoints} touchpoints, {measurements} measurements, {targets} targets and {rules} routing rules."
    );
    Err(Error::conflict("id", Reason::InUse, message).with_current(row.id.0))
}
