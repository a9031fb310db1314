//! Which column and row a card stands in: phases side by side, lanes below one another, and in a phase as many columns
//! as make the drawing neither a ribbon nor a tower. Steps go down a column, then on to the next; work behind the
//! scenes stands below what it enables. It knows no pixels.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use entity::{
    touchpoint,
    words::{Lane, TransitionKind},
};

use crate::canvas::Canvas;

/// A place in the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct GridCell {
    pub column: usize,
    pub row: usize,
}

/// The grid of a blueprint.
#[derive(Debug)]
pub(super) struct Grid {
    pub columns: usize,
    /// The lane of each row, in the order of the lanes.
    pub rows: Vec<Lane>,
    /// The columns of each phase.
    pub phases: Vec<Range<usize>>,
    /// Where each touchpoint stands.
    pub cells: Vec<GridCell>,
    taken: HashSet<GridCell>,
}

/// How wide a drawing may be for its height, and what columns, rows and everything else come to, roughly.
const WIDEST: f64 = 2.6;
const COLUMN: f64 = 240.0;
const ROW: f64 = 185.0;
const REST: f64 = 560.0;

impl Grid {
    pub(super) fn new(canvas: &Canvas) -> Self {
        let counts = count_touchpoints(canvas);
        let deepest = counts.iter().flatten().copied().max().unwrap_or(0);
        let depth = (1..=deepest).find(|depth| fits_drawing_width(&counts, *depth));
        Self::build_with_depth(canvas, &counts, depth.unwrap_or(deepest).max(1))
    }

    fn build_with_depth(canvas: &Canvas, counts: &[[usize; 4]], depth: usize) -> Self {
        let mut first_row = [0; 4];
        let mut rows = Vec::new();
        for (lane, first) in Lane::ALL.iter().zip(&mut first_row) {
            *first = rows.len();
            let deep = counts.iter().map(|phase| rows_needed(phase, *lane, depth));
            rows.extend(std::iter::repeat_n(*lane, deep.max().unwrap_or(0)));
        }
        let enabled = first_enabled_touchpoints(canvas);
        let mut columns = 0;
        let mut phases = Vec::with_capacity(counts.len());
        let mut cells = Vec::with_capacity(canvas.touchpoints.len());
        for (phase, counts) in canvas.phases.iter().zip(counts) {
            let there = columns..columns + columns_needed(counts, depth);
            columns = there.end;
            let first = cells.len();
            let steps = canvas.touchpoints_of_phase(phase.id);
            let deep = |lane: Lane| rows_needed(counts, lane, depth);
            // What is enabled in the same phase, by its place in it.
            let enables = |at: usize| enabled.get(&(first + at))?.checked_sub(first);
            let inside = place_in_phase(steps, &there, deep, enables);
            cells.extend(
                inside
                    .into_iter()
                    .zip(steps)
                    .map(|((column, down), step)| GridCell {
                        column,
                        row: first_row[step.lane as usize] + down,
                    }),
            );
            phases.push(there);
        }
        Self {
            columns,
            rows,
            phases,
            taken: cells.iter().copied().collect(),
            cells,
        }
    }

    pub(super) fn is_free(&self, column: usize, row: usize) -> bool {
        !self.taken.contains(&GridCell { column, row })
    }
}

/// Touchpoints by phase and lane.
fn count_touchpoints(canvas: &Canvas) -> Vec<[usize; 4]> {
    let phases = canvas.phases.iter().map(|phase| {
        let mut counts = [0; 4];
        for touchpoint in canvas.touchpoints_of_phase(phase.id) {
            counts[touchpoint.lane as usize] += 1;
        }
        counts
    });
    phases.collect()
}

fn columns_needed(counts: &[usize; 4], depth: usize) -> usize {
    let columns = counts.iter().map(|count| count.div_ceil(depth)).max();
    columns.unwrap_or(1).max(1)
}

fn rows_needed(counts: &[usize; 4], lane: Lane, depth: usize) -> usize {
    counts[lane as usize].div_ceil(columns_needed(counts, depth))
}

/// Whether the drawing is not too wide at this depth.
#[expect(clippy::cast_precision_loss, reason = "a few hundred of them")]
fn fits_drawing_width(counts: &[[usize; 4]], depth: usize) -> bool {
    let columns: usize = counts
        .iter()
        .map(|phase| columns_needed(phase, depth))
        .sum();
    let rows = Lane::ALL.iter().map(|lane| {
        let deep = counts.iter().map(|phase| rows_needed(phase, *lane, depth));
        deep.max().unwrap_or(0)
    });
    let rows: usize = rows.sum();
    columns as f64 * COLUMN <= WIDEST * (rows as f64 * ROW + REST)
}

/// What each touchpoint enables first.
fn first_enabled_touchpoints(canvas: &Canvas) -> HashMap<usize, usize> {
    let mut enabled = HashMap::new();
    for edge in &canvas.transitions {
        if edge.kind != TransitionKind::Enables {
            continue;
        }
        let place = |id: Option<_>| id.and_then(|id| canvas.index_of_touchpoint(id));
        if let (Some(from), Some(to)) =
            (place(edge.from_touchpoint_id), place(edge.to_touchpoint_id))
        {
            enabled.entry(from).or_insert(to);
        }
    }
    enabled
}

/// Column, and place down its lane, of each step of a phase, given how deep a lane is and what a step enables.
fn place_in_phase(
    steps: &[touchpoint::Model],
    columns: &Range<usize>,
    deep: impl Fn(Lane) -> usize,
    enables: impl Fn(usize) -> Option<usize>,
) -> Vec<(usize, usize)> {
    let mut places = vec![(columns.start, 0); steps.len()];
    for lane in Lane::ALL {
        let in_lane: Vec<usize> = (0..steps.len())
            .filter(|at| steps[*at].lane == *lane)
            .collect();
        let wanted = in_lane.iter().map(|at| {
            let on = enables(*at)?;
            // Only lanes above have their places yet.
            let above = steps.get(on)?.lane < *lane;
            above.then(|| places[on].0)
        });
        let wanted: Vec<Option<usize>> = wanted.collect();
        for (at, place) in in_lane
            .iter()
            .zip(spread_over_columns(&wanted, columns, deep(*lane)))
        {
            places[*at] = place;
        }
    }
    places
}

/// Spreads cards over columns so many deep: first where they are wanted, the others from the left.
fn spread_over_columns(
    wanted: &[Option<usize>],
    columns: &Range<usize>,
    deep: usize,
) -> Vec<(usize, usize)> {
    let mut filled = vec![0; columns.len()];
    let mut chosen: Vec<Option<usize>> = vec![None; wanted.len()];
    for (chosen, wanted) in chosen.iter_mut().zip(wanted) {
        if let Some(at) = wanted.map(|column| column - columns.start)
            && filled[at] < deep
        {
            filled[at] += 1;
            *chosen = Some(at);
        }
    }
    let mut at = 0;
    for chosen in chosen.iter_mut().filter(|chosen| chosen.is_none()) {
        while at + 1 < filled.len() && filled[at] >= deep {
            at += 1;
        }
        filled[at] += 1;
        *chosen = Some(at);
    }
    let mut down = vec![0; columns.len()];
    let placed = chosen.into_iter().flatten().map(|at| {
        down[at] += 1;
        (columns.start + at, down[at] - 1)
    });
    placed.collect()
}
