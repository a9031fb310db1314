//! Charges statements to the budget of the request that they run for: before they run, for the rows that they return,
//! and on SQLite for their work meanwhile. It runs nothing.

use std::sync::Arc;

use sea_orm::DbErr;

use crate::{
    compute::{Budget, ROW_READ, STATEMENT},
    error::database::{error_code, wrap_as_database_error},
};

/// Steps of the budget for the work of SQLite between two looks at its signal, about 50 microseconds.
const LOOK: u64 = 1_000;

/// SQLite's code of a statement that was interrupted.
const INTERRUPTED: &str = "9";

/// The budget that is charged; none for signing in, for writes, and for the server's own work.
#[derive(Clone, Debug, Default)]
pub(super) struct Charge(Option<Arc<Budget>>);

impl Charge {
    /// A charge to this budget.
    pub(super) fn to(budget: &Arc<Budget>) -> Self {
        Self(Some(Arc::clone(budget)))
    }

    /// Charges a statement before it runs.
    pub(super) fn charge_statement(&self) -> Result<(), DbErr> {
        self.spend(STATEMENT)
    }

    /// Charges rows that were returned.
    pub(super) fn charge_rows(&self, rows: usize) -> Result<(), DbErr> {
        self.spend(ROW_READ.saturating_mul(rows as u64))
    }

    /// Charges a stretch of SQLite's work, and says whether the budget reaches for it.
    pub(super) fn charge_sqlite_steps(&self) -> bool {
        self.spend(LOOK).is_ok()
    }

    /// Replaces the error of a statement that SQLite interrupted because the budget is spent by the budget's refusal.
    pub(super) fn explain_interruption(&self, error: DbErr) -> DbErr {
        match error_code(&error).as_deref() {
            // The interrupt may also stem from the signal of a dropped request: only a budget that is really spent
            // replaces the error. Spending 0 asks for that and changes nothing.
            Some(INTERRUPTED) => self.spend(0).err().unwrap_or(error),
            _ => error,
        }
    }

    fn spend(&self, steps: u64) -> Result<(), DbErr> {
        self.0.as_ref().map_or(Ok(()), |budget| {
            budget.spend(steps).map_err(wrap_as_database_error)
        })
    }
}
