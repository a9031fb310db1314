//! What is written is read again to the letter, and what is no sheet is refused with its place.

use std::io::{BufReader, Read};

use proptest::prelude::*;

use super::{
    guard::{add_guard, begins_like_formula, remove_guard},
    *,
};
use crate::{error::Result, input::Faults};

/// The texts of a sheet, row by row, as they are read.
fn read(bytes: impl Read) -> Result<Vec<Vec<String>>> {
    const NAMES: &[&str] = &["a", "b", "c"];
    let mut reader = SheetReader::open(BufReader::new(bytes), 1_000)?;
    let mut faults = Faults::default();
    let columns = reader.columns(NAMES, &mut faults);
    let mut rows = Vec::new();
    for row in &mut reader {
        let row = row?;
        let cells = NAMES.iter().filter_map(|name| columns.cell(&row, name));
        let texts = cells.map(|cell| {
            cell.parse_text(&mut faults)
                .unwrap_or_default()
                .into_owned()
        });
        rows.push(texts.collect());
    }
    faults.check()?;
    Ok(rows)
}

fn refusal(bytes: impl Read) -> String {
    read(bytes).expect_err("it is refused").to_string()
}

fn written(rows: &[Vec<String>], dialect: Dialect) -> Vec<u8> {
    let mut writer =
        CsvWriter::new(Vec::new(), dialect, &["a", "b", "c"]).expect("memory takes it");
    for row in rows {
        row.iter()
            .for_each(|text| writer.text(text).expect("memory takes it"));
        writer.end_row().expect("memory takes it");
    }
    writer.finish().expect("memory takes it")
}

/// Texts as people write them at their worst.
fn awkward() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "=1+1", "+", "-", "@", "'", "''", "\"", "\"\"", "\n", "\r\n", "\r", "\t", ",", ";", "|",
        "\\", "<", ">", " ", "æ", "ø", "å", "ä", "ö", "Å", "é", "日", "𝄞", "x", "1,5", "\u{feff}",
        "\u{200b}", "\u{2066}", "\u{a0}", "＝1", "＋", "－", "＠", "−",
    ]);
    // A cell of nothing but blanks is an empty one.
    prop::collection::vec(piece, 0..6)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("blank", |text| text.is_empty() || !text.trim().is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again_to_the_letter(
        rows in prop::collection::vec(prop::collection::vec(awkward(), 3), 1..5),
        dialect in prop::sample::select(vec![Dialect::Comma, Dialect::ExcelDa]),
    ) {
        let bytes = written(&rows, dialect);
        let filled = rows.iter().filter(|row| row.iter().any(|text| !text.is_empty()));
        let expected: Vec<Vec<String>> = filled.cloned().collect();
        prop_assert_eq!(read(bytes.as_slice()).expect("it is a sheet"), expected);
    }

    #[test]
    fn no_text_is_written_as_a_formula(text in awkward()) {
        let guarded = add_guard(&text);
        for cell in guarded.split([',', ';', '\t', '\r', '\n']) {
            prop_assert!(!begins_like_formula(cell), "{guarded:?}");
        }
        prop_assert_eq!(remove_guard(&guarded), &*text);
    }

    #[test]
    fn numbers_are_read_as_they_were_written(
        number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        dialect in prop::sample::select(vec![Dialect::Comma, Dialect::ExcelDa]),
    ) {
        prop_assert_eq!(dialect.read_number(&dialect.format_number(number)), Some(number));
    }

    #[test]
    fn lists_are_taken_apart_as_they_were_put_together(
        list in prop::collection::vec(awkward(), 0..5),
    ) {
        let list: Vec<String> = list.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect();
        let text: Vec<String> = list.iter().map(|item| escape_item(item)).collect();
        let text = text.join(ITEM_SEPARATOR);
        prop_assert_eq!(split_items(&text).map(unescape_item).collect::<Vec<_>>(), list);
    }

    #[test]
    fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(prop::sample::select(
        b"a,b;\"\"\n\r'=\xe6\xc3\xa6\x00|x".to_vec()), 0..60)) {
        let _ = read(bytes.as_slice());
    }
}

#[test]
fn the_dialect_is_known_by_the_heading_line() {
    let open = |text: &'static str| {
        SheetReader::open(text.as_bytes(), 9)
            .expect("a sheet")
            .dialect()
    };
    assert_eq!(open("a,b\r\n1;2;3\r\n"), Dialect::Comma);
    assert_eq!(open("\u{feff}a;b\r1,5;2\r"), Dialect::ExcelDa);
    assert_eq!(open("a\nx;y\n"), Dialect::Comma);
}

#[test]
fn lines_end_as_they_like_and_blank_rows_are_passed_over() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("A,b,C{end}1,2,3{end}{end},,{end}4,\"5{end}5\",6");
        let expected = [["1", "2", "3"], ["4", &format!("5{end}5"), "6"]];
        assert_eq!(read(text.as_bytes()).expect("a sheet"), expected);
    }
}

#[test]
fn rows_may_end_behind_the_last_cell_that_holds_something() {
    let expected = [["1", "", ""], ["2", "3", ""]];
    for text in [
        "a,b,c\n1\n2,3\n",
        "a;b;c\r\n1;;\r\n2;3",
        "a,b,c,,\n1\n2,3,,\n",
    ] {
        let read = read(text.as_bytes()).expect("a sheet");
        let read: Vec<_> = read.iter().map(|row| &row[..3]).collect();
        assert_eq!(read, expected, "{text:?}");
    }
}

#[test]
fn a_line_before_the_headings_may_say_what_parts_the_cells() {
    for line in [
        "sep=;",
        "SEP=;",
        "\"sep=;\"",
        "\u{feff}sep=;",
        "sep=;;;",
        "sep=; ",
    ] {
        for end in ["\n", "\r\n", "\r"] {
            // By the headings alone, this would be a sheet with commas.
            let text = format!("{line}{end}a{end}1,5{end}x;y");
            let mut reader = SheetReader::open(text.as_bytes(), 2).expect("a sheet");
            assert_eq!(reader.dialect(), Dialect::ExcelDa, "{text:?}");
            let mut faults = Faults::default();
            let columns = reader.columns(&["a"], &mut faults);
            let row = reader.next().expect("a row").expect("a row");
            let cell = columns.cell(&row, "a").expect("a cell");
            assert_eq!(cell.parse_number(&mut faults), Some(1.5), "{text:?}");
            assert_eq!(cell.place.line, 3, "{text:?}");
            let beyond = reader
                .next()
                .expect("a row")
                .expect_err("a fault")
                .to_string();
            assert!(beyond.starts_with("Line 4, column B"), "{beyond}");
        }
    }
    let asked = |dialect| {
        let bounds = SheetBounds::with_rows(9);
        SheetReader::open_as("sep=;\na;b\n".as_bytes(), bounds, Some(dialect)).map(|_| ())
    };
    assert!(asked(Dialect::ExcelDa).is_ok());
    let refused = asked(Dialect::Comma).expect_err("a fault").to_string();
    assert!(
        refused.starts_with("Line 1: This line says ';'"),
        "{refused}"
    );
    // Columns whose names begin like that are columns.
    for heading in ["sep=", "sep=a,b", "separator,b"] {
        let said = refusal(format!("{heading}\n1\n").as_bytes());
        let told = "Line 1, column A: There is no column \"sep";
        assert!(said.starts_with(told), "{said}");
    }
}

#[test]
fn whole_numbers_and_days_are_read_as_programs_write_them() {
    let cell = |dialect, raw| SheetCell {
        raw,
        dialect,
        place: CellRef::default(),
    };
    let integer = |dialect, raw| {
        let mut faults = Faults::default();
        let read = cell(dialect, raw).parse_integer(&mut faults);
        faults
            .check()
            .map(|()| read)
            .map_err(|error| error.to_string())
    };
    use Dialect::{Comma, ExcelDa};
    for (dialect, raw, number) in [
        (Comma, "212.0", 212),
        (Comma, " +29.000 ", 29),
        (Comma, "-0.0", 0),
        (Comma, "1e3", 1_000),
        (Comma, "2147483647", i32::MAX),
        (ExcelDa, "29,0", 29),
        (ExcelDa, "-2147483648,0", i32::MIN),
    ] {
        assert_eq!(integer(dialect, raw), Ok(Some(number)), "{raw}");
    }
    for (dialect, raw, told) in [
        (Comma, "1.5", "\"1.5\" is not a whole number."),
        (Comma, "29,0", "\"29,0\" is not a whole number."),
        (ExcelDa, "29.0", "\"29.0\" is not a whole number."),
        (
            Comma,
            "2147483648",
            "\"2147483648\" is not between -2147483648 and 2147483647.",
        ),
        (
            Comma,
            "1e300",
            "\"1e300\" is not between -2147483648 and 2147483647.",
        ),
    ] {
        let said = integer(dialect, raw).expect_err("a fault");
        assert!(said.ends_with(told), "{said}");
    }
    let day = |dialect, raw| {
        let mut faults = Faults::default();
        let read = cell(dialect, raw).parse_day(&mut faults);
        (
            read.map(|day| day.to_string()),
            faults.check().map_err(|error| error.to_string()),
        )
    };
    for raw in ["2025-05-31", "31-05-2025", "31.05.2025", "31/05/2025"] {
        assert_eq!(
            day(ExcelDa, raw),
            (Some("2025-05-31".to_owned()), Ok(())),
            "{raw}"
        );
    }
    for raw in [
        "31.05.2025",
        "05/31/2025",
        "31-05-25",
        "31-05/2025",
        "1.5.2025",
    ] {
        let dialect = if raw.starts_with("31.") {
            Comma
        } else {
            ExcelDa
        };
        let (read, told) = day(dialect, raw);
        assert_eq!(read, None, "{raw}");
        let told = told.expect_err("a fault");
        assert!(told.contains("is not a day such as 2026-11-22"), "{told}");
    }
}

#[test]
fn what_is_no_sheet_is_refused_with_line_and_column() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "Line 1: The sheet is empty."),
        (b"\n\n  \n", "Line 1: The sheet is empty."),
        (b"\xff\xfea\0,\0b\0", "Line 1: This is UTF-16"),
        (b"a\0,\0b\0", "Line 1: This is UTF-16"),
        (
            b"a,b,c\n1,2\0,3\n",
            "Line 2, column B (b): There is a NUL character.",
        ),
        (
            b"a,b,c\r\n1,2,3\r\n1,R\xf8d gr\xf8d,3",
            "Line 3, column B (b): The byte F8 is no UTF-8.",
        ),
        (
            b"sep=\t\na\tb\tc\n",
            "Line 1: Cells cannot be parted by '\\t'. Save the sheet with commas or semicolons between them.",
        ),
        (
            b"a,b,c\n1,2,3,4\n",
            "Line 2, column D: This cell is under no heading.",
        ),
        (
            b"a,,c\n1,2,3\n",
            "Line 2, column B: This cell is under no heading.",
        ),
        (
            b"a,b,c\n1,2,\"3\n4,5,6\n",
            "Line 2, column C (c): The quotation mark that begins this cell is never closed.",
        ),
        (
            b"a,b,c\n1,\"2\n4,\"5\",6\n",
            "Line 2, column B (b): Something follows the quotation mark that ends this cell on line 3.",
        ),
        (
            b"a,b,c\n\"1\n1\",2,3\n1, \"2\",3\n",
            "Line 4 (row 3), column B (b): A quotation mark stands in a cell",
        ),
        (
            b"a,b,c\n1,=2+2,3\n",
            "Line 2, column B (b): This is a formula.",
        ),
        (
            b"a,b,c,B,d\n",
            "Line 1, column D: The column b is there twice. Line 1, column E: There is no column \"d\".",
        ),
    ];
    for (bytes, sentence) in cases {
        let said = refusal(*bytes);
        assert!(said.starts_with(sentence), "{said}");
    }
}

#[test]
fn endless_cells_rows_and_sheets_are_refused_before_they_are_held() {
    let endless = |row: &'static [u8], byte| row.chain(std::io::repeat(byte).take(1 << 40));
    assert!(
        refusal(endless(b"a,b,c\n1,2,", b'x'))
            .starts_with("Line 2, column C (c): This cell is longer")
    );
    assert!(
        refusal(endless(b"a,b,c\n1,\"2,", b'\n'))
            .starts_with("Line 2, column B (b): This cell is longer")
    );
    assert!(
        refusal(endless(b"a,b,c\n", b','))
            .starts_with("Line 2, column GS: There are more than 200 columns.")
    );
    assert!(refusal(endless(b"", b'x')).starts_with("Line 1, column A: This cell is longer"));
    let rows = "1,2,3\n".repeat(1_001);
    let said = refusal(format!("a,b,c\n{rows}").as_bytes());
    assert_eq!(said, "Line 1002: There are more than 1000 rows.");
}

#[test]
fn numbers_words_and_answers_are_read_as_spreadsheets_write_them() {
    let text = "a;b;c\n1.500;not used;SAND\n1,5;front;maybe\n";
    let mut reader = SheetReader::open(text.as_bytes(), 9).expect("a sheet");
    let mut faults = Faults::default();
    let columns = reader.columns(&["a", "b", "c"], &mut faults);
    let mut read = Vec::new();
    for row in &mut reader {
        let row = row.expect("a row");
        let cell = |name| columns.cell(&row, name).expect("a cell");
        read.push((
            cell("a").parse_number(&mut faults),
            cell("b").parse_word(&["NOT_USED", "USED"], |word| word, &mut faults),
            cell("c").parse_flag(&mut faults),
        ));
    }
    assert_eq!(
        read,
        [
            (None, Some("NOT_USED"), Some(true)),
            (Some(1.5), None, None)
        ]
    );
    assert_eq!(
        faults.check().expect_err("faults").to_string(),
        "Line 2, column A (a): \"1.500\" is not a number such as 0,5. \
         Line 3, column B (b): \"front\" is not one of NOT_USED, USED. \
         Line 3, column C (c): \"maybe\" is not yes or no."
    );
}
