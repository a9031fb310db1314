//! Targets: what a KPI should reach from a day on, until the next entry's day. An entry without a value says that
//! there is no target from its day on, so nothing can overlap.

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    channel,
    id::{KpiId, KpiTargetId},
    kpi, kpi_target, segment,
    words::Sensitivity,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Set};

use super::rules;
use crate::{
    access::{Caller, Permit, expect_known_version, expect_version, require_unarchived},
    audit,
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults},
    judgement::KpiPart,
    policy::Action,
    scalar::Date,
};

/// A target of a KPI, or of one channel or segment of it, from a day on; replaces one of the same day.
#[derive(InputObject)]
pub struct KpiTargetSetInput {
    /// An id made by the client (a UUID of version 7) for a new entry, so that a retry makes nothing twice.
    pub id: Option<ID>,
    /// The version of the entry of that day that is replaced; absent where you know of none. Where there is one
    /// that you did not name, and it differs, that is a CONFLICT.
    pub expected_version: Option<i32>,
    /// Id of the KPI.
    pub kpi_id: ID,
    /// The first day (included); in force until the first day of the next target.
    pub valid_from: Date,
    /// The channel that it is for; null for all.
    pub channel_id: Option<ID>,
    /// The segment that it is for; null for all.
    pub segment_id: Option<ID>,
    /// The value to reach; null for no target from that day on. REQUIRED where it is absent.
    pub value: MaybeUndefined<f64>,
    /// The level, on the worse side of the target, up to which a missed target is only AT_RISK; null for none. Absent
    /// keeps that of the entry of the day.
    pub warning: MaybeUndefined<f64>,
}

/// A target value with its warning level.
#[derive(Clone, Copy, PartialEq)]
struct TargetLevel {
    value: Option<f64>,
    warning: Option<f64>,
}

impl TargetLevel {
    /// What the entry of the day, which may be there already, comes to.
    fn after(input: &KpiTargetSetInput, before: Option<&kpi_target::Model>) -> Self {
        let value = input.value.value().copied();
        let kept = before.and_then(|before| before.warning);
        let kept = kept.filter(|_| value.is_some());
        Self {
            value,
            warning: input
                .warning
                .as_opt_ref()
                .map_or(kept, |said| said.copied()),
        }
    }
}

/// Makes or replaces the entry of a day.
pub async fn set_target(caller: &Caller, input: KpiTargetSetInput) -> Result<kpi_target::Model> {
    let mut faults = Faults::default();
    let id: KpiTargetId = faults.parse_or_make_id(input.id.as_ref());
    let kpi_id: KpiId = faults.parse_id("kpiId", &input.kpi_id);
    let part = KpiPart {
        channel: faults.parse_optional_id("channelId", input.channel_id.as_ref()),
        segment: faults.parse_optional_id("segmentId", input.segment_id.as_ref()),
    };
    faults.check_day("validFrom", input.valid_from.0);
    if input.value.is_undefined() {
        let message = "Give the value, or null for no target from this day on.";
        faults.add("value", UserErrorCode::Required, None, message);
    }
    faults.check()?;
    let (kpi, mut permit) = caller
        .fetch_locked::<kpi::Entity>(Action::DefineKpi, "kpiId", kpi_id)
        .await?;
    require_unarchived::<kpi::Entity>("kpiId", &kpi)?;
    let of_day = kpi_target::Entity::find()
        .filter(kpi_target::Column::KpiId.eq(kpi.id))
        .filter(kpi_target::Column::ValidFrom.eq(input.valid_from.0))
        .filter(part_condition(part))
        .one(permit.tx())
        .await?;
    let level = TargetLevel::after(&input, of_day.as_ref());
    let mut faults = Faults::default();
    for wrong in rules::target_faults(kpi.direction, level.value, level.warning) {
        faults.add(wrong.field, wrong.code, wrong.reason, wrong.message);
    }
    faults.check()?;
    if let Some(channel) = part.channel {
        permit.get::<channel::Entity>("channelId", channel).await?;
    }
    if let Some(segment) = part.segment {
        permit.get::<segment::Entity>("segmentId", segment).await?;
    }
    redact_if_confidential(&mut permit, &kpi);
    let row = match of_day {
        Some(before) => update_target(&mut permit, &before, (&input, level)).await?,
        None => create_target(&mut permit, id, (&kpi, part), (&input, level)).await?,
    };
    permit.commit().await?;
    Ok(row)
}

/// The targets of one part, or of the whole.
fn part_condition(part: KpiPart) -> Condition {
    use kpi_target::Column::{ChannelId, SegmentId};
    let channel = part
        .channel
        .map_or_else(|| ChannelId.is_null(), |id| ChannelId.eq(id));
    let segment = part
        .segment
        .map_or_else(|| SegmentId.is_null(), |id| SegmentId.eq(id));
    Condition::all().add(channel).add(segment)
}

/// Keeps what is confidential out of the audit log.
fn redact_if_confidential(permit: &mut Permit<'_>, kpi: &kpi::Model) {
    if kpi.sensitivity == Sensitivity::Confidential {
        permit.redact_in_events(audit::CONFIDENTIAL_TARGET_FIELDS);
    }
}

async fn create_target(
    permit: &mut Permit<'_>,
    id: KpiTargetId,
    (kpi, part): (&kpi::Model, KpiPart),
    (input, level): (&KpiTargetSetInput, TargetLevel),
) -> Result<kpi_target::Model> {
    if input.expected_version.is_some() {
        let message = "There is no target of that day any more.";
        return Err(Error::conflict(
            "expectedVersion",
            Reason::VersionStale,
            message,
        ));
    }
    // An id that made an entry which has since been taken away is free again; any other use of it is refused.
    permit
        .find_already_created::<kpi_target::Entity>(input.id.as_ref(), id, |_| false)
        .await?;
    permit
        .insert::<kpi_target::Entity>(kpi_target::ActiveModel {
            id: Set(id),
            kpi_id: Set(kpi.id),
            channel_id: Set(part.channel),
            segment_id: Set(part.segment),
            valid_from: Set(input.valid_from.0),
            value: Set(level.value),
            warning: Set(level.warning),
            created_at: Set(permit.caller.now),
            version: Set(1),
        })
        .await
}

async fn update_target(
    permit: &mut Permit<'_>,
    before: &kpi_target::Model,
    (input, level): (&KpiTargetSetInput, TargetLevel),
) -> Result<kpi_target::Model> {
    let same = (before.value, before.warning) == (level.value, level.warning);
    let there_is = "There already is a target from that day on.";
    expect_known_version::<kpi_target::Entity>(before, input.expected_version, same, there_is)?;
    let change = kpi_target::ActiveModel {
        value: Set(level.value),
        warning: Set(level.warning),
        ..Default::default()
    };
    permit.update::<kpi_target::Entity>(before, change).await
}

/// Takes an entry away; the one before it counts on.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<kpi_target::Model> {
    let id: KpiTargetId = input::parse_id("id", &input.id)?;
    let mut permit = caller.open_permit_without_check().await?;
    let found = permit.get::<kpi_target::Entity>("id", id).await?;
    // The KPI's lock comes first, as in `set_target`: only under it does the entry stay as it is read.
    let kpi = permit
        .fetch_locked::<kpi::Entity>(Action::DefineKpi, "id", found.kpi_id)
        .await?;
    require_unarchived::<kpi::Entity>("id", &kpi)?;
    let row = permit
        .lock_and_read_row::<kpi_target::Entity>("id", id)
        .await?;
    expect_version::<kpi_target::Entity>(&row, input.expected_version)?;
    redact_if_confidential(&mut permit, &kpi);
    permit.delete::<kpi_target::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}
