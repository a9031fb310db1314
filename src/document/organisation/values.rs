//! The values of KPIs, turned into rows, each held to what its KPI is. One is in force for each day and place.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::{kpi, measurement};

use super::{
    history::BlueprintPartsByKey,
    schema::{MeasuredEntry, OrganisationInput},
    shared_rows::SharedRows,
};
use crate::{
    document::catalogue::fold_key,
    error::UserErrorCode,
    id,
    input::Faults,
    intake::DuplicateFinder,
    kpi::{
        measurement::{MeasurementKey, add_measured_day_fault, complete_figures},
        rules::GivenFigures,
    },
};

/// The blueprints of a document, by their keys in small letters; of one that was refused nothing.
pub(super) type ImportedBlueprints = HashMap<String, Option<BlueprintPartsByKey>>;

/// The values of every KPI.
pub(super) fn measurement_rows(
    said: &OrganisationInput,
    (shared, blueprints): (&SharedRows, &ImportedBlueprints),
    (now, today): (DateTime<Utc>, NaiveDate),
    faults: &mut Faults,
) -> Vec<measurement::Model> {
    let mut rows = Vec::new();
    // Without faults above there are as many rows of KPIs as the document has.
    for ((at, entry), kpi) in said.kpis.iter().enumerate().zip(&shared.kpis) {
        let mut once = DuplicateFinder::default();
        for (number, measured) in (0..).zip(&entry.measurements) {
            let path = format!("kpis.{at}.measurements.{number}");
            add_measured_day_fault(
                faults,
                &format!("{path}.measuredOn"),
                measured.measured_on,
                today,
            );
            let key = measurement_key(&path, (kpi, measured), (shared, blueprints), faults);
            let row = measurement_row(&path, (kpi, measured), key.as_ref(), now, faults);
            // Of one whose place is not known nobody can say that it is there twice.
            if let Some(key) = key {
                once.add_occurrence(&key, number);
                rows.extend(row);
            }
        }
        for (number, first) in once.into_duplicates() {
            let path = format!("kpis.{at}.measurements.{number}");
            let message = format!("This is the same day and place as measurement {first}.");
            faults.add(&path, UserErrorCode::Duplicate, None, message);
        }
    }
    rows
}

fn measurement_key(
    path: &str,
    (kpi, said): (&kpi::Model, &MeasuredEntry),
    (shared, blueprints): (&SharedRows, &ImportedBlueprints),
    faults: &mut Faults,
) -> Option<MeasurementKey> {
    let at = |field: &str| format!("{path}.{field}");
    let touchpoint = match (&said.blueprint, &said.touchpoint) {
        (Some(blueprint), Some(touchpoint)) => match blueprints.get(&fold_key(blueprint)) {
            Some(Some(loaded)) => loaded
                .find_touchpoint(&at("touchpoint"), touchpoint, faults)
                .map(Some),
            // Why it is not there is told at the blueprint.
            Some(None) => None,
            None => {
                let message = format!("There is no blueprint \"{blueprint}\" in this document.");
                faults.add(&at("blueprint"), UserErrorCode::NotFound, None, message);
                None
            }
        },
        (None, None) => Some(None),
        _ => {
            let message = "Name the blueprint of the touchpoint too.";
            faults.add(path, UserErrorCode::Invalid, None, message);
            None
        }
    };
    let channel = said.channel.as_ref().and_then(|key| {
        let keys = &shared.channel_keys;
        keys.find(&at("channel"), "channel", key, faults)
    });
    let segment = said.segment.as_ref().and_then(|key| {
        let keys = &shared.segment_keys;
        keys.find(&at("segment"), "segment", key, faults)
    });
    Some(MeasurementKey {
        kpi: kpi.id,
        touchpoint: touchpoint?,
        channel,
        segment,
        measured_on: said.measured_on,
    })
}

fn measurement_row(
    path: &str,
    (kpi, said): (&kpi::Model, &MeasuredEntry),
    key: Option<&MeasurementKey>,
    now: DateTime<Utc>,
    faults: &mut Faults,
) -> Option<measurement::Model> {
    let given = GivenFigures {
        value: said.value,
        numerator: said.numerator,
        denominator: said.denominator,
        sample_size: said.sample_size,
    };
    let figures = complete_figures(faults, path, kpi, &given);
    let source = faults.check_optional_text(&format!("{path}.source"), said.source.as_deref());
    let key = key?;
    Some(measurement::Model {
        id: id::new(),
        kpi_id: key.kpi,
        touchpoint_id: key.touchpoint,
        channel_id: key.channel,
        segment_id: key.segment,
        measured_on: key.measured_on,
        value: figures.value,
        numerator: figures.numerator,
        denominator: figures.denominator,
        sample_size: figures.sample_size,
        source,
        recorded_at: now,
        recorded_by_account_id: None,
        superseded_by_id: None,
        series_revision: 0,
    })
}
