//! What stands above the lanes: whose journey it is and how it does, and the phases with what people want in them.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use entity::{
    id::{DepartmentId, KpiId},
    phase,
    words::{BlueprintState, BlueprintStatus, KpiState, ResponsibilityStatus, Stage},
};

use super::{
    card::Card,
    drawing::{Area, Drawing},
    gauge::{self, Gauge},
    plan::{MARGIN, Plan},
    text::{Font, clean_line},
};
use crate::{canvas::Canvas, judgement::JudgedKpiLink};

const KIND: Font = Font::label(9.5);
const TITLE: Font = Font::bold(32.0);
const ABOUT: Font = Font::plain(13.0);
const STAGE: Font = Font::label(8.5);
const PHASE: Font = Font::bold(15.5);
const GOAL: Font = Font::plain(11.0);
/// KPIs of a phase as a whole that are shown, and of the blueprint.
const MOST_KPIS: usize = 3;
const KPI_WIDTH: f64 = 250.0;

/// Draws title and figures from the top; gives where they end. On a large drawing they are larger, to be read from
/// as far as it takes to see it whole.
pub(super) fn draw_head(
    drawing: &mut Drawing,
    canvas: &Canvas,
    cards: &[Card<'_>],
    day: NaiveDate,
) -> f64 {
    let times = title_scale(drawing);
    let within = drawing.width - 2.0 * MARGIN;
    let (title_font, about_font) = (TITLE.scaled(times), ABOUT.scaled(times));
    drawing.add_text("quiet", KIND, (MARGIN, MARGIN + 8.0), "SERVICE BLUEPRINT");
    let title = title_font.wrap(&clean_line(&canvas.blueprint.title), within, 2);
    let y = MARGIN + 14.0 + 32.0 * times;
    let y = drawing.add_text_lines("ink", title_font, (MARGIN, y), 38.0 * times, &title);
    let about = about_font.wrap(&summarise_journey(canvas, day), within, 2);
    let y = drawing.add_text_lines(
        "quiet",
        about_font,
        (MARGIN, y - 8.0 * times),
        18.0 * times,
        &about,
    );
    let y = draw_key_figures(drawing, canvas, cards, (MARGIN, y + 2.0));
    let gauges = Gauge::from_links_by_urgency(canvas, canvas.kpi_links_above_touchpoints(None));
    let mut x = MARGIN;
    for gauge in gauges.iter().take(MOST_KPIS) {
        gauge.draw(drawing, (x, y), KPI_WIDTH);
        x += KPI_WIDTH + 30.0;
    }
    if gauges.is_empty() { y } else { y + 24.0 }
}

/// How much larger than usual.
fn title_scale(drawing: &Drawing) -> f64 {
    (drawing.width / 3200.0).clamp(1.0, 2.5)
}

/// The journey in a line.
fn summarise_journey(canvas: &Canvas, day: NaiveDate) -> String {
    let blueprint = &canvas.blueprint;
    let owner = canvas.department(blueprint.owner_department_id);
    let status = match (blueprint.status, blueprint.published_number) {
        (BlueprintStatus::Draft, _) => "draft".to_owned(),
        (BlueprintStatus::InReview, _) => "in review".to_owned(),
        (BlueprintStatus::Published, Some(number)) if blueprint.has_changed_since_published() => {
            format!("publication {number}, changed since")
        }
        (BlueprintStatus::Published, Some(number)) => format!("publication {number}"),
        (BlueprintStatus::Published, None) => "published".to_owned(),
        (BlueprintStatus::Archived, _) => "archived".to_owned(),
    };
    let parts = [
        Some(clean_line(&canvas.persona.name)),
        owner.map(|owner| clean_line(&owner.name)),
        (blueprint.state == BlueprintState::Future).then(|| "as it should become".to_owned()),
        Some(status),
        Some(format!("KPIs as of {day}")),
    ];
    parts
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("  ·  ")
}

/// The journey in figures; gives where they end.
fn draw_key_figures(
    drawing: &mut Drawing,
    canvas: &Canvas,
    cards: &[Card<'_>],
    (mut x, y): (f64, f64),
) -> f64 {
    let held = canvas.responsibilities.iter();
    let held = held.filter(|held| held.status == ResponsibilityStatus::Accepted);
    let departments: BTreeSet<DepartmentId> = held.map(|held| held.department_id).collect();
    let nobody = cards.iter().filter(|card| card.nobody).count();
    let gauges = Gauge::from_links_by_urgency(canvas, &canvas.links);
    let kpis = |state: KpiState| {
        let there = gauges.iter().filter(|gauge| gauge.state == Some(state));
        let kpis: BTreeSet<KpiId> = there.map(|gauge| gauge.kpi).collect();
        kpis.len()
    };
    let times = title_scale(drawing);
    let (bold, plain) = (
        Font::bold(12.5).scaled(times),
        Font::plain(12.5).scaled(times),
    );
    let line = y + 13.0 * times;
    for (class, count, one, more) in [
        ("ink", canvas.touchpoints.len(), "touchpoint", "touchpoints"),
        (
            "warn",
            nobody,
            "that nobody answers for",
            "that nobody answers for",
        ),
        ("ink", departments.len(), "department", "departments"),
        ("met", kpis(KpiState::Met), "KPI met", "KPIs met"),
        (
            "risk",
            kpis(KpiState::AtRisk),
            "KPI at risk",
            "KPIs at risk",
        ),
        (
            "missed",
            kpis(KpiState::Missed),
            "KPI missed",
            "KPIs missed",
        ),
    ] {
        if count == 0 && class != "ink" {
            continue;
        }
        let what = if count == 1 { one } else { more };
        let count = count.to_string();
        drawing.add_text(class, bold, (x, line), &count);
        x += bold.width(&count) + 4.0 * times;
        drawing.add_text("quiet", plain, (x, line), what);
        x += plain.width(what) + 20.0 * times;
    }
    line + 20.0
}

/// Draws the heads of all phases below a height; gives where the longest ends.
pub(super) fn draw_phases(drawing: &mut Drawing, canvas: &Canvas, plan: &Plan, top: f64) -> f64 {
    let mut bottom = top + 30.0;
    let times = title_scale(drawing);
    for (phase, (left, right)) in canvas.phases.iter().zip(&plan.phases) {
        let judging: Vec<&JudgedKpiLink> =
            canvas.kpi_links_above_touchpoints(Some(phase.id)).collect();
        let gauges = Gauge::from_links_by_urgency(canvas, judging);
        let mut end = 0.0;
        drawing.add_group("phase", describe_phase(phase), |drawing| {
            end = draw_phase(drawing, phase, &gauges, (*left, top, right - left), times);
        });
        bottom = end.max(bottom);
    }
    bottom
}

fn describe_phase(phase: &phase::Model) -> String {
    let goal = phase.customer_goal.as_deref().unwrap_or_default();
    format!("{}\n{}", clean_line(&phase.name), clean_line(goal))
        .trim_end()
        .to_owned()
}

fn draw_phase(
    drawing: &mut Drawing,
    phase: &phase::Model,
    gauges: &[Gauge],
    (x, y, within): (f64, f64, f64),
    times: f64,
) -> f64 {
    let (class, tint, stage) = match phase.stage {
        Stage::Before => ("before", "on-before", "BEFORE"),
        Stage::Goal => ("goal", "on-goal", "GOAL"),
        Stage::After => ("after", "on-after", "AFTER"),
    };
    let bar = Area {
        x,
        y,
        width: within,
        height: 5.0,
    };
    drawing.add_rectangle(class, bar, 2.5);
    let (name_font, goal_font) = (PHASE.scaled(times), GOAL.scaled(times));
    drawing.add_text(tint, STAGE, (x, y + 21.0), stage);
    let name = name_font.wrap(&clean_line(&phase.name), within, 2);
    let mut y = y + 25.0 + 16.0 * times;
    y = drawing.add_text_lines("ink", name_font, (x, y), 19.0 * times, &name);
    let goal = phase.customer_goal.as_deref().unwrap_or_default();
    let goal = goal_font.wrap(&clean_line(goal), within.min(420.0 * times), 3);
    y = drawing.add_text_lines("quiet", goal_font, (x, y - times), 14.5 * times, &goal) - 4.0;
    for gauge in gauges.iter().take(MOST_KPIS) {
        gauge.draw(drawing, (x, y), within.min(KPI_WIDTH));
        y += gauge::ROW;
    }
    y
}
