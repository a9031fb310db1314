//! Links: for which days a KPI judges a touchpoint, a phase or a whole blueprint. A KPI judges a place once on any
//! day.

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    id::{KpiId, KpiLinkId},
    kpi, kpi_link,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

pub use super::days::days_overlap;
use super::{days::LinkDays, fed::KpisWithChangingLinks};
use crate::{
    access::{Caller, Permit, expect_version, require_unarchived},
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, set_or_clear},
    policy::Action,
    scalar::Date,
    touchpoint::place::{BlueprintOrPart, BlueprintOrPartId},
};

/// A new link: a KPI judges exactly one of a touchpoint, a phase or a blueprint.
#[derive(InputObject)]
pub struct KpiLinkCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Id of the KPI.
    pub kpi_id: ID,
    /// Id of the touchpoint that it judges.
    pub touchpoint_id: Option<ID>,
    /// Id of the phase that it judges as a whole.
    pub phase_id: Option<ID>,
    /// Id of the blueprint that it judges as a whole.
    pub blueprint_id: Option<ID>,
    /// The first day (included); null for no beginning.
    pub valid_from: Option<Date>,
    /// The day after the last one (excluded); null for no end.
    pub valid_to: Option<Date>,
    /// Weight relative to other links, for display only.
    pub weight: Option<f64>,
}

/// Changes to a link. Absent fields stay as they are; null clears, or is REQUIRED where there is always a value.
#[derive(InputObject)]
pub struct KpiLinkUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The first day (included); null for no beginning.
    pub valid_from: MaybeUndefined<Date>,
    /// The day after the last one (excluded); null for no end.
    pub valid_to: MaybeUndefined<Date>,
    /// Weight relative to other links, for display only.
    pub weight: MaybeUndefined<f64>,
}

fn location_of(link: &kpi_link::Model) -> BlueprintOrPart {
    BlueprintOrPart {
        blueprint: link.blueprint_id,
        phase: link.phase_id,
        touchpoint: link.touchpoint_id,
    }
}

/// Links a KPI to a place.
pub async fn create(caller: &Caller, input: KpiLinkCreateInput) -> Result<kpi_link::Model> {
    let mut faults = Faults::default();
    let id: KpiLinkId = faults.parse_or_make_id(input.id.as_ref());
    let kpi_id: KpiId = faults.parse_id("kpiId", &input.kpi_id);
    let days: LinkDays = (
        input.valid_from.map(Into::into),
        input.valid_to.map(Into::into),
    );
    add_link_days_faults(&mut faults, "", days);
    faults.check_number("weight", input.weight);
    let which = BlueprintOrPartId::from_ids(
        &mut faults,
        (
            input.touchpoint_id.as_ref(),
            input.phase_id.as_ref(),
            input.blueprint_id.as_ref(),
        ),
        "A link is to exactly one of a touchpoint, a phase or a blueprint.",
    );
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let place = which.lock_and_locate(&mut permit).await?;
    let kpi = fetch_locked_live_kpi(&mut permit, "kpiId", kpi_id).await?;
    let same = |row: &kpi_link::Model| row.kpi_id == kpi.id && location_of(row) == place;
    if let Some(row) = permit
        .find_already_created::<kpi_link::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    refuse_overlap(&permit, kpi.id, place, days, None).await?;
    let (kpi_id, relinking) = (
        kpi.id,
        KpisWithChangingLinks::begin(&permit, vec![kpi]).await?,
    );
    let row = permit
        .insert::<kpi_link::Entity>(kpi_link::ActiveModel {
            id: Set(id),
            kpi_id: Set(kpi_id),
            blueprint_id: Set(place.blueprint),
            phase_id: Set(place.phase),
            touchpoint_id: Set(place.touchpoint),
            valid_from: Set(days.0),
            valid_to: Set(days.1),
            weight: Set(input.weight),
            created_at: Set(caller.now),
            version: Set(1),
        })
        .await?;
    relinking.finish(&mut permit).await?;
    permit.commit().await?;
    Ok(row)
}

/// Collects what is wrong with the days of the link at this path.
pub fn add_link_days_faults(faults: &mut Faults, path: &str, (from, to): LinkDays) {
    for (field, day) in [("validFrom", from), ("validTo", to)] {
        if let Some(day) = day {
            faults.check_day(&format!("{path}.{field}"), day);
        }
    }
    if from.zip(to).is_some_and(|(from, to)| to <= from) {
        let message = "This has to lie after the first day: it is the day after the last one.";
        let reason = Some(Reason::OutOfRange);
        let path = format!("{path}.validTo");
        faults.add(&path, UserErrorCode::Invalid, reason, message);
    }
}

/// The KPI under its lock, which is taken after the blueprint's.
async fn fetch_locked_live_kpi(
    permit: &mut Permit<'_>,
    field: &str,
    id: KpiId,
) -> Result<kpi::Model> {
    let kpi = permit
        .fetch_locked::<kpi::Entity>(Action::DefineKpi, field, id)
        .await?;
    require_unarchived::<kpi::Entity>(field, &kpi)?;
    Ok(kpi)
}

/// Refuses days on which the KPI judges the place already.
async fn refuse_overlap(
    permit: &Permit<'_>,
    kpi: KpiId,
    place: BlueprintOrPart,
    days: LinkDays,
    but: Option<KpiLinkId>,
) -> Result<()> {
    let links = kpi_link::Entity::find()
        .filter(kpi_link::Column::KpiId.eq(kpi))
        .filter(kpi_link::Column::BlueprintId.eq(place.blueprint))
        .all(permit.tx())
        .await?;
    let taken = links
        .iter()
        .filter(|link| Some(link.id) != but && location_of(link) == place)
        .any(|link| days_overlap((link.valid_from, link.valid_to), days));
    if !taken {
        return Ok(());
    }
    let message = "The KPI is already linked to this on some of these days.";
    let reason = Some(Reason::AlreadyLinked);
    Err(Error::fault(
        "kpiId",
        UserErrorCode::Duplicate,
        reason,
        message,
    ))
}

/// Changes the days or the weight of a link.
pub async fn update(caller: &Caller, input: KpiLinkUpdateInput) -> Result<kpi_link::Model> {
    let mut faults = Faults::default();
    let id: KpiLinkId = faults.parse_id("id", &input.id);
    faults.check_number("weight", input.weight.value().copied());
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let (row, kpi) = fetch_link_at_version(&mut permit, id, input.expected_version).await?;
    let day = |said: &MaybeUndefined<Date>, kept| match said {
        MaybeUndefined::Undefined => kept,
        MaybeUndefined::Null => None,
        MaybeUndefined::Value(day) => Some(day.0),
    };
    let days = (
        day(&input.valid_from, row.valid_from),
        day(&input.valid_to, row.valid_to),
    );
    let mut faults = Faults::default();
    add_link_days_faults(&mut faults, "", days);
    faults.check()?;
    refuse_overlap(&permit, row.kpi_id, location_of(&row), days, Some(row.id)).await?;
    let change = kpi_link::ActiveModel {
        valid_from: Set(days.0),
        valid_to: Set(days.1),
        weight: set_or_clear(&input.weight, |weight| weight.copied()),
        ..Default::default()
    };
    let relinking = KpisWithChangingLinks::begin(&permit, vec![kpi]).await?;
    let row = permit.update::<kpi_link::Entity>(&row, change).await?;
    relinking.finish(&mut permit).await?;
    permit.commit().await?;
    Ok(row)
}

async fn fetch_link_at_version(
    permit: &mut Permit<'_>,
    id: KpiLinkId,
    expected_version: i32,
) -> Result<(kpi_link::Model, kpi::Model)> {
    let row = permit
        .fetch_locked::<kpi_link::Entity>(Action::DefineKpi, "id", id)
        .await?;
    let kpi = fetch_locked_live_kpi(permit, "id", row.kpi_id).await?;
    expect_version::<kpi_link::Entity>(&row, expected_version)?;
    Ok((row, kpi))
}

/// Takes a link away, as if it had never been. What answers gave there stays measured. A link that has served is ended
/// instead, by its last day.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<kpi_link::Model> {
    let id: KpiLinkId = input::parse_id("id", &input.id)?;
    let mut permit = caller.open_permit_without_check().await?;
    let (row, kpi) = fetch_link_at_version(&mut permit, id, input.expected_version).await?;
    let relinking = KpisWithChangingLinks::begin(&permit, vec![kpi]).await?;
    permit.delete::<kpi_link::Entity>(&row).await?;
    relinking.finish(&mut permit).await?;
    permit.commit().await?;
    Ok(row)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn days_are_half_open_and_empty_ends_reach_for_ever() {
        let day = |day| NaiveDate::from_ymd_opt(2025, 1, day);
        assert!(!days_overlap((day(1), day(5)), (day(5), day(9))));
        assert!(days_overlap((day(1), day(6)), (day(5), day(9))));
        assert!(!days_overlap((None, day(5)), (day(5), None)));
        assert!(days_overlap((None, None), (day(5), day(6))));
    }
}
