//! One file for each kind of part that a blueprint's document lists.
//!
//! Each file holds everything that is particular to its kind: the fields (`parts!` makes of them the part that is
//! written and the patch that is read); the fields that name other things, and what happens when these are gone
//! (`references!`); the part of a row (`PartKeysById::promise_row_to_part(row)` gives a `PromisePart`); the rows of
//! parts, with every rule that holds for them (`Resolver::resolve_promises(parts)`); and how rows are applied where
//! that is more than an upsert (`apply_promises`).
//!
//! A new kind is a new file and `mod` line here, a list in `blueprint.rs`, fields of `WantedRows` (`target`), and a
//! line each in `export`, `resolve` and `apply`, whose order says what has to be there first. An ordered list of its
//! own needs a line in `list_rows!` (`write`), a kind that others name one in `reference`, `keys` and `resolver`.
//! Deleting a kind deletes its file and these lines.

pub mod evaluation;
pub mod improvement;
pub mod insight;
pub mod kpi_link;
pub mod phase;
pub mod promise;
pub mod responsibility;
pub mod scenario;
pub mod source;
pub mod touchpoint;
pub mod transition;
