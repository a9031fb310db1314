//! KPIs as a picture shows them: a shape for the state, the name, and the value that counts. The shape says it
//! without the colour. It judges nothing itself.

use std::cmp::Reverse;

use entity::{
    id::KpiId,
    kpi,
    words::{KpiState, Unit},
};

use super::{
    drawing::{Anchor, Area, Drawing},
    text::{Font, clean_line},
};
use crate::{canvas::Canvas, judgement::JudgedKpiLink};

/// The height of a row.
pub(super) const ROW: f64 = 16.0;
const NAME: Font = Font::plain(10.5);
const VALUE: Font = Font::bold(10.5);
/// Half of a shape.
const HALF: f64 = 4.5;

/// What a KPI comes to at a place.
#[derive(Clone, Debug)]
pub(super) struct Gauge {
    pub kpi: KpiId,
    /// None where it is not told.
    pub state: Option<KpiState>,
    name: String,
    value: String,
    told: String,
}

impl Gauge {
    /// What KPIs come to, those that need attention first.
    pub(super) fn from_links_by_urgency<'c>(
        canvas: &Canvas,
        links: impl IntoIterator<Item = &'c JudgedKpiLink>,
    ) -> Vec<Self> {
        let links = links.into_iter();
        let gauges =
            links.filter_map(|judged| Some(Self::new(canvas.kpi(judged.link.kpi_id)?, judged)));
        let mut gauges: Vec<Self> = gauges.collect();
        gauges.sort_by_key(|gauge| Reverse(urgency(gauge.state)));
        gauges
    }

    fn new(kpi: &kpi::Model, judged: &JudgedKpiLink) -> Self {
        let state = judged.judgement.state();
        let amount = |value: f64| format_amount(kpi, value);
        let figure = judged.judgement.figure.as_ref();
        let mut value = figure.and_then(|figure| figure.value.map(amount));
        let target = judged.judgement.target();
        let target = target.and_then(|target| target.value);
        let name = clean_line(&kpi.name);
        let mut told = name.clone();
        if let (Some(value), Some(figure)) = (&value, figure)
            && let Some(period) = figure.period
        {
            let (begin, last) = (period.begin, period.last_day());
            told.push_str(&format!(": {value}, n {}, {begin} to {last}", figure.n));
        }
        if let (Some(value), Some(figure)) = (&mut value, figure)
            && figure.state == KpiState::TooFew
        {
            value.push_str(&format!(" (n {})", figure.n));
        }
        if let Some(target) = target {
            told.push_str(&format!(", target {}", amount(target)));
        }
        if let Some(state) = state {
            told.push_str(&format!(" ({})", state_name(state)));
        }
        Self {
            kpi: kpi.id,
            state,
            name,
            value: value.unwrap_or_default(),
            told,
        }
    }

    /// Draws a row; what does not fit of the name is cut.
    pub(super) fn draw(&self, drawing: &mut Drawing, (x, y): (f64, f64), within: f64) {
        drawing.add_group("kpi", self.told.clone(), |drawing| {
            draw_state(drawing, self.state, (x + HALF, y + ROW / 2.0));
            let value = VALUE.clip(&self.value, within / 2.0);
            let line = y + ROW - 4.4;
            let left = x + 2.0 * HALF + 5.0;
            let room = within - (left - x) - VALUE.width(&value) - 6.0;
            drawing.add_text("quiet", NAME, (left, line), &NAME.clip(&self.name, room));
            drawing.add_anchored_text("ink", VALUE, Anchor::End, (x + within, line), &value);
        });
    }
}

fn urgency(state: Option<KpiState>) -> u8 {
    match state {
        Some(KpiState::Missed) => 5,
        Some(KpiState::AtRisk) => 4,
        Some(KpiState::Met) => 3,
        Some(KpiState::NoTarget | KpiState::TooFew | KpiState::ByPartOnly) => 2,
        Some(KpiState::NoData) => 1,
        None => 0,
    }
}

/// A state as people say it.
const fn state_name(state: KpiState) -> &'static str {
    match state {
        KpiState::Met => "met",
        KpiState::AtRisk => "at risk",
        KpiState::Missed => "missed",
        KpiState::NoTarget => "no target",
        KpiState::NoData => "no data",
        KpiState::TooFew => "too few yet",
        KpiState::ByPartOnly => "known by part only",
    }
}

/// The shape of a state around a point; a dotted ring where it is not told.
pub(super) fn draw_state(drawing: &mut Drawing, state: Option<KpiState>, (x, y): (f64, f64)) {
    let ring = Area {
        x: x - HALF,
        y: y - HALF,
        width: 2.0 * HALF,
        height: 2.0 * HALF,
    };
    let sign = match state {
        Some(KpiState::Met) => {
            drawing.add_rectangle("met", ring, HALF);
            format!("M{} {}l1.7 1.8l3.1 -3.7", x - 2.4, y + 0.2)
        }
        Some(KpiState::AtRisk) => {
            let path = format!("M{x} {}l5.2 9.2h-10.4z", y - 5.0);
            drawing.add_path("risk", path);
            format!("M{x} {}v3.2M{x} {}v0.4", y - 1.6, y + 2.7)
        }
        Some(KpiState::Missed) => {
            drawing.add_rectangle("missed", ring, 1.5);
            let (x, y) = (x - 2.0, y - 2.0);
            format!("M{x} {y}l4 4M{} {y}l-4 4", x + 4.0)
        }
        Some(KpiState::NoTarget) => return drawing.add_rectangle("hollow", inset_area(ring), HALF),
        Some(KpiState::NoData) => {
            drawing.add_rectangle("hollow", inset_area(ring), HALF);
            let path = format!("M{} {y}h4", x - 2.0);
            return drawing.add_path("dash", path);
        }
        Some(KpiState::TooFew) => {
            drawing.add_rectangle("hollow", inset_area(ring), HALF);
            let path = format!("M{} {y}h0.4M{} {y}h0.4", x - 1.8, x + 1.4);
            return drawing.add_path("dash", path);
        }
        Some(KpiState::ByPartOnly) => {
            drawing.add_rectangle("hollow", inset_area(ring), HALF);
            let path = format!("M{x} {}v7", y - 3.5);
            return drawing.add_path("dash", path);
        }
        None => return drawing.add_rectangle("hollow untold", inset_area(ring), HALF),
    };
    drawing.add_path("sign", sign);
}

fn inset_area(area: Area) -> Area {
    Area {
        x: area.x + 0.5,
        y: area.y + 0.5,
        width: area.width - 1.0,
        height: area.height - 1.0,
    }
}

/// A value with its unit, short.
fn format_amount(kpi: &kpi::Model, value: f64) -> String {
    let number = format_number(value, usize::try_from(kpi.decimals).unwrap_or(0).min(6));
    match kpi.unit {
        Unit::Percent => format!("{number} %"),
        Unit::Score | Unit::Count | Unit::Ratio => number,
        Unit::Seconds => format!("{number} s"),
        Unit::Minutes => format!("{number} min"),
        Unit::Hours => format!("{number} h"),
        Unit::Days => format!("{number} d"),
        Unit::Years => format!("{number} y"),
        Unit::Scale1To5 => format!("{number} of 5"),
        Unit::Scale1To7 => format!("{number} of 7"),
        Unit::Currency => {
            let currency = clean_line(kpi.currency.as_deref().unwrap_or_default());
            format!("{number} {currency}").trim_end().to_owned()
        }
    }
}

fn format_number(value: f64, decimals: usize) -> String {
    let size = value.abs();
    let (value, decimals, times) = match size {
        _ if size.is_nan() || size >= 1e15 => return format!("{value:.1e}"),
        _ if size >= 1e12 => (value / 1e12, 1, "T"),
        _ if size >= 1e9 => (value / 1e9, 1, "G"),
        _ if size >= 1e6 => (value / 1e6, 1, "M"),
        _ => (value, decimals, ""),
    };
    format!("{value:.decimals$}{times}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_whatever_they_are() {
        assert_eq!(format_number(6.1, 1), "6.1");
        assert_eq!(format_number(-12.0, 0), "−12");
        assert_eq!(format_number(1_250_000.0, 2), "1.2M");
        assert_eq!(format_number(3e200, 0), "3.0e200");
        assert_eq!(format_number(f64::INFINITY, 0), "inf");
    }
}
