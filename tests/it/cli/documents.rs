//! Blueprints, touchpoints and organisations that leave one database and come into another.

use super::*;

#[test]
fn a_blueprint_goes_from_one_database_into_another_as_a_document() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    generate_one(&url);
    let export = || {
        let output = run(&[
            "export",
            "--database-url",
            &url,
            "--blueprint",
            "Blueprint-0001",
            "--format",
            "json",
        ]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let document = export();
    let file = dir.path().join("document.json");
    let import = |text: &str, rest: &[&str]| {
        std::fs::write(&file, text).expect("a file");
        let file = file.display().to_string();
        run(&[&["import", "--database-url", &url, &file], rest].concat())
    };
    let said = String::from_utf8(import(&document, &["--prune"]).stderr).expect("text");
    assert_eq!(said, "0 changed.\n");
    // As Notepad and PowerShell save it.
    let said = String::from_utf8(import(&format!("\u{feff}{document}"), &[]).stderr);
    assert_eq!(said.expect("text"), "0 changed.\n");
    let renamed = document.replace("\"title\": \"", "\"title\": \"Really: ");
    let told = |output: Output| String::from_utf8(output.stdout).expect("text");
    assert!(told(import(&renamed, &["--dry-run"])).starts_with("Renamed blueprint"));
    assert_eq!(export(), document, "a dry run keeps nothing");
    assert!(told(import(&renamed, &[])).starts_with("Renamed blueprint"));
    assert_ne!(export(), document);
    let said = complaint(&import(&document.replace("FRONTSTAGE", "ROOF"), &[]));
    assert!(
        said.contains("nothing was written")
            && said.contains(".lane: This takes one of CUSTOMER, "),
        "{said}"
    );
    let said = complaint(&import(&format!("{document}{document}"), &[]));
    assert!(said.contains("Something follows the document"), "{said}");
    let said = complaint(&import(&"[".repeat(100_000), &[]));
    assert!(said.contains("nothing was written"), "{said}");
}

#[test]
fn touchpoints_go_out_to_a_spreadsheet_and_come_in_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    generate_one(&url);
    let file = dir.path().join("touchpoints.csv");
    let name = file.display().to_string();
    let key = ["--blueprint", "Blueprint-0001"];
    let export = |dialect: &str| {
        let verb = [
            "export",
            "--database-url",
            &url,
            "--format",
            "csv",
            "--dialect",
            dialect,
            "--output",
            &name,
        ];
        let output = run(&[&verb[..], &key].concat());
        assert!(output.status.success(), "{output:?}");
        std::fs::read(&file).expect("a sheet")
    };
    let import = |bytes: &[u8], rest: &[&str]| {
        std::fs::write(&file, bytes).expect("a file");
        run(&[&["import", "--database-url", &url, &name], rest].concat())
    };
    for dialect in ["comma", "excel-da"] {
        let sheet = export(dialect);
        assert_eq!(sheet.starts_with(b"\xef\xbb\xbf"), dialect == "excel-da");
        let output = import(&sheet, &key);
        assert_eq!(
            String::from_utf8(output.stderr).expect("text"),
            "0 changed.\n",
            "{dialect}"
        );
    }
    let said = complaint(&import(b"key,name\nT-001,R\xf8d\n", &key));
    assert!(
        said.contains("nothing was written.\nLine 2, column B (name): The byte F8 is no UTF-8. Save the sheet as \"CSV UTF-8\"."),
        "{said}"
    );
    let utf16: Vec<u8> = "\u{feff}key;name\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let said = complaint(&import(&utf16, &key));
    assert!(said.contains("Line 1: This is UTF-16"), "{said}");
    let said = complaint(&import(
        &b"key,name\nx,"
            .iter()
            .copied()
            .chain(vec![b'x'; 80 << 20])
            .collect::<Vec<u8>>(),
        &key,
    ));
    assert!(
        said.contains("Line 2, column B (name): This cell is longer than 1 MiB."),
        "{said}"
    );
    let said = complaint(&import(b"key,name\n", &[]));
    assert!(
        said.contains("Say with --blueprint whose touchpoints it holds."),
        "{said}"
    );
}

#[test]
fn an_organisation_goes_from_one_database_into_another_as_a_document() {
    let dir = tempfile::tempdir().expect("a directory");
    let others = [(), ()].map(|()| tempfile::tempdir().expect("a directory"));
    let full = sqlite(dir.path());
    let [first, empty] = [0, 1].map(|at: usize| sqlite(others[at].path()));
    generate_one(&full);
    let export = |url: &str| {
        let output = run(&["export", "--database-url", url, "--format", "json"]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let file = dir.path().join("organisation.json").display().to_string();
    let into =
        |url: &str, rest: &[&str]| run(&[&["import", "--database-url", url, &file], rest].concat());
    // What is generated is published and was never kept as a publication: loading mends that.
    std::fs::write(&file, export(&full)).expect("a file");
    assert!(into(&first, &[]).status.success());
    let document = export(&first);
    std::fs::write(&file, &document).expect("a file");
    let import = |rest: &[&str]| into(&empty, rest);
    let said = |output: Output| String::from_utf8(output.stderr).expect("text");
    let would = said(import(&["--dry-run"]));
    assert!(would.ends_with("blueprints would be loaded.\n"), "{would}");
    let refused = complaint(&import(&["--prune"]));
    assert!(refused.contains("nothing to prune"), "{refused}");
    make_admin(&empty);
    let done = said(import(&[]));
    assert!(done.ends_with("1 blueprints loaded.\n"), "{done}");
    assert_eq!(export(&empty), document);
    let refused = complaint(&import(&[]));
    assert!(refused.contains("is not empty"), "{refused}");
    let picture = run(&["export", "--database-url", &full, "--format", "svg"]);
    assert!(complaint(&picture).contains("--blueprint"));
}
