//! Sheets on the command line and in a server: what a process holds does not grow with the sheet, and what it says.

use std::{
    io::Write,
    net::TcpStream,
    process::{Output, Stdio},
};

use crate::{
    bad_file::{high_water, peak_of},
    cli::{Server, complaint, generate_one, make_account, program, run, sqlite},
};

/// Imports what is written into standard input, and gives what was said and the most memory held, in KiB.
fn import(url: &str, flag: &str, write: impl FnOnce(&mut dyn Write) + Send) -> (Output, u64) {
    let mut child = program()
        .args(["import", "--database-url", url, flag, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("its input");
    std::thread::scope(|scope| {
        scope.spawn(move || write(&mut input));
        peak_of(child)
    })
}

/// So many rows, a value of both KPIs on each day, and the last of all.
fn rows(out: &mut dyn Write, count: u32, last: &str) {
    let first = chrono::NaiveDate::from_ymd_opt(1900, 1, 1).expect("a day");
    let mut days = first.iter_days();
    writeln!(out, "kpi,measured_on,value,touchpoint,source").expect("it is read");
    let mut day = first;
    for at in 0..count {
        // Six touchpoints of two KPIs on a day, and the KPIs as a whole.
        let (kpi, step) = (at % 2 + 1, at / 2 % 7);
        if at % 14 == 0 {
            day = days.next().expect("a day");
        }
        let place = match step {
            0 => String::new(),
            step => format!("blueprint-0001/touchpoint-{step:03}"),
        };
        writeln!(out, "kpi-{kpi:04},{day},1,{place},where it comes from").expect("it is read");
    }
    writeln!(out, "{last}").expect("it is read");
}

#[test]
fn what_is_held_does_not_grow_with_the_sheet() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    generate_one(&url);
    // Faults at the end of what is right: everything is read, and nothing written.
    let faulty = "kpi-0001,never,1,,";
    let read = |count| import(&url, "--measurements", |out| rows(out, count, faulty));
    let (_, few) = read(20_000);
    assert!(few > 10 << 10, "it was looked at: {few} KiB");
    let (output, many) = read(400_000);
    let said = complaint(&output);
    assert!(
        said.contains("Line 400002, column B (measured_on): \"never\" is not a day"),
        "{said}"
    );
    assert!(said.contains("nothing was written"), "{said}");
    // Sixteen bytes a row, and room for lists to grow.
    assert!(many < few + (24 << 10), "{few} KiB, {many} KiB");
    let written = "kpi-0001,1899-01-01,1,,".replace("1899", "2026");
    let (output, peak) = import(&url, "--measurements", |out| rows(out, 30_000, &written));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr).lines().last(),
        Some("30001 rows: 30001 recorded, 0 corrected, 0 unchanged.")
    );
    assert!(peak < few + (72 << 10), "{few} KiB, {peak} KiB");
}

#[test]
fn a_line_without_an_end_is_not_held() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    generate_one(&url);
    for flag in ["--measurements", "--feedback"] {
        let endless = |out: &mut dyn Write| {
            let _ = out.write_all(b"kpi,measured_on,value,scale,score\nx");
            let piece = vec![b'x'; 1 << 20];
            (0..1_024).for_each(|_| drop(out.write_all(&piece)));
        };
        let (output, peak) = import(&url, flag, endless);
        let said = complaint(&output);
        assert!(said.contains("nothing was written"), "{said}");
        assert!((1..120 << 10).contains(&peak), "{flag}: {peak} KiB: {said}");
    }
}

/// A gigabyte is offered in one line, and what is larger than a sheet may be is not even taken.
#[test]
fn a_server_holds_no_line_that_has_no_end() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    generate_one(&url);
    make_account(&url, "CX_MANAGER");
    let whose = "--account me --name Meter --scope measurements".split(' ');
    let whose: Vec<&str> = whose.collect();
    let made = run(&[&["token", "create", "--database-url", &url][..], &whose].concat());
    assert!(made.status.success(), "{made:?}");
    let token = String::from_utf8(made.stdout).expect("a token");
    let how = "--listen 127.0.0.1:0 --sheet-megabytes 64".split(' ');
    let how: Vec<&str> = how.collect();
    let server = Server::start(&[&["serve", "--database-url", &url][..], &how].concat());
    let held = || high_water(&format!("/proc/{}/status", server.child.id())).expect("its memory");
    let before = held();
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    write!(
        stream,
        "POST /bi/v1/measurements.csv HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         content-type: text/csv\r\ntransfer-encoding: chunked\r\n\r\n",
        token.trim_end()
    )
    .expect("it listens");
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
    let taken = (0..1_024).take_while(|_| stream.write_all(chunk.as_bytes()).is_ok());
    let taken = taken.count();
    // What is on the way between the two is taken by nobody.
    assert!((60..96).contains(&taken), "{taken} MiB");
    let more = held() - before;
    assert!(more < 32 << 10, "{more} KiB");
}
