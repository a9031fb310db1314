//! Recording measurements by the batch: all or none, the same batch twice changes nothing, and every fault is
//! told at once. The number of statements does not depend on the size of the batch.

use std::collections::{BTreeSet, HashMap, HashSet};

use async_graphql::{ID, InputObject};
use entity::{
    channel,
    id::{Id, KpiId},
    kpi, segment, touchpoint,
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType};

use super::{
    measurement::{
        MeasurementBatchResult, MeasurementContent, MeasurementKey, MeasurementsRecorded,
        add_measured_day_fault, fed_by_answers_fault, upsert,
    },
    rules::{self, FigureFault, GivenFigures, MeasurementFigures},
};
use crate::{
    access::{Caller, FindingDependency, Guarded, Permit},
    audit::AuditedChange,
    error::{Result, UserErrorCode},
    input::Faults,
    intake::DuplicateFinder,
    judgement::find_kpis_with_hidden_values,
    policy::{Action, Relation, RowTies},
    scalar::Date,
};

/// How many measurements one batch has at the most.
pub const MOST: usize = 1_000;

/// Measurements to record: all or none.
#[derive(InputObject)]
pub struct KpiMeasurementsRecordInput {
    /// At most 1,000 entries.
    pub measurements: Vec<KpiMeasurementInput>,
}

/// A value of a KPI on a day. There is one value in force per KPI, day, touchpoint, channel and segment: recording an
/// equal one changes nothing, a different one corrects it.
#[derive(InputObject)]
pub struct KpiMeasurementInput {
    /// Id of the KPI.
    pub kpi_id: ID,
    /// Id of the touchpoint where it was measured; null for the KPI as a whole.
    pub touchpoint_id: Option<ID>,
    /// The channel that it was measured on; null for all.
    pub channel_id: Option<ID>,
    /// The segment that it was measured in; null for all.
    pub segment_id: Option<ID>,
    /// The day, not after today.
    pub measured_on: Date,
    /// The value, in the KPI's unit: 6.1 is 6.1 %. Of a share (the aggregation or the unit RATIO) it agrees with
    /// numerator and denominator, or is left out and follows from them.
    pub value: Option<f64>,
    /// Numerator of a share; signed for NPS.
    pub numerator: Option<f64>,
    /// Denominator of a share: the number of cases.
    pub denominator: Option<f64>,
    /// Sample size: the number of answers.
    pub sample_size: Option<i32>,
    /// Origin of the value.
    pub source: Option<String>,
}

/// A measurement as it was read from the input, and where in the list it stands.
struct MeasurementEntry {
    path: String,
    key: MeasurementKey,
    given: GivenFigures,
    source: Option<String>,
}

/// Records a batch.
pub async fn record_measurements(
    caller: &Caller,
    input: KpiMeasurementsRecordInput,
) -> Result<MeasurementsRecorded> {
    let mut faults = Faults::default();
    let entries = parse_measurement_inputs(caller, &mut faults, input.measurements);
    // Only now: a malformed batch takes no lock.
    let mut permit = caller.open_permit_without_check().await?;
    let ids = collect_entry_ids(&entries, |key| Some(key.kpi));
    let kpis = lock_kpis(&mut permit, ids).await?;
    // Not at the first fault: a program that sends a thousand values is told of all that are wrong in one answer.
    add_unknown_place_faults(&permit, &mut faults, &entries).await?;
    let values = complete_entries(&mut faults, entries, &kpis);
    faults.check()?;
    // Who may record and not read is told no counts of what was there before: they would give the values away.
    let hidden = find_kpis_with_hidden_values(permit.caller, permit.tx(), kpis.values()).await?;
    let put = upsert(&permit, values, hidden).await?;
    audit_recorded_measurements(&mut permit, &kpis, &put);
    permit.commit().await?;
    Ok(put.done)
}

/// The figures recorded for a KPI, whichever way they come, and what is wrong with recording them.
pub(super) fn complete_recorded_figures(
    kpi: &kpi::Model,
    given: &GivenFigures,
) -> (MeasurementFigures, Vec<FigureFault>) {
    let archived = kpi.archived_at.map(|_| FigureFault {
        field: "kpiId",
        code: UserErrorCode::Archived,
        reason: None,
        message: "This KPI is archived. Unarchive it first.".to_owned(),
    });
    let (figures, wrong) = rules::complete_figures(kpi.into(), given);
    let all = archived.into_iter().chain(fed_by_answers_fault(kpi));
    (figures, all.chain(wrong).collect())
}

/// Reads the list, and finds what is wrong with it by itself.
fn parse_measurement_inputs(
    caller: &Caller,
    faults: &mut Faults,
    list: Vec<KpiMeasurementInput>,
) -> Vec<MeasurementEntry> {
    faults.check_count("measurements", list.len(), MOST);
    if list.len() > MOST {
        // Its entries are not read: a list of a million would be a million faults.
        return Vec::new();
    }
    let mut once = DuplicateFinder::default();
    let mut entries = Vec::with_capacity(list.len());
    for (at, input) in (0..).zip(list) {
        let entry = parse_measurement_input(caller, faults, format!("measurements.{at}"), &input);
        // What has no KPI has been found fault with already.
        if !entry.key.kpi.0.is_nil() {
            once.add_occurrence(&entry.key, at);
        }
        entries.push(entry);
    }
    for (at, first) in once.into_duplicates() {
        let path = format!("measurements.{at}");
        let message = format!("This is the same KPI, day and place as measurement {first}.");
        faults.add(&path, UserErrorCode::Duplicate, None, message);
    }
    entries
}

fn parse_measurement_input(
    caller: &Caller,
    faults: &mut Faults,
    path: String,
    input: &KpiMeasurementInput,
) -> MeasurementEntry {
    let at = |field: &str| format!("{path}.{field}");
    add_measured_day_fault(faults, &at("measuredOn"), input.measured_on.0, caller.today);
    let key = MeasurementKey {
        kpi: faults.parse_id(&at("kpiId"), &input.kpi_id),
        touchpoint: faults.parse_optional_id(&at("touchpointId"), input.touchpoint_id.as_ref()),
        channel: faults.parse_optional_id(&at("channelId"), input.channel_id.as_ref()),
        segment: faults.parse_optional_id(&at("segmentId"), input.segment_id.as_ref()),
        measured_on: input.measured_on.0,
    };
    let given = GivenFigures {
        value: input.value,
        numerator: input.numerator,
        denominator: input.denominator,
        sample_size: input.sample_size,
    };
    let source = faults.check_optional_text(&at("source"), input.source.as_deref());
    MeasurementEntry {
        path,
        key,
        given,
        source,
    }
}

/// The ids that the entries name, in ascending order; those that could not be read are left out.
fn collect_entry_ids<I: Id>(
    entries: &[MeasurementEntry],
    id: impl Fn(&MeasurementKey) -> Option<I>,
) -> BTreeSet<I> {
    let ids = entries.iter().filter_map(|entry| id(&entry.key));
    ids.filter(|id| !id.uuid().is_nil()).collect()
}

/// The KPIs, each under its lock, taken in ascending order so that two batches cannot wait for one another. One
/// that the caller may see and not record for refuses the whole batch.
pub(super) async fn lock_kpis(
    permit: &mut Permit<'_>,
    ids: BTreeSet<KpiId>,
) -> Result<HashMap<KpiId, kpi::Model>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = permit
        .caller
        .select::<kpi::Entity>()
        .filter(kpi::Column::Id.is_in(ids))
        .order_by_asc(kpi::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(permit.tx())
        .await?;
    for kpi in &rows {
        let ties = RowTies::none().with_departments(Relation::OwnsKpi, [kpi.owner_department_id]);
        permit.require_permission_on_row::<kpi::Entity>(Action::RecordMeasurement, &ties, kpi)?;
    }
    Ok(rows.into_iter().map(|kpi| (kpi.id, kpi)).collect())
}

/// What the entries say of their KPIs.
fn complete_entries(
    faults: &mut Faults,
    entries: Vec<MeasurementEntry>,
    kpis: &HashMap<KpiId, kpi::Model>,
) -> Vec<(MeasurementKey, MeasurementContent)> {
    let mut values = Vec::with_capacity(entries.len());
    for entry in entries {
        let path = |field: &str| format!("{}.{field}", entry.path);
        match kpis.get(&entry.key.kpi) {
            Some(kpi) => {
                let (figures, wrong) = complete_recorded_figures(kpi, &entry.given);
                for wrong in wrong {
                    let path = path(wrong.field);
                    faults.add(&path, wrong.code, wrong.reason, wrong.message);
                }
                let source = entry.source;
                values.push((entry.key, MeasurementContent { figures, source }));
            }
            None if entry.key.kpi.0.is_nil() => {}
            None => {
                let message = "There is no such KPI.";
                faults.add(&path("kpiId"), UserErrorCode::NotFound, None, message);
            }
        }
    }
    values
}

async fn add_unknown_place_faults(
    permit: &Permit<'_>,
    faults: &mut Faults,
    entries: &[MeasurementEntry],
) -> Result<()> {
    add_unknown_id_faults::<touchpoint::Entity>(permit, faults, entries, "touchpointId", |key| {
        key.touchpoint
    })
    .await?;
    add_unknown_id_faults::<channel::Entity>(permit, faults, entries, "channelId", |key| {
        key.channel
    })
    .await?;
    add_unknown_id_faults::<segment::Entity>(permit, faults, entries, "segmentId", |key| {
        key.segment
    })
    .await
}

/// Finds fault with ids of what is not there, or not for the caller.
async fn add_unknown_id_faults<E: Guarded>(
    permit: &Permit<'_>,
    faults: &mut Faults,
    entries: &[MeasurementEntry],
    field: &str,
    id: impl Fn(&MeasurementKey) -> Option<E::Id>,
) -> Result<()>
where
    E::Id: std::hash::Hash + sea_orm::TryGetable,
{
    let ids = collect_entry_ids(entries, &id);
    if ids.is_empty() {
        return Ok(());
    }
    let there: Vec<E::Id> = permit
        .caller
        .select::<E>()
        .select_only()
        .column(E::id_column())
        .filter(E::id_column().is_in(ids))
        .into_tuple()
        .all(permit.tx())
        .await?;
    let there: HashSet<E::Id> = there.into_iter().collect();
    for entry in entries {
        if id(&entry.key).is_some_and(|id| !id.uuid().is_nil() && !there.contains(&id)) {
            let path = format!("{}.{field}", entry.path);
            let message = format!("There is no such {}.", E::NOUN);
            faults.add(&path, UserErrorCode::NotFound, None, message);
        }
    }
    Ok(())
}

/// One event for all of it, without values.
pub(super) fn audit_recorded_measurements(
    permit: &mut Permit<'_>,
    kpis: &HashMap<KpiId, kpi::Model>,
    MeasurementBatchResult {
        done,
        kpis: changed,
    }: &MeasurementBatchResult,
) {
    let Some(first) = changed.first().and_then(|id| kpis.get(id)) else {
        return;
    };
    for id in changed {
        permit.invalidate_findings(FindingDependency::Kpi(*id));
    }
    let ids: Vec<String> = changed.iter().map(ToString::to_string).collect();
    let batch = serde_json::json!({
        "recorded": done.recorded,
        "corrected": done.corrected,
        "unchanged": done.unchanged,
        "kpiIds": ids,
    });
    permit.add_audit_event(AuditedChange::for_change_outside_row::<kpi::Entity>(
        first, batch,
    ));
}
