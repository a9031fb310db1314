//! What a series cannot tell, each said in a sentence. Pure.

use std::collections::BTreeSet;

use entity::{kpi, words::Aggregation};

use super::request::{Dimension, MOST_CELLS, SeriesRequest};
use crate::{
    bi::model::days::MOST_DAYS,
    input::{REVERSED_RANGE, is_reversed_range},
    scalar::{DAY_OUT_OF_RANGE, is_day_in_range},
};

/// How many KPIs a sentence names.
const NAMED: usize = 5;

/// What is wrong with the request itself.
#[must_use]
pub(super) fn request_faults(request: &SeriesRequest) -> Vec<String> {
    let mut faults = Vec::new();
    if !is_day_in_range(request.from) || !is_day_in_range(request.to) {
        faults.push(DAY_OUT_OF_RANGE.to_owned());
    }
    if is_reversed_range(Some(request.from), Some(request.to)) {
        faults.push(REVERSED_RANGE.to_owned());
    }
    let days = request.to.signed_duration_since(request.from).num_days();
    if usize::try_from(days).is_ok_and(|days| days > MOST_DAYS) {
        faults.push(format!("A series has at most {MOST_DAYS} days."));
    }
    let distinct: BTreeSet<Dimension> = request.by.iter().copied().collect();
    if distinct.len() < request.by.len() {
        faults.push("Name each dimension of a series only once.".to_owned());
    }
    faults
}

/// What these KPIs do not allow.
#[must_use]
pub(super) fn kpi_faults(request: &SeriesRequest, kpis: &[kpi::Model]) -> Vec<String> {
    let mut faults = Vec::new();
    let coarser: Vec<&kpi::Model> = kpis
        .iter()
        .filter(|kpi| request.grain.is_finer_than(kpi.cadence))
        .collect();
    if let Some(first) = coarser.first() {
        faults.push(format!(
            "A {} is finer than the cadence of {}: {} is measured {}.",
            request.grain.as_str(),
            kpi_keys_text(coarser.iter().copied()),
            first.key,
            first.cadence.as_str(),
        ));
    }
    if !request.groups_by(Dimension::Kpi) {
        faults.extend(mixed_kpi_faults(kpis));
    }
    faults
}

/// What keeps several KPIs from having a value in common.
fn mixed_kpi_faults(kpis: &[kpi::Model]) -> Vec<String> {
    let [first, rest @ ..] = kpis else {
        return Vec::new();
    };
    if rest.is_empty() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut differ = |what: &str, other: Option<&kpi::Model>, word: fn(&kpi::Model) -> String| {
        if let Some(other) = other {
            faults.push(format!(
                "{what}: {} is {}, {} is {}. Ask for one kind, or add the dimension KPI.",
                first.key,
                word(first),
                other.key,
                word(other),
            ));
        }
    };
    let unlike =
        |same: fn(&kpi::Model, &kpi::Model) -> bool| rest.iter().find(|other| !same(first, other));
    differ(
        "Units never mix",
        unlike(|one, other| (one.unit, &one.currency) == (other.unit, &other.currency)),
        |kpi| match &kpi.currency {
            Some(currency) => format!("{} in {currency}", kpi.unit.as_str()),
            None => kpi.unit.as_str().to_owned(),
        },
    );
    differ(
        "Values that come together in different ways have none in common",
        unlike(|one, other| one.aggregation == other.aggregation),
        |kpi| kpi.aggregation.as_str().to_owned(),
    );
    differ(
        "What is better higher and what is better lower have no value in common",
        unlike(|one, other| one.direction == other.direction),
        |kpi| kpi.direction.as_str().to_owned(),
    );
    differ(
        "What tells of a contact and what tells of the relationship never mix",
        unlike(|one, other| one.scope == other.scope),
        |kpi| kpi.scope.as_str().to_owned(),
    );
    if faults.is_empty() && first.aggregation == Aggregation::Last {
        faults.push(format!(
            "The aggregation LAST is not defined for several KPIs ({}). Ask for one, or add the dimension KPI.",
            kpi_keys_text(kpis.iter())
        ));
    }
    faults
}

/// That these KPIs were never measured by a dimension that is asked for.
#[must_use]
pub(super) fn unmeasured_fault<'k>(
    dimension: Dimension,
    kpis: impl ExactSizeIterator<Item = &'k kpi::Model>,
) -> Option<String> {
    (kpis.len() > 0).then(|| {
        let dimension = dimension.as_str();
        format!("Not measured by {dimension}: {}.", kpi_keys_text(kpis))
    })
}

/// That an answer would be too large.
#[must_use]
pub(super) fn too_large_fault() -> String {
    format!(
        "This would give more than {MOST_CELLS} rows. Ask for fewer days, a coarser grain, fewer dimensions or fewer \
         KPIs."
    )
}

fn kpi_keys_text<'k>(kpis: impl ExactSizeIterator<Item = &'k kpi::Model>) -> String {
    let count = kpis.len();
    let named: Vec<&str> = kpis.take(NAMED).map(|kpi| kpi.key.as_str()).collect();
    match count.checked_sub(NAMED) {
        Some(more) if more > 0 => format!("{} and {more} more", named.join(", ")),
        _ => named.join(", "),
    }
}
