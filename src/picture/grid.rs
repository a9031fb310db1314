//! Which column and row a card stands in: phases side by side, lanes below one another, and in a phase as many columns
//! as make the sheet neither a ribbon nor a tower. Steps go down a column, then on to the next; work behind the scenes
//! stands below what it enables. It knows no pixels.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use entity::words::{Lane, TransitionKind};

use crate::canvas::Canvas;

/// A place in the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    pub column: usize,
    pub row: usize,
}

/// The grid of a blueprint.
#[derive(Debug)]
pub struct Grid {
    pub columns: usize,
    /// The lane of each row, in the order of the lanes.
    pub rows: Vec<Lane>,
    /// The columns of each phase.
    pub phases: Vec<Range<usize>>,
    /// Where each touchpoint stands.
    pub cells: Vec<Cell>,
    taken: HashSet<Cell>,
}

/// How wide a sheet may be for its height, and what columns, rows and everything else come to, roughly.
const WIDEST: f64 = 2.6;
const COLUMN: f64 = 240.0;
const ROW: f64 = 185.0;
const REST: f64 = 560.0;

impl Grid {
    pub fn of(canvas: &Canvas) -> Self {
        let counts = counts(canvas);
        let deepest = counts.iter().flatten().copied().max().unwrap_or(0);
        let depth = (1..=deepest).find(|depth| fits(&counts, *depth));
        Self::at_depth(canvas, &counts, depth.unwrap_or(deepest).max(1))
    }

    fn at_depth(canvas: &Canvas, counts: &[[usize; 4]], depth: usize) -> Self {
        let mut first_row = [0; 4];
        let mut rows = Vec::new();
        for (lane, first) in Lane::ALL.iter().zip(&mut first_row) {
            *first = rows.len();
            let deep = counts
                .iter()
                .map(|phase| rows_of(phase, *lane, depth))
                .max();
            rows.extend(std::iter::repeat_n(*lane, deep.unwrap_or(0)));
        }
        let enabled = enabled(canvas);
        let mut grid = Self {
            columns: 0,
            rows,
            phases: Vec::with_capacity(counts.len()),
            cells: Vec::with_capacity(canvas.touchpoints.len()),
            taken: HashSet::new(),
        };
        for (phase, counts) in canvas.phases.iter().zip(counts) {
            let columns = grid.columns..grid.columns + columns_of(counts, depth);
            grid.columns = columns.end;
            let first = grid.cells.len();
            let there = first..first + canvas.touchpoints_of(phase.id).len();
            let mut cells = vec![
                Cell {
                    column: columns.start,
                    row: 0
                };
                there.len()
            ];
            for lane in Lane::ALL {
                let in_lane = there.clone();
                let in_lane = in_lane.filter(|at| canvas.touchpoints[*at].lane == *lane);
                let in_lane: Vec<usize> = in_lane.collect();
                let wanted = in_lane.iter().map(|at| {
                    let on = enabled.get(at).filter(|on| there.contains(*on))?;
                    let above = canvas.touchpoints[*on].lane < *lane;
                    above.then(|| cells[on - first].column)
                });
                let wanted: Vec<Option<usize>> = wanted.collect();
                let deep = rows_of(counts, *lane, depth);
                for (at, (column, down)) in in_lane.iter().zip(spread(&wanted, &columns, deep)) {
                    cells[at - first] = Cell {
                        column,
                        row: first_row[*lane as usize] + down,
                    };
                }
            }
            grid.phases.push(columns);
            grid.cells.extend(cells);
        }
        grid.taken = grid.cells.iter().copied().collect();
        grid
    }

    pub fn is_free(&self, column: usize, row: usize) -> bool {
        !self.taken.contains(&Cell { column, row })
    }
}

/// Touchpoints by phase and lane.
fn counts(canvas: &Canvas) -> Vec<[usize; 4]> {
    let phases = canvas.phases.iter().map(|phase| {
        let mut counts = [0; 4];
        for touchpoint in canvas.touchpoints_of(phase.id) {
            counts[touchpoint.lane as usize] += 1;
        }
        counts
    });
    phases.collect()
}

fn columns_of(counts: &[usize; 4], depth: usize) -> usize {
    let columns = counts.iter().map(|count| count.div_ceil(depth)).max();
    columns.unwrap_or(1).max(1)
}

fn rows_of(counts: &[usize; 4], lane: Lane, depth: usize) -> usize {
    counts[lane as usize].div_ceil(columns_of(counts, depth))
}

/// Whether the sheet is not too wide at this depth.
#[expect(clippy::cast_precision_loss, reason = "a few hundred of them")]
fn fits(counts: &[[usize; 4]], depth: usize) -> bool {
    let columns: usize = counts.iter().map(|phase| columns_of(phase, depth)).sum();
    let rows = Lane::ALL.iter().map(|lane| {
        let deep = counts.iter().map(|phase| rows_of(phase, *lane, depth));
        deep.max().unwrap_or(0)
    });
    let rows: usize = rows.sum();
    columns as f64 * COLUMN <= WIDEST * (rows as f64 * ROW + REST)
}

/// What each touchpoint enables first.
fn enabled(canvas: &Canvas) -> HashMap<usize, usize> {
    let mut enabled = HashMap::new();
    for edge in &canvas.transitions {
        if edge.kind != TransitionKind::Enables {
            continue;
        }
        let place = |id: Option<_>| id.and_then(|id| canvas.place(id));
        if let (Some(from), Some(to)) =
            (place(edge.from_touchpoint_id), place(edge.to_touchpoint_id))
        {
            enabled.entry(from).or_insert(to);
        }
    }
    enabled
}

/// Spreads cards over columns so many deep: first where they are wanted, the others from the left.
fn spread(wanted: &[Option<usize>], columns: &Range<usize>, deep: usize) -> Vec<(usize, usize)> {
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
