//! Rules about KPIs. What one may not see the values of is as if it were not linked; so each rule is about one
//! touchpoint or one KPI, never about what all KPIs together come to.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
};

use entity::{
    id::{DepartmentId, KpiId, PhaseId, TouchpointId},
    kpi,
    words::{Cadence, KpiScope, Lane},
};

use super::{
    context::RuleContext,
    table::FindingCode,
    violation::{FindingSubject, Violations, quote},
};
use crate::{
    judgement::{
        CurrentFigure, JudgedKpiLink,
        current::periods_since,
        period::{Grain, Period},
    },
    responsibility::in_force::is_delivering,
};

pub(super) fn add_kpi_violations(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    let delivered = canvas.touchpoints.iter();
    for row in delivered.filter(|row| row.lane != Lane::Customer) {
        if context
            .judged_links_and_their_kpis(canvas.kpi_links_of_touchpoint(row.id))
            .next()
            .is_none()
        {
            let sentence = format!("No KPI judges {}.", quote(&row.name));
            found.add(
                FindingCode::NoKpi,
                FindingSubject::of_touchpoint(row),
                sentence,
            );
        }
    }
    let mut kpis: BTreeMap<KpiId, (&kpi::Model, Vec<&JudgedKpiLink>)> = BTreeMap::new();
    for (judged, kpi) in context.judged_links_and_their_kpis(&canvas.links) {
        let (_, links) = kpis.entry(kpi.id).or_insert((kpi, Vec::new()));
        links.push(judged);
    }
    let delivering = DeliveringDepartments::new(context);
    for (kpi, links) in kpis.values() {
        add_violations_of_kpi(context, (kpi, links), &delivering, found);
    }
}

fn add_violations_of_kpi(
    context: &RuleContext<'_>,
    (kpi, links): (&kpi::Model, &[&JudgedKpiLink]),
    delivering: &DeliveringDepartments,
    found: &mut Violations,
) {
    let (place, name) = (FindingSubject::of_kpi(kpi.id), quote(&kpi.name));
    let mut add = |code, sentence| found.add(code, place, sentence);
    let mut figures = links
        .iter()
        .filter_map(|judged| judged.judgement.figure.as_ref());
    if figures.any(|figure| !figure.has_target) {
        add(
            FindingCode::KpiWithoutTarget,
            format!("The KPI {name} has no target."),
        );
    }
    let freshest = find_freshest_figure(links);
    if is_kpi_stale(context, kpi, freshest) {
        let sentence = match freshest.and_then(|figure| figure.period) {
            Some(period) => format!(
                "The newest figure of the KPI {name} is of the period that ended on {}.",
                period.last_day()
            ),
            None => format!("The KPI {name} has no figure where it judges something here."),
        };
        add(FindingCode::KpiStale, sentence);
    }
    let owner = kpi.owner_department_id;
    if !links
        .iter()
        .any(|judged| delivering.delivers_at(owner, judged))
    {
        let sentence = format!("The owner of the KPI {name} delivers nowhere that it judges.");
        add(FindingCode::KpiOwnerAbsent, sentence);
    }
    if kpi.scope == KpiScope::Relationship && kpi.cadence == Cadence::Yearly {
        let sentence = format!("The KPI {name} tells of the relationship only once a year.");
        add(FindingCode::LoyaltyMeasuredYearly, sentence);
    }
}

/// The figure of the newest period among those by which a KPI judges something here; none without any value.
fn find_freshest_figure<'l>(links: &[&'l JudgedKpiLink]) -> Option<&'l CurrentFigure> {
    let figures = links
        .iter()
        .filter_map(|judged| judged.judgement.figure.as_ref());
    let figures = figures.filter(|figure| figure.periods_since.is_some());
    figures.min_by_key(|figure| (figure.periods_since, Reverse(figure.measured_on)))
}

/// Whether too many periods of a KPI have passed since that of a figure ended; without one, since that in which the KPI
/// was made.
fn is_kpi_stale(
    context: &RuleContext<'_>,
    kpi: &kpi::Model,
    freshest: Option<&CurrentFigure>,
) -> bool {
    let since_it_was_made = || {
        let cadence = Grain::finest_for(kpi.cadence);
        let made = Period::containing(cadence, kpi.created_at.date_naive());
        periods_since(cadence, made.end, context.options.day)
    };
    let passed = freshest.and_then(|figure| figure.periods_since);
    f64::from(passed.unwrap_or_else(since_it_was_made)) > context.threshold(FindingCode::KpiStale)
}

/// The departments that are RESPONSIBLE or ACCOUNTABLE: at touchpoints, in phases, and anywhere.
struct DeliveringDepartments {
    at: HashSet<(DepartmentId, TouchpointId)>,
    of_phase: HashSet<(DepartmentId, PhaseId)>,
    anywhere: HashSet<DepartmentId>,
}

impl DeliveringDepartments {
    fn new(context: &RuleContext<'_>) -> Self {
        let mut delivering = Self {
            at: HashSet::new(),
            of_phase: HashSet::new(),
            anywhere: HashSet::new(),
        };
        let canvas = context.canvas();
        for held in &canvas.responsibilities {
            let Some(row) = canvas.touchpoint(held.touchpoint_id) else {
                continue;
            };
            if is_delivering(held) {
                delivering.at.insert((held.department_id, row.id));
                delivering
                    .of_phase
                    .insert((held.department_id, row.phase_id));
                delivering.anywhere.insert(held.department_id);
            }
        }
        delivering
    }

    /// Whether a department delivers at a place that is judged: at a touchpoint of it.
    fn delivers_at(&self, department: DepartmentId, judged: &JudgedKpiLink) -> bool {
        match (judged.link.touchpoint_id, judged.link.phase_id) {
            (Some(touchpoint), _) => self.at.contains(&(department, touchpoint)),
            (None, Some(phase)) => self.of_phase.contains(&(department, phase)),
            (None, None) => self.anywhere.contains(&department),
        }
    }
}
