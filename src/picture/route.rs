//! The ways that transitions take through a grid: along the gutters between columns and the channels between rows,
//! where there are no cards and no words. Each has a track of its own where others run beside it. It knows no pixels.

use std::collections::BTreeMap;

use super::grid::{Grid, GridCell};

/// A side of a card, and what is done there. Each has its own point on the side, so that no two transitions that have
/// nothing to do with one another seem to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// Straight on to the next card of the row.
    OnwardRight,
    OnwardLeft,
    /// To a gutter, and from one.
    OutRight,
    InLeft,
    /// Against the direction of reading.
    InRight,
    OutLeft,
    /// Down to the next card, or into a channel.
    DownBottom,
    DownTop,
    OutBottom,
    /// Over cards of the same row.
    OverOut,
    OverIn,
    /// Work that enables, from below.
    EnableTop,
    EnableBottom,
    EnableOut,
    EnableIn,
}

/// A stretch of a way between its ports: one gutter or one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Corridor {
    /// Up or down the gutter left of a column.
    Gutter(usize),
    /// Along the channel above a row.
    Channel(usize),
}

/// The way of one transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub from: GridCell,
    pub out: Port,
    /// Each with its track.
    pub corridors: Vec<(Corridor, usize)>,
    pub to: GridCell,
    pub into: Port,
}

/// Tracks that lie beside one another at most; further transitions share them.
const MOST_TRACKS: usize = 12;

/// The way from one card to another, without tracks yet.
pub(super) fn find_route(grid: &Grid, from: GridCell, to: GridCell, enables: bool) -> Route {
    let (out, corridors, into) = if enables && from.row > to.row {
        enabling_route(grid, from, to)
    } else {
        movement_route(grid, from, to)
    };
    Route {
        from,
        out,
        corridors: corridors
            .into_iter()
            .map(|corridor| (corridor, 0))
            .collect(),
        to,
        into,
    }
}

/// Whether nothing stands between two cards of a column, the first of them above.
fn is_clear_down(grid: &Grid, above: GridCell, below: GridCell) -> bool {
    above.column == below.column
        && above.row < below.row
        && (above.row + 1..below.row).all(|row| grid.is_free(above.column, row))
}

fn is_clear_across(grid: &Grid, left: GridCell, right: GridCell) -> bool {
    left.row == right.row
        && left.column < right.column
        && (left.column + 1..right.column).all(|column| grid.is_free(column, left.row))
}

fn enabling_route(grid: &Grid, from: GridCell, to: GridCell) -> (Port, Vec<Corridor>, Port) {
    if is_clear_down(grid, to, from) {
        return (Port::EnableTop, Vec::new(), Port::EnableBottom);
    }
    let beside = to.column + usize::from(from.column > to.column);
    let corridors = vec![
        Corridor::Channel(from.row),
        Corridor::Gutter(beside),
        Corridor::Channel(to.row + 1),
    ];
    (Port::EnableOut, corridors, Port::EnableIn)
}

fn movement_route(grid: &Grid, from: GridCell, to: GridCell) -> (Port, Vec<Corridor>, Port) {
    if is_clear_across(grid, from, to) {
        return (Port::OnwardRight, Vec::new(), Port::OnwardLeft);
    }
    if is_clear_down(grid, from, to) {
        return (Port::DownBottom, Vec::new(), Port::DownTop);
    }
    if from.row == to.row {
        return (
            Port::OverOut,
            vec![Corridor::Channel(from.row)],
            Port::OverIn,
        );
    }
    if from.column == to.column {
        return match from.row < to.row {
            true => {
                let corridors = vec![Corridor::Channel(from.row + 1), Corridor::Gutter(to.column)];
                (Port::OutBottom, corridors, Port::InLeft)
            }
            false => (
                Port::OutLeft,
                vec![Corridor::Gutter(to.column)],
                Port::InLeft,
            ),
        };
    }
    if from.column > to.column {
        let corridors = vec![Corridor::Channel(from.row), Corridor::Gutter(to.column + 1)];
        return (Port::OverOut, corridors, Port::InRight);
    }
    if from.column + 1 == to.column {
        return (
            Port::OutRight,
            vec![Corridor::Gutter(to.column)],
            Port::InLeft,
        );
    }
    let beside = to.row + usize::from(from.row > to.row);
    let corridors = vec![
        Corridor::Gutter(from.column + 1),
        Corridor::Channel(beside),
        Corridor::Gutter(to.column),
    ];
    (Port::OutRight, corridors, Port::InLeft)
}

/// How many tracks there are beside one another in each gutter and channel.
pub(super) type TrackCounts = BTreeMap<Corridor, usize>;

/// Gives every way its tracks, short ones first, so that they lie inside longer ones.
pub(super) fn assign_tracks(routes: &mut [Route]) -> TrackCounts {
    // (length, from, route, its corridor): sorts short ones first.
    let mut along: BTreeMap<Corridor, Vec<(usize, usize, usize, usize)>> = BTreeMap::new();
    for (at, route) in routes.iter().enumerate() {
        for (nth, (corridor, _)) in route.corridors.iter().enumerate() {
            let (from, to) = corridor_span(route, nth);
            along
                .entry(*corridor)
                .or_default()
                .push((to - from, from, at, nth));
        }
    }
    let mut tracks = TrackCounts::new();
    for (corridor, mut spans) in along {
        spans.sort_unstable();
        let mut beside: Vec<Vec<(usize, usize)>> = Vec::new();
        for (length, from, at, nth) in spans {
            let to = from + length;
            let meets = |other: &(usize, usize)| other.0 <= to && from <= other.1;
            let free = beside.iter().position(|track| !track.iter().any(meets));
            let track = match free {
                Some(track) => track,
                None if beside.len() < MOST_TRACKS => {
                    beside.push(Vec::new());
                    beside.len() - 1
                }
                None => at % MOST_TRACKS,
            };
            // A span that shares a track for want of another is not noted: it takes no room from those that follow.
            if free.is_some() || beside[track].is_empty() {
                beside[track].push((from, to));
            }
            routes[at].corridors[nth].1 = track;
        }
        tracks.insert(corridor, beside.len());
    }
    tracks
}

/// From where to where a corridor is used: cards have odd places, gutters and channels even ones.
fn corridor_span(route: &Route, nth: usize) -> (usize, usize) {
    let downward = matches!(route.corridors[nth].0, Corridor::Gutter(_));
    let of_card = |cell: GridCell| match downward {
        true => 2 * cell.row + 1,
        false => 2 * cell.column + 1,
    };
    let of_corridor = |(corridor, _): &(Corridor, usize)| match corridor {
        Corridor::Gutter(at) | Corridor::Channel(at) => 2 * at,
    };
    let before = nth
        .checked_sub(1)
        .and_then(|before| route.corridors.get(before));
    let one = before.map_or_else(|| of_card(route.from), of_corridor);
    let after = route.corridors.get(nth + 1);
    let other = after.map_or_else(|| of_card(route.to), of_corridor);
    (one.min(other), one.max(other))
}
