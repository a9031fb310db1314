//! Where everything lies, in pixels: columns and the gutters between them, rows and the channels between them, lanes
//! and what stands above and below them. It draws nothing.

use entity::words::Lane;

use super::{
    card::{self, Card},
    grid::{Grid, GridCell},
    route::{Corridor, Port, Route, TrackCounts},
};

pub(super) const MARGIN: f64 = 48.0;
/// The column at the left in which lanes are named.
pub(super) const NAMES: f64 = 138.0;
/// Beside a card in a gutter, and above and below one in a channel: no track runs there.
const BESIDE: f64 = 18.0;
const ABOVE: f64 = 12.0;
const TRACK: f64 = 6.5;
const BETWEEN_PHASES: f64 = 22.0;
/// The lowest lane: its name and the name of the line below it still fit.
const LOWEST_LANE: f64 = 70.0;
const LANE_TOP: f64 = 8.0;
const LANE_BOTTOM: f64 = 18.0;
const NARROWEST: f64 = 1120.0;

/// A lane from top to bottom.
#[derive(Clone, Copy, Debug)]
pub(super) struct LaneBand {
    pub lane: Lane,
    pub top: f64,
    pub bottom: f64,
}

/// Where everything of a grid lies.
#[derive(Debug)]
pub(super) struct Plan {
    pub width: f64,
    pub bands: Vec<LaneBand>,
    /// From left to right, for each phase.
    pub phases: Vec<(f64, f64)>,
    columns: Vec<f64>,
    rows: Vec<f64>,
    gutters: Vec<f64>,
    /// Each at its bottom.
    channels: Vec<f64>,
}

impl Plan {
    pub(super) fn new(grid: &Grid, cards: &[Card<'_>], tracks: &TrackCounts) -> Self {
        let mut plan = Self {
            width: 0.0,
            bands: Vec::new(),
            phases: Vec::new(),
            columns: Vec::new(),
            rows: Vec::new(),
            gutters: Vec::new(),
            channels: Vec::new(),
        };
        plan.lay_out_across(grid, tracks);
        plan.lay_out_down(grid, cards, tracks);
        plan
    }

    fn lay_out_across(&mut self, grid: &Grid, tracks: &TrackCounts) {
        let room = |corridor: Corridor| gutter_width(tracks.get(&corridor).copied().unwrap_or(0));
        let begins =
            |column: usize| column > 0 && grid.phases.iter().any(|phase| phase.start == column);
        let mut x = MARGIN + NAMES;
        for column in 0..grid.columns {
            if begins(column) {
                x += BETWEEN_PHASES;
            }
            self.gutters.push(x + BESIDE);
            x += BESIDE + room(Corridor::Gutter(column)) + BESIDE;
            self.columns.push(x);
            x += card::WIDTH;
        }
        self.gutters.push(x + BESIDE);
        x += BESIDE + room(Corridor::Gutter(grid.columns)) + BESIDE;
        self.width = (x + MARGIN).max(NARROWEST);
        let columns = &self.columns;
        let ends = grid.phases.iter().filter_map(|phase| {
            let (first, last) = (
                columns.get(phase.start)?,
                columns.get(phase.end.checked_sub(1)?)?,
            );
            Some((*first, last + card::WIDTH))
        });
        self.phases = ends.collect();
    }

    /// From the top of the first lane, which lies at nothing here; see [`Plan::move_down`].
    fn lay_out_down(&mut self, grid: &Grid, cards: &[Card<'_>], tracks: &TrackCounts) {
        let room = |row: usize| {
            let tracks = tracks.get(&Corridor::Channel(row)).copied().unwrap_or(0);
            ABOVE + gutter_width(tracks) + ABOVE
        };
        let mut heights = vec![0.0_f64; grid.rows.len()];
        for (card, cell) in cards.iter().zip(&grid.cells) {
            if let Some(height) = heights.get_mut(cell.row) {
                *height = height.max(card.height);
            }
        }
        let mut y = 0.0;
        for lane in Lane::ALL {
            let top = y;
            y += LANE_TOP;
            for (row, height) in heights.iter().enumerate() {
                if grid.rows.get(row) != Some(lane) {
                    continue;
                }
                y += room(row);
                self.channels.push(y);
                self.rows.push(y);
                y += height;
                if row + 1 == heights.len() {
                    y += room(row + 1);
                    self.channels.push(y);
                }
            }
            y = (y + LANE_BOTTOM).max(top + LOWEST_LANE);
            self.bands.push(LaneBand {
                lane: *lane,
                top,
                bottom: y,
            });
        }
    }

    /// Moves all of it down, below what stands above the lanes.
    pub(super) fn move_down(&mut self, by: f64) {
        let ys = self.rows.iter_mut().chain(&mut self.channels);
        ys.for_each(|y| *y += by);
        for band in &mut self.bands {
            band.top += by;
            band.bottom += by;
        }
    }

    pub(super) fn bottom(&self) -> f64 {
        self.bands.last().map_or(0.0, |band| band.bottom)
    }

    /// The upper left corner of a card.
    pub(super) fn card_corner(&self, cell: GridCell) -> (f64, f64) {
        let x = self.columns.get(cell.column).copied().unwrap_or_default();
        let y = self.rows.get(cell.row).copied().unwrap_or_default();
        (x, y)
    }

    /// The corners of a way, from port to port.
    pub(super) fn route_corners(&self, route: &Route, heights: (f64, f64)) -> Vec<(f64, f64)> {
        let (mut x, mut y) = self.port_point(route.from, route.out, heights.0);
        let end = self.port_point(route.to, route.into, heights.1);
        let mut corners = vec![(x, y)];
        for (corridor, track) in &route.corridors {
            match corridor {
                Corridor::Gutter(at) => {
                    x = self.gutters.get(*at).copied().unwrap_or_default() + track_middle(*track);
                }
                Corridor::Channel(at) => {
                    let bottom = self.channels.get(*at).copied().unwrap_or_default();
                    y = bottom - ABOVE - track_middle(*track);
                }
            }
            corners.push((x, y));
        }
        match route.corridors.last() {
            Some((Corridor::Gutter(_), _)) => corners.push((x, end.1)),
            Some((Corridor::Channel(_), _)) => corners.push((end.0, y)),
            None => {}
        }
        corners.push(end);
        corners
    }

    fn port_point(&self, cell: GridCell, port: Port, height: f64) -> (f64, f64) {
        let (left, top) = self.card_corner(cell);
        let (right, bottom) = (left + card::WIDTH, top + height);
        let at = |share: f64| left + share * card::WIDTH;
        match port {
            Port::OnwardRight => (right, top + 26.0),
            Port::OnwardLeft => (left, top + 26.0),
            Port::OutRight => (right, top + 37.0),
            Port::InLeft => (left, top + 15.0),
            Port::InRight => (right, top + 70.0),
            Port::OutLeft => (left, top + 81.0),
            Port::DownBottom => (at(0.5), bottom),
            Port::DownTop => (at(0.5), top),
            Port::OutBottom => (at(0.6), bottom),
            Port::OverOut => (at(0.72), top),
            Port::OverIn => (at(0.3), top),
            Port::EnableTop => (at(0.2), top),
            Port::EnableBottom => (at(0.2), bottom),
            Port::EnableOut => (at(0.12), top),
            Port::EnableIn => (at(0.4), bottom),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a dozen of them")]
fn gutter_width(tracks: usize) -> f64 {
    tracks as f64 * TRACK
}

fn track_middle(track: usize) -> f64 {
    gutter_width(track) + TRACK / 2.0
}
