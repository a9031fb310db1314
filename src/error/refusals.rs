//! What is refused of the things in a list that one act changes all or none of: all faults are told at once.

use super::{Error, Result, UserError};

/// Collects the faults and conflicts of the things in a list.
#[derive(Debug, Default)]
pub struct Refusals {
    errors: Vec<UserError>,
    current: Vec<uuid::Uuid>,
}

impl Refusals {
    /// The value for the thing at this path; none where it is refused, which [`Refusals::check`] then tells.
    ///
    /// # Errors
    /// What ends the whole act: that it is FORBIDDEN, which belongs into the audit log, and failures of the request.
    pub fn collect<T>(&mut self, path: &str, result: Result<T>) -> Result<Option<T>> {
        match result.map_err(|error| error.under(path)) {
            Ok(value) => return Ok(Some(value)),
            Err(Error::Refused(errors)) => self.errors.extend(errors),
            Err(Error::Conflict { errors, current }) => {
                self.errors.extend(errors);
                self.current.extend(current);
            }
            Err(other) => return Err(other),
        }
        Ok(None)
    }

    /// Refuses where anything was.
    ///
    /// # Errors
    /// `Conflict` where a thing is not as the caller thought, else `Refused`.
    pub fn check(self) -> Result<()> {
        match (self.errors.is_empty(), self.current.is_empty()) {
            (true, _) => Ok(()),
            (false, true) => Err(Error::Refused(self.errors)),
            (false, false) => Err(Error::Conflict {
                errors: self.errors,
                current: self.current,
            }),
        }
    }
}
