//! Cells of employees' answers as measurements of the KPIs that judged their places throughout.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::{
    blueprint, employee_cell,
    id::{BlueprintId, KpiId, PhaseId, TouchpointId},
    kpi, kpi_link, touchpoint,
    words::{BlueprintStatus, Cadence, FeedbackScale, KpiScope, Subject},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};

use crate::{
    access::Permit,
    error::Result,
    kpi::{
        answers::{Tally, scale_feeding_kpi_type},
        cells::{self, AnonymousAnswerCell},
        days::LinkDays,
        measurement::MeasurementKey,
    },
};

/// What KPIs judge, as far as cells ask for it.
struct KpiLinksForCells {
    links: HashMap<KpiId, Vec<kpi_link::Model>>,
    phases: HashMap<TouchpointId, PhaseId>,
    /// Status and subject of every journey that is linked or has a cell.
    blueprints: HashMap<BlueprintId, (BlueprintStatus, Subject)>,
}

impl KpiLinksForCells {
    /// What these KPIs judge, and where these cells are.
    async fn load(
        permit: &Permit<'_>,
        kpis: &[&kpi::Model],
        cells: &[AnonymousAnswerCell],
    ) -> Result<Self> {
        let mut links: HashMap<KpiId, Vec<kpi_link::Model>> = HashMap::new();
        let rows = kpi_link::Entity::find()
            .filter(kpi_link::Column::KpiId.is_in(kpis.iter().map(|kpi| kpi.id)))
            .all(permit.tx())
            .await?;
        let mut blueprints: BTreeSet<BlueprintId> = cells
            .iter()
            .filter_map(|cell| cell.series.blueprint)
            .collect();
        for link in rows {
            blueprints.insert(link.blueprint_id);
            links.entry(link.kpi_id).or_default().push(link);
        }
        let places = cells.iter().filter_map(|cell| cell.series.touchpoint);
        let phases: Vec<(TouchpointId, PhaseId)> = touchpoint::Entity::find()
            .select_only()
            .columns([touchpoint::Column::Id, touchpoint::Column::PhaseId])
            .filter(touchpoint::Column::Id.is_in(places.collect::<BTreeSet<_>>()))
            .into_tuple()
            .all(permit.tx())
            .await?;
        use blueprint::Column;
        let blueprints: Vec<(BlueprintId, BlueprintStatus, Subject)> = blueprint::Entity::find()
            .select_only()
            .columns([Column::Id, Column::Status, Column::Subject])
            .filter(Column::Id.is_in(blueprints))
            .into_tuple()
            .all(permit.tx())
            .await?;
        let blueprints = blueprints.into_iter();
        Ok(Self {
            links,
            phases: phases.into_iter().collect(),
            blueprints: blueprints
                .map(|(id, status, subject)| (id, (status, subject)))
                .collect(),
        })
    }

    /// Whether a KPI counts a cell: where it judged its place throughout.
    fn should_count_cell(&self, kpi: &kpi::Model, cell: &AnonymousAnswerCell) -> bool {
        let series = &cell.series;
        let links = self.links.get(&kpi.id).map_or(&[][..], Vec::as_slice);
        let there = |link: &&kpi_link::Model| Some(link.blueprint_id) == series.blueprint;
        let judging = links.iter().filter(there);
        match (kpi.scope, series.touchpoint) {
            (KpiScope::Transactional, Some(at)) => are_all_days_covered(
                judging.filter(|link| {
                    link.touchpoint_id.is_none_or(|id| id == at)
                        && link
                            .phase_id
                            .is_none_or(|id| self.phases.get(&at) == Some(&id))
                }),
                (cell.from, cell.to),
            ),
            (KpiScope::Relationship, None) => match series.blueprint {
                Some(blueprint) => {
                    self.is_published_or_archived(blueprint)
                        && are_all_days_covered(judging, (cell.from, cell.to))
                        && !links
                            .iter()
                            .any(|link| self.judges_customer_blueprint(link))
                }
                None => links.is_empty() && series.scale == FeedbackScale::Enps,
            },
            (KpiScope::Transactional, None) | (KpiScope::Relationship, Some(_)) => false,
        }
    }

    /// The twin of "blueprint.status IN ('PUBLISHED', 'ARCHIVED')" in [`COUNTING`](super::COUNTING). Not
    /// `scope::is_published_current_blueprint`, which asks for CURRENT as well.
    fn is_published_or_archived(&self, blueprint: BlueprintId) -> bool {
        let status = self.blueprints.get(&blueprint).map(|(status, _)| *status);
        matches!(
            status,
            Some(BlueprintStatus::Published | BlueprintStatus::Archived)
        )
    }

    fn judges_customer_blueprint(&self, link: &kpi_link::Model) -> bool {
        let blueprint = self.blueprints.get(&link.blueprint_id);
        blueprint.is_some_and(|(_, subject)| *subject == Subject::Customer)
    }
}

/// Whether links that follow one another judge on every day from one on and before another.
fn are_all_days_covered<'l>(
    links: impl Iterator<Item = &'l kpi_link::Model>,
    (from, to): (NaiveDate, NaiveDate),
) -> bool {
    let mut days: Vec<LinkDays> = links.map(|link| (link.valid_from, link.valid_to)).collect();
    // None sorts first: a link without a beginning comes before all others.
    days.sort_unstable();
    let mut reached = from;
    for (valid_from, valid_to) in days {
        if valid_from.is_some_and(|from| from > reached) {
            return false;
        }
        match valid_to {
            Some(to) => reached = reached.max(to),
            None => return true,
        }
        if reached >= to {
            return true;
        }
    }
    false
}

/// The cells that feed these KPIs, by where and when they are measured; only those of blocks that ended after a day,
/// where one is given.
pub(super) async fn load_employee_tallies(
    permit: &Permit<'_>,
    kpis: &[&kpi::Model],
    after: Option<NaiveDate>,
) -> Result<BTreeMap<MeasurementKey, Tally>> {
    let slow = |kpi: &&&kpi::Model| !matches!(kpi.cadence, Cadence::Daily | Cadence::Weekly);
    let kpis: Vec<&kpi::Model> = kpis.iter().filter(slow).copied().collect();
    let scales: Vec<FeedbackScale> = kpis
        .iter()
        .filter_map(|kpi| scale_feeding_kpi_type(kpi.kpi_type))
        .collect();
    if scales.is_empty() {
        return Ok(BTreeMap::new());
    }
    use employee_cell::Column;
    let which = Condition::all()
        .add(Column::Scale.is_in(scales))
        .add_option(after.map(|day| Column::ToDay.gt(day)));
    let mut cells = cells::load_cells(permit.tx(), which).await?;
    // Not a measurement either: its score would tell what each of them said.
    cells.retain(|cell| !cell.is_all_alike());
    if cells.is_empty() {
        return Ok(BTreeMap::new());
    }
    let judged = KpiLinksForCells::load(permit, &kpis, &cells).await?;
    let mut tallies: BTreeMap<MeasurementKey, Tally> = BTreeMap::new();
    for kpi in kpis {
        let its = cells.iter().filter(|cell| {
            scale_feeding_kpi_type(kpi.kpi_type) == Some(cell.series.scale)
                // Throughout, as with its place: what was measured of the days before would count twice.
                && kpi.fed_from.is_some_and(|from| from <= cell.from)
                && judged.should_count_cell(kpi, cell)
        });
        for cell in its {
            // `to` is the day after the block; a measurement is of a day in it.
            let last = cell.to.pred_opt().unwrap_or(cell.to);
            *tallies
                .entry(MeasurementKey::for_all_channels_and_segments(
                    kpi.id,
                    cell.series.touchpoint,
                    last,
                ))
                .or_default() += cell.tally;
        }
    }
    Ok(tallies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_follow_one_another_judge_throughout() {
        let day = |month| NaiveDate::from_ymd_opt(2026, month, 1);
        let link = |from, to| kpi_link::Model {
            id: uuid::Uuid::nil().into(),
            kpi_id: uuid::Uuid::nil().into(),
            blueprint_id: uuid::Uuid::nil().into(),
            phase_id: None,
            touchpoint_id: None,
            valid_from: from,
            valid_to: to,
            weight: None,
            created_at: chrono::DateTime::UNIX_EPOCH,
            version: 1,
        };
        let year = (day(2).expect("a day"), day(12).expect("a day"));
        let judges = |links: &[kpi_link::Model]| are_all_days_covered(links.iter(), year);
        assert!(judges(&[link(None, None)]));
        assert!(judges(&[link(day(6), None), link(day(1), day(6))]));
        assert!(judges(&[link(day(2), day(12))]));
        assert!(
            !judges(&[link(day(1), day(6)), link(day(7), None)]),
            "a month is missing"
        );
        assert!(!judges(&[link(day(3), None)]), "too late");
        assert!(!judges(&[link(None, day(11))]), "too early");
        assert!(!judges(&[]));
    }
}
