//! What KPIs come to at places, read and judged: the latest measurement and the current figure.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    id::{KpiId, TouchpointId},
    kpi, kpi_target, measurement,
    words::KpiState,
};
use sea_orm::ConnectionTrait;

use super::{
    current::{CurrentFigure, current_figure},
    kpis::KpisWithTargets,
    newest_sums::{WantedSums, load_newest_sums},
    period::Grain,
    place::SumsOfKpi,
    target::KpiTargets,
};
use crate::error::Result;

/// What a KPI comes to at a place, or as a whole.
#[derive(Clone, Debug, Default)]
pub struct KpiJudgement {
    /// The latest measurement there, else of the KPI as a whole.
    pub latest: Option<measurement::Model>,
    /// The figure by which the KPI is told and judged. None where there is nothing to judge: the link does not hold on
    /// the day, or the caller may not see the KPI's values.
    pub figure: Option<CurrentFigure>,
}

impl KpiJudgement {
    /// The state of the KPI; none where there is nothing to judge.
    #[must_use]
    pub fn state(&self) -> Option<KpiState> {
        self.figure.as_ref().map(|figure| figure.state)
    }

    /// The target by which the figure is judged.
    #[must_use]
    pub fn target(&self) -> Option<&kpi_target::Model> {
        self.figure.as_ref()?.target.as_ref()
    }
}

/// The figures of some KPIs on a day.
pub(super) struct FigureReader {
    kpis: HashMap<KpiId, kpi::Model>,
    targets: HashMap<KpiId, KpiTargets>,
    sums: HashMap<KpiId, SumsOfKpi>,
    day: NaiveDate,
}

impl FigureReader {
    /// Reads what the figures of KPIs at these places follow from; `kpis` has those whose values may be seen.
    pub(super) async fn load<C: ConnectionTrait>(
        db: &C,
        KpisWithTargets { kpis, targets }: KpisWithTargets,
        mut wanted: WantedSums,
        day: NaiveDate,
    ) -> Result<Self> {
        wanted
            .at_touchpoints
            .retain(|(kpi, _)| kpis.contains_key(kpi));
        wanted.as_whole.retain(|kpi| kpis.contains_key(kpi));
        let cadences = kpis.iter().map(|(id, kpi)| (*id, kpi.cadence)).collect();
        Ok(Self {
            sums: load_newest_sums(db, &cadences, &wanted, day).await?,
            targets,
            kpis,
            day,
        })
    }

    /// The figure of a KPI at a touchpoint, or as a whole; none where its values may not be seen.
    pub(super) fn figure(
        &self,
        kpi: KpiId,
        touchpoint: Option<TouchpointId>,
    ) -> Option<CurrentFigure> {
        let row = self.kpis.get(&kpi)?;
        let sums = self.sums.get(&kpi);
        let cadence = Grain::finest_for(row.cadence);
        let periods = sums.map(|sums| sums.periods_at(touchpoint, cadence));
        let (none, targets) = (KpiTargets::default(), self.targets.get(&kpi));
        Some(current_figure(
            row,
            targets.unwrap_or(&none),
            &periods.unwrap_or_default(),
            self.day,
        ))
    }
}
