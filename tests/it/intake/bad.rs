//! Sheets that hold no figures: other encodings, numbers and days that there are not, and rows that are none. Each is
//! told at its line and column, and nothing of it is recorded.

use super::kept;
use crate::world::World;

const HEAD: &str = "kpi,measured_on,value\n";
const RIGHT: &str = "PRICE,2025-05-31,1\n";

#[tokio::test]
async fn what_is_no_utf_8_is_refused_in_every_form() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let before = kept(&world).await;
    let sheet = [HEAD, RIGHT].concat();
    let (little, big) = (
        |sheet: &str| sheet.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        |sheet: &str| sheet.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    );
    let marked = format!("\u{feff}{sheet}");
    let utf_16: [Vec<u8>; 4] = [little(&sheet), big(&sheet), little(&marked), big(&marked)];
    for sheet in utf_16 {
        let told = contributor.errs(sheet).await;
        let expected =
            "Line 1: This is UTF-16, or no text at all. Save the sheet as \"CSV UTF-8\".";
        assert_eq!(told, [expected]);
    }
    for (row, byte) in [
        // Latin-1, a lone byte, one whose others do not come, a letter too long, half of a pair, and one too large.
        (&b"PRICE,2025-05-31,R\xf8d"[..], "F8"),
        (b"PRICE,2025-05-31,1\x80", "80"),
        (b"PRICE,2025-05-31,1\xc3", "C3"),
        (b"PRICE,2025-05-31,\xc0\xaf", "C0"),
        (b"PRICE,2025-05-31,\xed\xa0\x80", "ED"),
        (b"PRICE,2025-05-31,\xf5\x80\x80\x80", "F5"),
    ] {
        let told = contributor.errs([HEAD.as_bytes(), row].concat()).await;
        let expected = format!(
            "Line 2, column C (value): The byte {byte} is no UTF-8. Save the sheet as \"CSV UTF-8\"."
        );
        assert_eq!(told, [expected]);
    }
    let headings = [b"R\xf8d,", HEAD.as_bytes()].concat();
    let told = contributor.errs(headings).await;
    assert!(told[0].starts_with("Line 1, column A: The byte F8"));
    let unseen = format!("{},value\n", "\u{a0}r".repeat(60));
    let told = contributor.errs(unseen.into_bytes()).await;
    assert!(
        told[0].contains("r<U+00A0>r") && told[0].len() < 500,
        "{told:?}"
    );
    assert_eq!(kept(&world).await, before);
}

#[tokio::test]
async fn what_is_no_number_no_day_and_no_row_is_told_where_it_stands() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let before = kept(&world).await;
    let row = |text: &str, told: &str| (text.to_owned(), told.to_owned());
    let number = |text: &str, seen: &str| {
        let told = format!("column C (value): \"{seen}\" is not a number such as 0.5.");
        (format!("PRICE,2025-05-31,{text}\n"), told)
    };
    let day = |text: &str, seen: &str| {
        let told = format!("column B (measured_on): \"{seen}\" is not a day such as 2026-11-22.");
        (format!("PRICE,{text},1\n"), told)
    };
    let years = "A day lies between the years 1900 and 2999.";
    let ahead = "The day of measurement is in the future.";
    let quotes = "quotation mark";
    let unknown = |seen: &str| format!("There is no KPI \"{seen}\".");
    let (beyond, wide) = ("under no heading.", "more than 200 columns.");
    for (row, told) in [
        number("NaN", "NaN"),
        number("nan", "nan"),
        number("Infinity", "Infinity"),
        number("-inf", "-inf"),
        number("1e400", "1e400"),
        number("0x10", "0x10"),
        number("1_000", "1_000"),
        number("\"1,5\"", "1,5"),
        number("\u{2212}1", "\u{2212}1"),
        day("2025-02-29", "2025-02-29"),
        day("2025-13-01", "2025-13-01"),
        day("99999-01-01", "99999-01-01"),
        day("-2025-01-01", "-2025-01-01"),
        day("45777", "45777"),
        day("2025-05-31T00:00:00Z", "2025-05-31T00:00:00Z"),
        row("PRICE,0000-01-01,1\n", years),
        row("PRICE,1899-12-31,1\n", years),
        row("PRICE,3000-01-01,1\n", ahead),
        // What nobody sees is told by its number.
        day("\u{feff}2025-05-31", "<U+FEFF>2025-05-31"),
        number("\u{feff}1", "<U+FEFF>1"),
        number("1\u{a0}000", "1<U+00A0>000"),
        row("\u{feff}PRICE,2025-05-31,1\n", &unknown("<U+FEFF>PRICE")),
        row("PR\u{130}CE,2025-05-31,1\n", &unknown("PR\u{130}CE")),
        row("PRICE\u{200b},2025-05-31,1\n", &unknown("PRICE<U+200B>")),
        row("PRICE\0,2025-05-31,1\n", "There is a NUL character."),
        // Rows that are none.
        row("PRICE,2025-05-31,1,1\n", beyond),
        row(&format!("PRICE{}\n", ",".repeat(1_000)), wide),
        row("\"PRICE\"x,2025-05-31,1\n", quotes),
        row("PR\"ICE,2025-05-31,1\n", quotes),
        row("PRICE,2025-05-31,\"1\n", quotes),
    ] {
        let shown: String = row.chars().take(40).collect();
        let faults = contributor.errs([HEAD, &row].concat()).await;
        assert_eq!(faults.len(), 1, "{shown}: {faults:?}");
        assert!(faults[0].contains(&told), "{shown}: {faults:?}");
        assert!(faults[0].starts_with("Line 2"), "{shown}: {faults:?}");
    }
    // Another separator than the headings have.
    for (row, seen) in [
        ("PRICE;2025-05-31;1", "PRICE;2025-05-31;1"),
        ("PRICE\t2025-05-31\t1", "PRICE<U+0009>2025-05-31<U+0009>1"),
    ] {
        let faults = contributor.errs(format!("{HEAD}{row}\n")).await;
        let expected = [
            format!("Line 2, column A (kpi): There is no KPI \"{seen}\"."),
            "Line 2, column B (measured_on): This cannot be empty.".to_owned(),
        ];
        assert_eq!(faults, expected);
    }
    assert_eq!(kept(&world).await, before);
    // What is as it should be, however oddly it is written.
    for sheet in [
        "\u{feff}kpi,measured_on,value\r\nPRICE,2025-05-31,1\r\n".to_owned(),
        format!("{HEAD}\n\n,,\n{RIGHT}"),
        format!("{HEAD}\" price \", 2025-05-31 ,1.0"),
        format!("{HEAD}PRICE,2025-05-31,1e0\r"),
        "sep=,\r\nkpi,measured_on,value\r\nPRICE,2025-05-31,1\r\n".to_owned(),
        "\r\n\r\nkpi;measured_on;value\r\nPRICE;2025-05-31;1,0\r\n".to_owned(),
        "\u{feff}\n  \nsep=;\nkpi;measured_on;value\nPRICE;2025-05-31;1,0\n".to_owned(),
        "sep=;\r\nkpi;measured_on;value;sample_size;source\r\nPRICE;31.05.2025;1,0;212,0\r\n"
            .to_owned(),
    ] {
        let brought = contributor.brings("?dry_run=true", sheet).await;
        assert_eq!(brought, [1, 1, 0, 0]);
    }
}
