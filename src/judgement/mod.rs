//! Judgement: the one law by which KPIs are judged, below everything that shows or counts its outcome.
//!
//! At a place and on a day a KPI has a **current figure** ([`current`]): what was measured in the newest period of its
//! cadence that has enough answers or cases, put together by the KPI's own rule ([`aggregate`]) from what counts there
//! ([`place`]); [`period_law`] says what is enough. The figure is held against the **target** of its period's last day ([`target`]). Both give the
//! **state**: MET, AT_RISK, MISSED, NO_TARGET, NO_DATA; or TOO_FEW and BY_PART_ONLY, where a figure cannot be judged.
//!
//! ```text
//! targets      ├── 40, warning 30 ────────────────────┼── none ──►
//! October      +42 (n 210)     November 2 so far      -40 (n 5)
//! on 2 November: 42, n 210, MET; running -40, n 5
//! ```
//!
//! A single measurement, a row of `kpi_facts`, is judged by itself, by the target of its day.
//!
//! [`period_sums`] keeps the sums of each period with every measurement, and [`newest_sums`] reads the newest, so that a
//! figure costs a few rows, and none where [`kept_sums`] has them in memory. [`figures`] judges them for many places at once, [`link`] for the links of KPIs to places and
//! for KPIs as a whole, [`trend`] for several periods. [`visible`] keeps back the values that somebody may not see.
//!
//! What has its rows in memory judges in Rust; statements whose filter or view must see the state judge in SQL. So
//! [`state`] and [`target`] hold each law twice, side by side, and `current_sql` is the twin of [`current`];
//! `tests/it/judgement.rs` and `tests/it/one_number.rs` hold the twins together on both databases.
//!
//! It stands below the canvas, which carries the judgements of its links.

pub mod aggregate;
pub mod current;
mod current_sql;
mod figures;
mod kept_sums;
mod kpis;
mod latest;
mod link;
mod newest_sums;
pub mod period;
pub mod period_law;
mod period_sums;
mod place;
mod state;
pub(crate) mod target;
pub mod trend;
mod visible;

pub use self::{
    aggregate::ratio_multiplier,
    current::CurrentFigure,
    current_sql::{append_current_figures, figure_state_sql, whole_kpi_sql},
    figures::KpiJudgement,
    kpis::{KpisWithTargets, load_kpis_with_targets},
    link::{
        JudgedKpiLink, is_link_in_force, link_in_force_condition, load_judged_links,
        load_judged_links_by_id, load_judged_links_in_blueprint, load_kpi_judgements,
    },
    period_sums::{PeriodSumKey, rebuild_period_sums, refresh_period_sums},
    place::KpiFigurePlace,
    state::{is_worse, judge_state, state_sql},
    target::{KpiPart, KpiTargets, TargetLevels, add_levels, target_levels},
    visible::are_values_visible,
};
pub(crate) use self::{
    kept_sums::KeptSums,
    link::link_in_force_sql,
    target::{join_target_sql, target_of_measurement_sql, warning_sql},
    visible::find_kpis_with_hidden_values,
};
