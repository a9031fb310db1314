//! How each kind of field enters and leaves the API. That of evidence stands with its input, in `touchpoint::inputs`.
//! It writes nothing.

use async_graphql::MaybeUndefined;
use entity::words::StoredWord;
use sea_orm::{ActiveValue, Set, Value};

use super::kinds::{
    BoundedInteger, FieldKind, InitialWord, MonthlyRate, NameList, OptionalText, OptionalWord,
    WordWithInitial, YesNo,
};
use crate::input::{Faults, list_if_given, set_if_given, set_or_clear};

/// A kind that is a field of inputs and of objects.
pub trait ApiField: FieldKind {
    /// The type in inputs. Absent keeps what is stored; null clears it, or is refused where there is always a value.
    type Input;
    /// The type in objects.
    type Output;

    /// The change that an input makes, with a fault at `path` for each value that the kind does not take.
    fn change_from_input(
        input: &MaybeUndefined<Self::Input>,
        path: &str,
        faults: &mut Faults,
    ) -> ActiveValue<Self::Stored>;

    /// The value that an object shows, made from the stored one.
    fn to_output(stored: Self::Stored) -> Self::Output;

    /// The change, with the value of a new row where it says nothing.
    fn change_or_initial(change: ActiveValue<Self::Stored>) -> ActiveValue<Self::Stored> {
        if change.is_set() {
            change
        } else {
            Set(Self::initial())
        }
    }
}

impl ApiField for OptionalText {
    type Input = String;
    type Output = Option<String>;

    fn change_from_input(
        input: &MaybeUndefined<Self::Input>,
        path: &str,
        faults: &mut Faults,
    ) -> ActiveValue<Self::Stored> {
        set_or_clear(input, |text| {
            Self::check(text.map(String::as_str), path, faults)
        })
    }

    fn to_output(stored: Self::Stored) -> Self::Output {
        stored
    }
}

impl<W: StoredWord> ApiField for OptionalWord<W>
where
    Option<W>: Into<Value>,
{
    type Input = W;
    type Output = Option<W>;

    fn change_from_input(
        input: &MaybeUndefined<Self::Input>,
        _: &str,
        _: &mut Faults,
    ) -> ActiveValue<Self::Stored> {
        set_or_clear(input, |word| word.copied())
    }

    fn to_output(stored: Self::Stored) -> Self::Output {
        stored
    }
}

impl<W: InitialWord + Into<Value>> ApiField for WordWithInitial<W> {
    type Input = W;
    type Output = W;

    fn change_from_input(
        input: &MaybeUndefined<Self::Input>,
        path: &str,
        faults: &mut Faults,
    ) -> ActiveValue<Self::Stored> {
        set_if_given(faults.given(path, input), |word| *word)
    }

    fn to_output(stored: Self::Stored) -> Self::Output {
        stored
    }
}

impl ApiField for YesNo {
    type Input = bool;
    type Output = bool;

    fn change_from_input(
        input: &MaybeUndefined<Self::Input>,
        path: &str,
        faults: &mut Faults,
    ) -> ActiveValue<Self::Stored> {
        set_if_given(faults.given(path, input), |flag| *flag)
    }

    fn to_output(stored: Self::Stored) -> Self::Output {
        stored
    }
}

impl<const MIN: i32, const MAX: i32> ApiField for BoundedInteger<MIN, MAX> {
    type Input = i32;
    type Output = Option<i32>;

    fn change_from_input(
        input: &MaybeUndefined<Self::Input>,
        path: &str,
        faults: &mut Faults,
    ) -> ActiveValue<Self::Stored> {
        set_or_clear(input, |number| Self::check(number.copied(), path, faults))
    }

    fn to_output(stored: Self::Stored) -> Self::Output {
        stored
    }
}

impl ApiField for MonthlyRate {
    type Input = f64;
    type Output = Option<f64>;

    fn change_from_input(
        input: &MaybeUndefined<Self::Input>,
        path: &str,
        faults: &mut Faults,
    ) -> ActiveValue<Self::Stored> {
        set_or_clear(input, |rate| Self::check(rate.copied(), path, faults))
    }

    fn to_output(stored: Self::Stored) -> Self::Output {
        stored
    }
}

impl ApiField for NameList {
    type Input = Vec<String>;
    type Output = Vec<String>;

    fn change_from_input(
        input: &MaybeUndefined<Self::Input>,
        path: &str,
        faults: &mut Faults,
    ) -> ActiveValue<Self::Stored> {
        set_if_given(list_if_given(input), |names| {
            Self::check(names, path, faults)
        })
    }

    fn to_output(stored: Self::Stored) -> Self::Output {
        stored.0
    }
}
