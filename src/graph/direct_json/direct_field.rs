//! How each kind of field is drawn: as its stored form is written as JSON, which for most is also the API's form.

use entity::words::StoredWord;
use sea_orm::Value;
use serde::Serialize;

use super::{CanvasRow, FieldWriter, Selections, list_field_writer, value_field_writer};
use crate::fields::kinds::{
    BoundedInteger, EvidenceItems, FieldKind, InitialWord, MonthlyRate, NameList, OptionalText,
    OptionalWord, WordWithInitial, YesNo,
};

/// A kind that can be drawn.
pub(super) trait DirectField: FieldKind {
    /// Draws the field that `stored` finds in a row; nothing where the field's own fields lead off the canvas.
    fn writer<'c, R>(
        asked: &Selections<'_>,
        stored: impl Fn(&'c R) -> &'c Self::Stored + 'c,
    ) -> Option<FieldWriter<'c, CanvasRow<'c, R>>>;
}

/// Kinds whose stored form is written as the API shows it.
macro_rules! drawn_as_stored {
    ($([$($generics:tt)*] $kind:ty where [$($bound:tt)*];)*) => {
        $(impl<$($generics)*> DirectField for $kind where $($bound)* {
            fn writer<'c, R>(
                _: &Selections<'_>,
                stored: impl Fn(&'c R) -> &'c Self::Stored + 'c,
            ) -> Option<FieldWriter<'c, CanvasRow<'c, R>>> {
                value_field_writer(move |at: CanvasRow<'c, R>| stored(at.row))
            }
        })*
    };
}

drawn_as_stored! {
    [] OptionalText where [];
    [W: StoredWord + Serialize] OptionalWord<W> where [Option<W>: Into<Value>];
    [W: InitialWord + Into<Value> + Serialize] WordWithInitial<W> where [];
    [] YesNo where [];
    [const MIN: i32, const MAX: i32] BoundedInteger<MIN, MAX> where [];
    [] MonthlyRate where [];
    [] NameList where [];
}

impl DirectField for EvidenceItems {
    fn writer<'c, R>(
        asked: &Selections<'_>,
        stored: impl Fn(&'c R) -> &'c Self::Stored + 'c,
    ) -> Option<FieldWriter<'c, CanvasRow<'c, R>>> {
        list_field_writer(asked, move |at: CanvasRow<'c, R>| {
            stored(at.row).0.iter().map(move |item| at.with_row(item))
        })
    }
}
