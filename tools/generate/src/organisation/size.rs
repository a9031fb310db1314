//! How large an organisation is made, as options of the command line.

use chrono::{Days, NaiveDate};
use clap::Args;

/// How large a generated organisation is.
#[derive(Clone, Debug, Args)]
pub(crate) struct OrganisationSize {
    /// Blueprints, all of them published and current.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=9_999))]
    pub(crate) blueprints: u32,
    /// Touchpoints in each blueprint, over six phases.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) touchpoints: u32,
    /// Departments, in two levels.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=999))]
    pub(crate) departments: u32,
    /// Departments with a role at each touchpoint: one ACCOUNTABLE, at least one RESPONSIBLE.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=20))]
    pub(crate) responsibilities: u32,
    /// KPIs.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=9_999))]
    pub(crate) kpis: u32,
    /// KPIs that judge each touchpoint.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=20))]
    pub(crate) links: u32,
    /// Days with a value of every KPI.
    #[arg(long, default_value_t = 1_096, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) days: u32,
    /// The last of those days.
    #[arg(long, default_value = "2026-06-30")]
    pub(crate) until: NaiveDate,
    /// Another number gives other content.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

impl OrganisationSize {
    /// Refuses numbers that contradict one another, with a sentence that says which.
    pub(super) fn require_consistent(&self) -> Result<(), String> {
        if self.responsibilities > self.departments {
            return Err(format!(
                "{} responsibilities at a touchpoint need as many departments; there would be {}. Raise --departments.",
                self.responsibilities, self.departments
            ));
        }
        if self.links > self.kpis {
            return Err(format!(
                "{} KPI links at a touchpoint need as many KPIs; there would be {}. Raise --kpis.",
                self.links, self.kpis
            ));
        }
        Ok(())
    }

    /// The first day with values.
    pub(super) fn first_day(&self) -> NaiveDate {
        self.until - Days::new(u64::from(self.days) - 1)
    }

    /// Transitions of each blueprint, where it has room for as many.
    pub(super) fn transitions(&self) -> usize {
        self.touchpoints as usize * 5 / 2
    }

    /// An estimate of the rows of all tables, for showing progress.
    pub(super) fn estimated_rows(&self) -> usize {
        // A touchpoint with its channels and transitions is 5 rows; a link 2.2, as every tenth has 12 measurements. 7:
        // the blueprint and its phases. 5: a KPI and its targets.
        let a_touchpoint = 5 + self.responsibilities as usize + self.links as usize * 22 / 10;
        self.blueprints as usize * (7 + self.touchpoints as usize * a_touchpoint)
            + self.kpis as usize * (5 + self.days as usize)
    }
}
