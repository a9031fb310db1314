//! Judgement: the one law by which KPIs are judged, below everything that shows or counts its outcome.
//!
//! On a day a KPI has a **current figure**: the latest measurement at the touchpoint, else the latest of the KPI as a
//! whole. The figure is held against the **target of the day on which it was measured**: the entry that began last by
//! then. Value and target give the **state**: MET, AT_RISK, MISSED, NO_TARGET or NO_DATA.
//!
//! ```text
//! targets      ├── 8.0, warning 6.0 ──┼── none ──┼── 9.0 ──►
//! measured       7.1                    7.1        9.2
//! state          AT_RISK                NO_TARGET  MET
//! ```
//!
//! What has its rows in memory (pages, pictures, findings, series, the join of facts) judges in Rust; statements whose
//! filter or view must see the state judge in SQL. So [`state`] and [`target`] hold each law twice, side by side, and
//! `tests/it/judgement.rs` holds the twins together on both databases. [`figure`] reads the figures, [`link`] judges
//! the links of KPIs to places, and [`visible`] keeps back the values that somebody may not see.
//!
//! It stands below the canvas, which carries the judgements of its links.

mod figure;
mod link;
mod state;
pub(crate) mod target;
mod visible;

pub use self::{
    figure::ValueAndTarget,
    link::{
        JudgedKpiLink, is_link_in_force, link_in_force_condition, load_judged_links,
        load_judged_links_by_id, load_judged_links_in_blueprint, load_kpi_judgements,
    },
    state::{judge_state, state_sql},
    target::target_on,
    visible::are_values_visible,
};
pub(crate) use self::{
    link::link_in_force_sql,
    target::{join_target_sql, target_on_sql, warning_sql},
    visible::find_kpis_with_hidden_values,
};
