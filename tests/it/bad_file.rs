//! Files that are wrong or huge, on the command line: each is refused with a sentence or accepted, nothing of what is
//! refused is written, and the memory it takes is bounded.

use std::{
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
    time::Duration,
};

use crate::cli::{complaint, generate_one, program, run, sqlite};

/// What importing takes at the most, in KiB, whatever a file of up to 64 MB has in it: some copies of a text as long as
/// the file, and what a blueprint takes at the most.
const MOST_MEMORY: u64 = 400 << 10;

/// A database with one blueprint, and files to import into it.
struct Desk {
    dir: tempfile::TempDir,
    url: String,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let url = sqlite(dir.path());
        generate_one(&url);
        Self { dir, url }
    }

    fn export(&self) -> String {
        let key = ["--blueprint", "Blueprint-0001", "--format", "json"];
        let output = run(&[&["export", "--database-url", &self.url][..], &key].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn file(&self, text: &str) -> PathBuf {
        let file = self.dir.path().join("document.json");
        std::fs::write(&file, text).expect("it is written");
        file
    }

    /// Imports a file, and gives what was said and the most memory that the process held, in KiB.
    fn import(&self, file: &Path) -> (Output, u64) {
        let child = program()
            .args(["import", "--database-url", &self.url])
            .arg(file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        peak_of(child)
    }

    /// Refuses a text in bounded memory, with this in what is said, and writes nothing.
    fn refuses(&self, text: &str, sentence: &str) {
        let before = self.export();
        let (output, peak) = self.import(&self.file(text));
        let said = complaint(&output);
        assert!(said.contains(sentence), "{sentence}: {said}");
        assert!(said.contains("nothing was written"), "{said}");
        assert!(
            said.len() < 100_000,
            "the report is bounded: {}",
            said.len()
        );
        assert!(
            (1..=MOST_MEMORY).contains(&peak),
            "{sentence}: it took {peak} KiB"
        );
        assert_eq!(self.export(), before);
    }
}

/// What a process said once it has ended, and the most memory that it held, in KiB.
pub fn peak_of(mut child: Child) -> (Output, u64) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    // The kernel keeps the high-water mark until the process ends; what it held last is given back before that.
    while child.try_wait().expect("it can be asked").is_none() {
        peak = high_water(&status).unwrap_or(0).max(peak);
        std::thread::sleep(Duration::from_millis(1));
    }
    (child.wait_with_output().expect("it ends"), peak)
}

/// The most memory that a process of the program held, in KiB; nothing while it is not the program yet, but still what
/// it was started from, whose memory is that of all tests.
pub fn high_water(status: &str) -> Option<u64> {
    let status = std::fs::read_to_string(status).ok()?;
    if status.lines().next() != Some("Name:\tcx-blueprint") {
        return None;
    }
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A document of the generated blueprint that says this besides.
fn saying(more: &str) -> String {
    format!(r#"{{ "format": "cx-blueprint/blueprint@1", "key": "blueprint-0001", {more} }}"#)
}

/// So many copies, with commas between them.
fn many(one: &str, copies: usize) -> String {
    format!("[{one}{}]", format!(", {one}").repeat(copies - 1))
}

const MB: usize = 1 << 20;

#[test]
fn two_hundred_thousand_touchpoints_are_too_many_and_told_in_a_few_lines() {
    let desk = Desk::new();
    let parts: Vec<String> = (0..200_000)
        .map(|number| {
            format!(r#"{{ "key": "n{number}", "phase": "p1", "name": "x", "lane": "CUSTOMER" }}"#)
        })
        .collect();
    let touchpoints = format!("\"touchpoints\": [{}]", parts.join(", "));
    desk.refuses(
        &saying(&touchpoints),
        "touchpoints: A blueprint has at most 500 touchpoints.",
    );
    // Of what is too much nothing is looked at; of as much as may be, the first faults are told.
    let same = |count| format!("\"touchpoints\": {}", many(r#"{ "key": "n" }"#, count));
    desk.refuses(
        &saying(&same(200_000)),
        "touchpoints: A blueprint has at most 500 touchpoints.",
    );
    desk.refuses(&saying(&same(500)), "more are not listed");
}

#[test]
fn fifty_megabytes_are_refused_or_accepted_in_bounded_memory() {
    let desk = Desk::new();
    for (shape, sentence) in [
        (
            format!("\"title\": \"{}\"", "x".repeat(50 * MB)),
            "title: This is longer than 200 characters.",
        ),
        (format!("\"titel\": \"{}\"", "x".repeat(50 * MB)), "titel"),
        (
            format!("\"persona\": \"{}\"", "x".repeat(50 * MB)),
            "persona: There is no persona \"xxx",
        ),
        (
            format!("\"persona\": {}", many("1", 20 * MB)),
            "persona: This takes a text, not a list",
        ),
        (
            format!("\"secondaryPersonas\": {}", many("\"\"", 12 * MB)),
            "There are more than 50 of them.",
        ),
        (
            format!("\"touchpoints\": {}", many("{\"key\":\"a\"}", 4 * MB)),
            "touchpoints",
        ),
        (
            format!(
                "\"responsibilities\": {}",
                many(
                    "{\"touchpoint\":\"a\",\"department\":\"b\",\"role\":\"INFORMED\"}",
                    900_000
                )
            ),
            "responsibilities",
        ),
        (
            format!("\"kpiLinks\": {}", many("{\"kpi\":\"a\"}", 4 * MB)),
            "kpiLinks",
        ),
        (
            format!(
                "\"touchpoints\": [{{ \"key\": \"{}\" }}]",
                "x".repeat(50 * MB)
            ),
            "touchpoints.0",
        ),
        (
            format!(
                "\"touchpoints\": [{{ \"key\": \"a\", \"phase\": \"b\", \"name\": \"c\", \"lane\": \"CUSTOMER\", \"channels\": {} }}]",
                many("\"\"", 12 * MB)
            ),
            "touchpoints.0.channels: There are more than 50 of them.",
        ),
        (format!("\"title\": {}", "[".repeat(50 * MB)), "title"),
        (format!("\"title\": {}", "[1,".repeat(16 * MB)), "title"),
    ] {
        desk.refuses(&saying(&shape), sentence);
    }
    let (output, peak) =
        desk.import(&desk.file(&saying(&format!("\"title\": \"x\"{}", " ".repeat(50 * MB)))));
    assert!(output.status.success(), "blanks are no fault: {output:?}");
    assert!((1..=MOST_MEMORY).contains(&peak), "it took {peak} KiB");
    let before = desk.export();
    let (output, peak) = desk.import(&desk.file(&" ".repeat(65 * MB)));
    let said = complaint(&output);
    assert!(said.contains("is larger than 64 MB."), "{said}");
    assert!((1..=MOST_MEMORY).contains(&peak), "it took {peak} KiB");
    assert_eq!(desk.export(), before);
}

#[test]
fn what_is_no_document_at_all_is_refused_with_the_place() {
    let desk = Desk::new();
    for (text, sentence) in [
        (String::new(), "The text ends where a value is expected"),
        ("{".to_owned(), "The text ends inside an object"),
        ("null".to_owned(), "This takes an object, not null"),
        (
            r#"["cx-blueprint/blueprint@1", "blueprint-0001", "A title"]"#.to_owned(),
            "This takes an object, not a list",
        ),
        ("[".repeat(100_000), "This takes an object, not a list"),
        (saying("\"title\": \"\\ud800\""), "half of a character"),
        (
            saying("\"title\": \"\\ud800\\u0041\""),
            "half of a character",
        ),
        (
            saying("\"title\": \"a\\u0000b\""),
            "title: This has a control character in it.",
        ),
        (saying("\"title\": \"a\u{1}b\""), "control character"),
        (
            saying("\"title\": \"a\", \"title\": \"b\""),
            "is there twice",
        ),
        (
            saying("\"touchpoints\": [{ \"key\": \"a\", \"contactsPerMonth\": NaN }]"),
            "touchpoints.0.contactsPerMonth",
        ),
        (
            saying("\"touchpoints\": [{ \"key\": \"a\", \"contactsPerMonth\": -Infinity }]"),
            "touchpoints.0.contactsPerMonth",
        ),
        (
            saying("\"touchpoints\": [{ \"key\": \"a\", \"contactsPerMonth\": 1e999 }]"),
            "This number is too large",
        ),
        (
            saying("\"touchpoints\": [{ \"key\": \"a\", \"emotion\": 99999999999999999999 }]"),
            "touchpoints.0.emotion",
        ),
        (
            saying(&format!(
                "\"touchpoints\": {}{}",
                "[".repeat(100_000),
                "]".repeat(100_000)
            )),
            "touchpoints.0",
        ),
    ] {
        desk.refuses(&text, sentence);
    }
    let file = desk.dir.path().join("bytes.json");
    std::fs::write(&file, b"{ \"format\": \"\xff\xfe\" }").expect("it is written");
    let (output, _) = desk.import(&file);
    assert!(complaint(&output).contains("cannot be read"), "{output:?}");
    let (output, _) = desk.import(Path::new("/no/such/file.json"));
    assert!(complaint(&output).contains("cannot be read"), "{output:?}");
}
