//! What a parser says of a document, in the words of the document: fields, lists and objects instead of Rust's types.

use std::{fmt::Write, ops::RangeInclusive};

use crate::text::{quote_for_message, visible_characters};

/// Most characters of a message that is passed on as it is.
const LONGEST: usize = 300;

/// The sentence for a parser's message. What it quotes of the document is cut, and no list of what there is.
pub(super) fn explain_message(message: &str) -> String {
    let (what, place) = split_place(message);
    let mut sentence = explain_unknown(what)
        .or_else(|| explain_field(what))
        .or_else(|| explain_value(what))
        .or_else(|| explain_syntax(what))
        .unwrap_or_else(|| clip(what));
    // A place without a column is none: what is wrong with a value as a whole is told at its path.
    if let Some((line, column)) = place.filter(|(_, column)| *column > 0) {
        // A write into a String cannot fail.
        let _ = write!(sentence, " (line {line}, column {column})");
    }
    sentence.push('.');
    sentence
}

/// A message, and the line and column that it ends with.
fn split_place(message: &str) -> (&str, Option<(u64, u64)>) {
    let split = || {
        let (what, place) = message.rsplit_once(" at line ")?;
        let (line, column) = place.split_once(" column ")?;
        Some((what, (line.parse().ok()?, column.parse().ok()?)))
    };
    split().map_or((message, None), |(what, place)| (what, Some(place)))
}

/// A name that is none of those there are. What the document says may have anything in it, those there are nothing odd.
fn explain_unknown(what: &str) -> Option<String> {
    let (is_field, rest) = match what.strip_prefix("unknown field `") {
        Some(rest) => (true, rest),
        None => (false, what.strip_prefix("unknown variant `")?),
    };
    let (name, known) = rest.rsplit_once("`, expected ")?;
    let known = known.strip_prefix("one of ").unwrap_or(known);
    let known = known.replace("` or `", "`, `");
    let name = quote_for_message(name);
    Some(match is_field {
        true => format!("There is no field `{name}`; there are {known}"),
        false => format!(
            "This takes one of {}, not \"{name}\"",
            known.replace('`', "")
        ),
    })
}

fn explain_field(what: &str) -> Option<String> {
    let one = |before, says: &str| {
        let name = str::strip_prefix(what, before)?.strip_suffix('`')?;
        Some(format!("The field `{}` {says}", quote_for_message(name)))
    };
    one("missing field `", "is missing").or_else(|| one("duplicate field `", "is there twice"))
}

fn explain_value(what: &str) -> Option<String> {
    let rest = what.strip_prefix("invalid type: ");
    let rest = rest.or_else(|| what.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    Some(format!(
        "This takes {}, not {}",
        name_expected(expected),
        name_found(found)
    ))
}

/// What is wrong with a text that is no JSON.
fn explain_syntax(what: &str) -> Option<String> {
    let told = match what {
        "EOF while parsing a list" => "The text ends inside a list",
        "EOF while parsing an object" => "The text ends inside an object",
        "EOF while parsing a string" => "The text ends inside a text in quotes",
        "EOF while parsing a value" => "The text ends where a value is expected",
        "expected value" => "A value is expected",
        "expected ident" => {
            "A value is expected: true, false and null are spelled in small letters"
        }
        "expected `:`" => "A colon is expected",
        "expected `,` or `]`" => "A comma or the end of the list is expected",
        "expected `,` or `}`" => "A comma or the end of the object is expected",
        "trailing comma" => "There is a comma too many",
        "trailing characters" => "Something follows the document",
        "key must be a string" => "A field's name stands in double quotation marks",
        "invalid number" => "This is not a number",
        "number out of range" => "This number is too large",
        "invalid escape" => "This escape is none of JSON's",
        "invalid unicode code point" => "This escape stands for no character",
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            "This escape is half of a character"
        }
        "recursion limit exceeded" => "It is nested too deeply",
        what if what.starts_with("control character") => {
            "There is a control character in a text: write it as an escape, such as \\n"
        }
        _ => return None,
    };
    Some(told.to_owned())
}

fn name_expected(expected: &str) -> String {
    let whole = |range: RangeInclusive<i128>| {
        let (lowest, highest) = range.into_inner();
        format!("a whole number from {lowest} to {highest}")
    };
    match expected {
        "i8" => whole(i8::MIN.into()..=i8::MAX.into()),
        "i16" => whole(i16::MIN.into()..=i16::MAX.into()),
        "i32" => whole(i32::MIN.into()..=i32::MAX.into()),
        "i64" => whole(i64::MIN.into()..=i64::MAX.into()),
        "u8" => whole(0..=u8::MAX.into()),
        "u16" => whole(0..=u16::MAX.into()),
        "u32" => whole(0..=u32::MAX.into()),
        "u64" | "usize" => whole(0..=u64::MAX.into()),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "a borrowed string" | "string or map" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        other if other.starts_with("struct ") => "an object".to_owned(),
        other if other.starts_with("enum ") => "a word".to_owned(),
        other => clip(other),
    }
}

fn name_found(found: &str) -> String {
    let quoted = |before, after| found.strip_prefix(before)?.strip_suffix(after);
    match found {
        "unit value" | "Option value" | "null" => "null".to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "an object".to_owned(),
        _ => {
            if let Some(text) = quoted("string \"", "\"") {
                return format!("\"{}\"", quote_for_message(text));
            }
            let number = ["integer `", "floating point `", "boolean `"];
            let plain = number.iter().find_map(|before| quoted(before, "`"));
            plain.map_or_else(|| clip(found), str::to_owned)
        }
    }
}

/// The beginning of a message, with no visible character cut in two.
fn clip(message: &str) -> String {
    match visible_characters(message).nth(LONGEST) {
        Some((end, _)) => format!("{} …", message.get(..end).unwrap_or_default()),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::DeserializeOwned};

    use super::*;

    fn told<T: DeserializeOwned>(text: &str) -> String {
        let error = serde_json::from_str::<T>(text).err();
        explain_message(&error.map(|error| error.to_string()).unwrap_or_default())
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape is asked for")]
    struct Step {
        name: String,
        minutes: Option<i32>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    enum Lane {
        Customer,
        Frontstage,
        Backstage,
    }

    #[test]
    fn nothing_is_said_in_words_of_rust() {
        for (text, sentence) in [
            (
                r#"{"name": 5}"#,
                "This takes a text, not 5 (line 1, column 10).",
            ),
            (
                r#"{"name": "a", "minutes": 5.2}"#,
                "This takes a whole number from -2147483648 to 2147483647, not 5.2 (line 1, column 28).",
            ),
            (
                r#"{"name": "a", "minutes": 3000000000}"#,
                "This takes a whole number from -2147483648 to 2147483647, not 3000000000 (line 1, column 35).",
            ),
            (
                r#"{"name": ["a"]}"#,
                "This takes a text, not a list (line 1, column 9).",
            ),
            (
                r#"{"name": null}"#,
                "This takes a text, not null (line 1, column 13).",
            ),
            (
                r#"{"names": "a"}"#,
                "There is no field `names`; there are `name`, `minutes` (line 1, column 8).",
            ),
            ("{}", "The field `name` is missing (line 1, column 2)."),
            (
                r#"{"name": "a", "name": "b"}"#,
                "The field `name` is there twice (line 1, column 20).",
            ),
            ("true", "This takes an object, not true (line 1, column 4)."),
        ] {
            assert_eq!(told::<Step>(text), sentence);
        }
        assert_eq!(
            told::<Lane>("\"SIDE\""),
            "This takes one of CUSTOMER, FRONTSTAGE, BACKSTAGE, not \"SIDE\" (line 1, column 6)."
        );
        assert_eq!(
            told::<f64>("\"a, expected b\""),
            "This takes a number, not \"a, expected b\" (line 1, column 15)."
        );
        assert_eq!(
            told::<bool>("{}"),
            "This takes true or false, not an object."
        );
    }

    #[test]
    fn what_is_no_json_is_told_in_words() {
        for text in [
            "",
            "[",
            "{",
            "[1",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "\"a",
            "[1,]",
            "{\"a\":1,}",
            "[1 2]",
            "{1:2}",
            "True",
            "nul",
            "-",
            "1e999",
            "1.",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\u{1}\"",
            "1 2",
            "{\"a\" 1}",
            "{\"a\":1 \"b\"}",
            "\"\\u12\"",
        ] {
            let said = told::<serde_json::Value>(text);
            let first = said.chars().next();
            assert!(first.is_some_and(char::is_uppercase), "{text}: {said}");
            assert!(
                !said.contains("EOF") && !said.contains('`'),
                "{text}: {said}"
            );
        }
        let deep = told::<serde_json::Value>(&"[".repeat(1_000));
        assert_eq!(deep, "It is nested too deeply (line 1, column 128).");
    }

    #[test]
    fn what_a_document_says_is_cut_and_what_there_is_never() {
        let name = "👩‍👩‍👧‍👦".repeat(40);
        let said = told::<Step>(&format!("{{\"{name}, expected `\": 1}}"));
        assert!(
            said.ends_with("there are `name`, `minutes` (line 1, column 1015)."),
            "{said}"
        );
        assert!(said.chars().count() < 160, "{said}");
        let fields: Vec<String> = (0..100).map(|at| format!("`field{at}`")).collect();
        let list = fields.join(", ");
        let said = explain_message(&format!("unknown field `x`, expected one of {list}"));
        assert_eq!(said, format!("There is no field `x`; there are {list}."));
        assert_eq!(
            explain_message(&"x".repeat(400)),
            format!("{} ….", "x".repeat(300))
        );
    }
}
