//! Parses and validates inputs. It collects every fault on the way, so that a person sees all of them at once. It
//! changes nothing and knows no database.

use std::{collections::HashSet, ops::RangeInclusive};

use async_graphql::{ID, InputObject, MaybeUndefined, OneofObject};
use chrono::NaiveDate;
use entity::id::Id;
use sea_orm::{ActiveValue, Set};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::{
    error::{Error, Reason, Result, UserError, UserErrorCode},
    id,
    number::size_fault,
    scalar::{DAY_OUT_OF_RANGE, is_day_in_range},
    text::{fold_key, is_blank, is_unseen, quote_for_message},
};

/// Longest name or title, in characters.
pub const NAME: usize = 200;
/// Longest free text, in characters.
pub const TEXT: usize = 4_000;
/// Longest sentence in a list of them (a task, a need, a why), in characters.
pub const SENTENCE: usize = 500;
/// Longest address of a page, in characters.
pub const LINK: usize = 2_000;
/// Longest key, in characters.
pub const KEY: usize = 64;
/// Longest list inside one object.
pub const LIST: usize = 50;
/// Most things that one act changes, where a client lists them.
pub const MOST_AT_ONCE: usize = 200;

/// An object, by its id or by its key.
#[derive(Clone, Debug, OneofObject)]
pub enum By {
    /// By its id.
    Id(ID),
    /// By its key, in upper or lower case.
    Key(String),
}

/// An object inside a blueprint, by its id, or by its blueprint's key and its own.
#[derive(Clone, Debug, OneofObject)]
pub enum ByInside {
    /// By its id.
    Id(ID),
    /// By its blueprint's key and its own.
    Key(KeyInside),
}

/// The key of an object inside a blueprint.
#[derive(Clone, Debug, InputObject)]
pub struct KeyInside {
    /// The blueprint's key.
    pub blueprint: String,
    /// The object's own key.
    pub key: String,
}

/// An object and the version of it that you read, for mutations of the object as a whole.
#[derive(Clone, Debug, InputObject)]
pub struct AtVersionInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
}

/// Most faults in one answer: more than anybody mends before asking again.
const MOST_FAULTS: usize = 200;

/// Collects the faults of an input. Its methods return a usable value even after a fault, so that reading goes on;
/// [`Faults::check`] then keeps the values from being used.
#[derive(Debug, Default)]
pub struct Faults {
    told: Vec<UserError>,
    /// Number of further faults.
    more: usize,
}

impl Faults {
    /// Adds a fault.
    pub fn add(
        &mut self,
        path: &str,
        code: UserErrorCode,
        reason: Option<Reason>,
        message: impl Into<String>,
    ) {
        self.push(UserError::new(path, code, reason, message));
    }

    /// Adds the faults of a part of the input, with the part's path before theirs.
    pub fn add_under_path(&mut self, path: &str, faults: Vec<UserError>) {
        for mut fault in faults {
            fault.put_under(path);
            self.push(fault);
        }
    }

    /// The value that an update gives a field that cannot be cleared: absent keeps what is stored, and null is refused.
    pub fn given<'i, T>(&mut self, path: &str, field: &'i MaybeUndefined<T>) -> Option<&'i T> {
        if field.is_null() {
            let message = "It cannot be cleared. Leave the field out to keep what is there.";
            self.add(path, UserErrorCode::Required, None, message);
        }
        field.value()
    }

    fn push(&mut self, fault: UserError) {
        if self.told.len() < MOST_FAULTS {
            self.told.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// The same, with the last step of each path spelled as in another form of input, such as a column's header.
    #[must_use]
    pub fn respell_paths(mut self, spelled: &[(&str, &str)]) -> Self {
        for end in self
            .told
            .iter_mut()
            .filter_map(|fault| fault.field.last_mut())
        {
            if let Some((_, other)) = spelled.iter().find(|(one, _)| one == end) {
                (*other).clone_into(end);
            }
        }
        self
    }

    /// The same in the order of the lines that begin their paths, as in sheets.
    #[must_use]
    pub fn in_order_of_lines(mut self) -> Self {
        self.told.sort_by_key(|fault| {
            fault
                .field
                .first()
                .and_then(|line| line.parse::<u64>().ok())
        });
        self
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The faults, for a report that is no refusal.
    #[must_use]
    pub fn into_errors(self) -> Vec<UserError> {
        self.told
    }

    /// Refuses where there are faults.
    ///
    /// # Errors
    /// `Refused` with the first hundred, and how many more there are.
    pub fn check(mut self) -> Result<()> {
        if self.told.is_empty() {
            return Ok(());
        }
        if self.more > 0 {
            let message = format!(
                "There are more faults than these: {} more are not listed.",
                self.more
            );
            let more = UserError::new("", UserErrorCode::LimitExceeded, None, message);
            self.told.push(more);
        }
        Err(Error::Refused(self.told))
    }

    /// Parses an id of this type; after a fault the nil id.
    pub fn parse_id<I: Id>(&mut self, path: &str, id: &ID) -> I {
        id.parse().unwrap_or_else(|wrong: entity::id::NotAnId| {
            self.add(
                path,
                UserErrorCode::Invalid,
                None,
                format!("This is {wrong}."),
            );
            Uuid::nil().into()
        })
    }

    /// Parses an optional id.
    pub fn parse_optional_id<I: Id>(&mut self, path: &str, id: Option<&ID>) -> Option<I> {
        id.map(|id| self.parse_id(path, id))
    }

    /// Parses several ids, each of which may occur once.
    pub fn parse_ids<I: Id>(&mut self, path: &str, ids: &[ID]) -> Vec<I> {
        self.check_list_length(path, ids.len());
        let mut read: Vec<I> = Vec::with_capacity(ids.len().min(LIST));
        for (index, id) in ids.iter().take(LIST).enumerate() {
            let id = self.parse_id(&format!("{path}.{index}"), id);
            if !read.contains(&id) {
                read.push(id);
            }
        }
        read
    }

    /// Parses the ids of the things that one act changes all or none of, each of which may occur once.
    pub fn parse_ids_at_once<'i, I: Id>(
        &mut self,
        (path, noun): (&str, &str),
        ids: impl ExactSizeIterator<Item = &'i ID>,
    ) -> Vec<I> {
        self.check_count(path, ids.len(), MOST_AT_ONCE);
        let mut read: Vec<I> = Vec::new();
        for (at, id) in ids.take(MOST_AT_ONCE).enumerate() {
            let path = format!("{path}.{at}.id");
            let id: I = self.parse_id(&path, id);
            if !id.uuid().is_nil() && read.contains(&id) {
                let message = format!("This {noun} is in the list already.");
                self.add(&path, UserErrorCode::Duplicate, None, message);
            }
            read.push(id);
        }
        read
    }

    /// The id of a new thing: the client's, so that a retry makes nothing twice, or a new one.
    pub fn parse_or_make_id<I: Id>(&mut self, id: Option<&ID>) -> I {
        match id {
            None => id::new(),
            Some(given) => {
                let read: I = self.parse_id("id", given);
                if read.uuid().get_version_num() != 7 && !read.uuid().is_nil() {
                    self.add(
                        "id",
                        UserErrorCode::Invalid,
                        None,
                        "An id chosen by the client has to be a UUID of version 7.",
                    );
                }
                read
            }
        }
    }

    /// Validates a name: not empty, on one line.
    pub fn check_name(&mut self, path: &str, text: &str) -> String {
        let empty = is_blank(text);
        let text = self.check_text(path, text, NAME);
        if empty {
            self.add(path, UserErrorCode::Required, None, "A text is required.");
        }
        if text.contains(['\n', '\r']) {
            self.add(
                path,
                UserErrorCode::Invalid,
                None,
                "This has to be a single line.",
            );
        }
        text
    }

    /// Validates a required text.
    pub fn check_required_text(&mut self, path: &str, text: &str) -> String {
        let empty = is_blank(text);
        let text = self.check_text(path, text, TEXT);
        if empty {
            self.add(path, UserErrorCode::Required, None, "A text is required.");
        }
        text
    }

    /// Validates an optional text; one that shows nothing is none.
    pub fn check_optional_text(&mut self, path: &str, text: Option<&str>) -> Option<String> {
        let text = self.check_text(path, text?, TEXT);
        (!is_blank(&text)).then_some(text)
    }

    /// Validates a link, which people click on: http and https only, as `javascript:` would run in their page.
    pub fn check_link(&mut self, path: &str, link: Option<&str>) -> Option<String> {
        let link = self.check_text_as_is(path, link?, LINK);
        if link.is_empty() {
            return None;
        }
        if !link.starts_with("https://") && !link.starts_with("http://") {
            let message = "A link begins with https:// or http://.";
            self.add(path, UserErrorCode::Invalid, None, message);
        }
        Some(link)
    }

    /// Trims a text and composes its letters (NFC), and validates that it is no longer than `longest` characters and has
    /// no control characters.
    pub fn check_text(&mut self, path: &str, text: &str, longest: usize) -> String {
        // What looks the same is kept the same, whatever keyboard or file it came from.
        let text: String = text.nfc().collect();
        self.check_text_as_is(path, &text, longest)
    }

    /// The same for what programs made, such as addresses and ids of other systems: its letters stay as they are.
    pub fn check_text_as_is(&mut self, path: &str, text: &str, longest: usize) -> String {
        let text = text.trim();
        let length = text.chars().take(longest + 1).count();
        if length > longest {
            self.add(
                path,
                UserErrorCode::TooLong,
                None,
                format!("This is longer than {longest} characters."),
            );
            return String::new();
        }
        if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            self.add(
                path,
                UserErrorCode::Invalid,
                None,
                "This has a control character in it.",
            );
        }
        text.to_owned()
    }

    /// Validates a list of sentences, none empty.
    pub fn check_texts(&mut self, path: &str, texts: &[String]) -> Vec<String> {
        self.check_texts_within(path, texts, SENTENCE)
    }

    /// Adds a fault for each text that an earlier one of the list cannot be told apart from; `path` gives the place of
    /// one by its number.
    pub fn add_alike_faults<'t>(
        &mut self,
        path: impl Fn(usize) -> String,
        texts: impl IntoIterator<Item = &'t str>,
    ) {
        let mut met = HashSet::new();
        for (at, text) in texts.into_iter().enumerate() {
            // What is blank has its fault already.
            if !is_blank(text) && !met.insert(fold_key(text)) {
                let message = "This is in the list already; upper and lower case are alike.";
                self.add(&path(at), UserErrorCode::Duplicate, None, message);
            }
        }
    }

    /// Validates a list of names, none empty.
    pub fn check_names(&mut self, path: &str, texts: &[String]) -> Vec<String> {
        self.check_texts_within(path, texts, NAME)
    }

    fn check_texts_within(&mut self, path: &str, texts: &[String], longest: usize) -> Vec<String> {
        self.check_list_length(path, texts.len());
        texts
            .iter()
            .take(LIST)
            .enumerate()
            .map(|(index, text)| {
                let path = format!("{path}.{index}");
                let empty = is_blank(text);
                let text = self.check_text(&path, text, longest);
                if empty {
                    self.add(&path, UserErrorCode::Required, None, "A text is required.");
                }
                text
            })
            .collect()
    }

    /// Validates the length of a list inside one object.
    pub fn check_list_length(&mut self, path: &str, length: usize) {
        if length > LIST {
            // Not how many: a document is read no further than this.
            let message = format!("There are more than {LIST} of them.");
            self.add(path, UserErrorCode::LimitExceeded, None, message);
        }
    }

    /// Validates the length of a list with those of its members that are at archived touchpoints.
    pub fn check_count_with_archived(&mut self, path: &str, length: usize, most: usize) {
        if length > most {
            let message = format!(
                "There are {length} of them, with those at archived touchpoints; at most {most} are allowed."
            );
            self.add(path, UserErrorCode::LimitExceeded, None, message);
        }
    }

    /// Validates the number of things in a list.
    pub fn check_count(&mut self, path: &str, length: usize, most: usize) {
        if length > most {
            let message = format!("There are {length} of them; at most {most} are allowed.");
            self.add(path, UserErrorCode::LimitExceeded, None, message);
        }
    }

    /// Validates a key: ASCII letters, digits, `.`, `_` and `-`, beginning with a letter or digit.
    pub fn check_key(&mut self, path: &str, key: &str) -> String {
        if !is_valid_key(key) {
            self.add(
                path,
                if key.len() > KEY {
                    UserErrorCode::TooLong
                } else {
                    UserErrorCode::Invalid
                },
                None,
                invalid_key_message(key),
            );
        }
        key.to_owned()
    }

    /// Validates a day: it lies in the years 1900 to 2999.
    pub fn check_day(&mut self, path: &str, day: NaiveDate) -> NaiveDate {
        if !is_day_in_range(day) {
            self.add(
                path,
                UserErrorCode::Invalid,
                Some(Reason::OutOfRange),
                DAY_OUT_OF_RANGE,
            );
        }
        day
    }

    /// Validates the day of something that has happened.
    pub fn check_day_has_come(&mut self, path: &str, day: NaiveDate, today: NaiveDate) {
        if day <= today {
            self.check_day(path, day);
        } else {
            let message = format!("This day is in the future: today is {today}.");
            self.add(
                path,
                UserErrorCode::Invalid,
                Some(Reason::InFuture),
                message,
            );
        }
    }

    /// Validates that a whole number lies on its scale, both ends included.
    pub fn check_within(
        &mut self,
        path: &str,
        value: Option<i32>,
        scale: RangeInclusive<i32>,
    ) -> Option<i32> {
        if value.is_some_and(|value| !scale.contains(&value)) {
            self.add(
                path,
                UserErrorCode::Invalid,
                Some(Reason::OutOfRange),
                format!(
                    "This lies outside its scale from {} to {}.",
                    scale.start(),
                    scale.end()
                ),
            );
        }
        value
    }

    /// Validates that a number is finite and no larger than numbers may be.
    pub fn check_number(&mut self, path: &str, value: Option<f64>) -> Option<f64> {
        if let Some((reason, message)) = value.and_then(size_fault) {
            self.add(path, UserErrorCode::Invalid, Some(reason), message);
        }
        value
    }
}

/// Whether a text can be a key.
#[must_use]
pub fn is_valid_key(text: &str) -> bool {
    text.len() <= KEY
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Parses an id of this type.
///
/// # Errors
/// `Refused`, in a query as well, which has no payload.
pub fn parse_id<I: Id>(path: &str, id: &ID) -> Result<I> {
    let mut faults = Faults::default();
    let read = faults.parse_id(path, id);
    faults.check()?;
    Ok(read)
}

/// Parses an optional id, as [`parse_id`] does.
pub fn parse_optional_id<I: Id>(path: &str, given: Option<&ID>) -> Result<Option<I>> {
    given.map(|given| parse_id(path, given)).transpose()
}

/// What a range is told whose beginning lies after its end.
pub const REVERSED_RANGE: &str = "`from` lies after `to`.";

/// Whether the beginning of a range lies after its end: nothing lies in it, which whoever asks did not mean.
pub fn is_reversed_range<T: PartialOrd>(from: Option<T>, to: Option<T>) -> bool {
    from.zip(to).is_some_and(|(from, to)| from > to)
}

/// Refuses a range whose beginning lies after its end.
///
/// # Errors
/// `BadInput`.
pub fn refuse_reversed_range<T: PartialOrd>(from: Option<T>, to: Option<T>) -> Result<()> {
    match is_reversed_range(from, to) {
        true => Err(Error::BadInput(REVERSED_RANGE.to_owned())),
        false => Ok(()),
    }
}

/// The list that an update gives: absent keeps what is stored, null empties it.
pub fn list_if_given<T>(field: &MaybeUndefined<Vec<T>>) -> Option<&[T]> {
    match field {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(&[]),
        MaybeUndefined::Value(list) => Some(list),
    }
}

/// A nullable field of an update: absent keeps the value, null clears it.
pub fn set_or_clear<T, V: Into<sea_orm::Value>>(
    field: &MaybeUndefined<T>,
    read: impl FnOnce(Option<&T>) -> V,
) -> ActiveValue<V> {
    match field {
        MaybeUndefined::Undefined => ActiveValue::NotSet,
        MaybeUndefined::Null => Set(read(None)),
        MaybeUndefined::Value(value) => Set(read(Some(value))),
    }
}

/// A field of an update, where it is given: absent keeps the value.
pub fn set_if_given<T: ?Sized, V: Into<sea_orm::Value>>(
    field: Option<&T>,
    read: impl FnOnce(&T) -> V,
) -> ActiveValue<V> {
    field.map_or(ActiveValue::NotSet, |value| Set(read(value)))
}

/// What a key is told that is none; quoted where it looks like one.
fn invalid_key_message(key: &str) -> String {
    let rule = format!(
        "A key has 1 to {KEY} of the characters A–Z, a–z, 0–9, '.', '_' and '-', and begins with a letter or digit."
    );
    match key.contains(is_unseen) {
        true => format!("{rule} This is \"{}\".", quote_for_message(key)),
        false => rule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_composed_where_they_come_in() {
        let mut faults = Faults::default();
        assert_eq!(faults.check_text("name", " Cafe\u{301} ", NAME), "Café");
        // What is composed is counted: so many letters as people see.
        let most = "e\u{301}".repeat(NAME);
        assert_eq!(faults.check_text("name", &most, NAME).chars().count(), NAME);
        assert!(faults.is_empty());
    }
}
