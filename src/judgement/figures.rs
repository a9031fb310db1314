//! What KPIs come to at places, read and judged: the latest measurement and the current figure.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::{
    id::{KpiId, TouchpointId},
    kpi_target, measurement,
    words::KpiState,
};

use super::{
    current::{CurrentFigure, current_figure},
    kpis::KpisWithTargets,
    newest_sums::{WantedSums, load_newest_sums},
    period::Grain,
    place::SumsOfKpi,
    target::KpiTargets,
    visible::find_kpis_with_hidden_values,
};
use crate::{access::Caller, database::Transaction, error::Result};

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
pub(super) struct FigureReader<'k> {
    kpis: &'k KpisWithTargets,
    /// Those whose values the caller may not see.
    hidden: BTreeSet<KpiId>,
    sums: HashMap<KpiId, SumsOfKpi>,
    day: NaiveDate,
}

impl<'k> FigureReader<'k> {
    /// Reads what the figures of KPIs at these places follow from, as far as the caller may see their values.
    pub(super) async fn load(
        caller: &Caller,
        tx: &Transaction,
        kpis: &'k KpisWithTargets,
        mut wanted: WantedSums,
        day: NaiveDate,
    ) -> Result<Self> {
        let hidden = find_kpis_with_hidden_values(caller, tx, kpis.kpis.values()).await?;
        wanted
            .at_touchpoints
            .retain(|(kpi, _)| !hidden.contains(kpi));
        wanted.as_whole.retain(|kpi| !hidden.contains(kpi));
        Ok(Self {
            sums: load_newest_sums(tx, &kpis.kpis, &wanted, day).await?,
            kpis,
            hidden,
            day,
        })
    }

    /// The figure of a KPI at a touchpoint, or as a whole; none where its values may not be seen.
    pub(super) fn figure(
        &self,
        kpi: KpiId,
        touchpoint: Option<TouchpointId>,
    ) -> Option<CurrentFigure> {
        let row = self.kpis.kpis.get(&kpi)?;
        if self.hidden.contains(&kpi) {
            return None;
        }
        let sums = self.sums.get(&kpi);
        let cadence = Grain::finest_for(row.cadence);
        let periods = sums.map(|sums| sums.periods_at(touchpoint, cadence));
        let (none, targets) = (KpiTargets::default(), self.kpis.targets.get(&kpi));
        Some(current_figure(
            row,
            targets.unwrap_or(&none),
            &periods.unwrap_or_default(),
            self.day,
        ))
    }
}
