//! The verb `import`: brings a document in as the operator, and tells what changed.

use std::io::Read;

use cx_blueprint::{
    access::Caller,
    clock::Clock,
    config::Import,
    document::{
        diff::Change,
        import::{self, How},
    },
    error::Error,
};

use super::{Failure, open_current};

/// Largest document that is read, in bytes: many times what the largest blueprint makes.
const LARGEST: u64 = 64 << 20;

pub async fn import(options: Import) -> Result<(), Failure> {
    let text = text(&options)?;
    let store = open_current(&options.database).await?;
    let clock = Clock::new(options.database.time_zone);
    let caller = Caller::operator(store.clone(), clock, "import");
    let how = How {
        dry_run: options.dry_run,
        prune: options.prune,
        expected_revision: None,
    };
    let result = match import::parse(&text) {
        Ok(said) => import::import(&caller, said, how).await,
        Err(error) => Err(error),
    };
    store.close().await?;
    let done = result.map_err(|error| told(&options, error))?;
    for change in &done.changes {
        println!("{}", line(change));
    }
    let would = if options.dry_run {
        "would change"
    } else {
        "changed"
    };
    eprintln!("{} {would}.", done.changes.len());
    Ok(())
}

fn text(options: &Import) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if options.file.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(LARGEST + 1)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(&options.file)
            .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
    };
    let name = options.file.display();
    let length = read.map_err(|error| format!("{name} cannot be read: {error}."))?;
    if length as u64 > LARGEST {
        return Err(format!("{name} is larger than {} MB.", LARGEST >> 20).into());
    }
    Ok(text)
}

/// A change on a line.
fn line(change: &Change) -> String {
    let mut line = format!("{:?} {} {}", change.kind, change.part, change.identity);
    if let Some(field) = &change.field {
        let value = |value: &Option<serde_json::Value>| {
            value.as_ref().map_or_else(String::new, ToString::to_string)
        };
        line = format!(
            "{line} {field}: {} -> {}",
            value(&change.before),
            value(&change.after)
        );
    }
    line
}

/// Every fault on a line of its own, with its place in the document.
fn told(options: &Import, error: Error) -> Failure {
    let name = options.file.display();
    match error.into_user_errors() {
        Ok(faults) => {
            let faults = faults.into_iter().map(|fault| match fault.field.join(".") {
                place if place.is_empty() => fault.message,
                place => format!("{place}: {}", fault.message),
            });
            let faults: Vec<String> = faults.collect();
            format!(
                "{name} was not imported, and nothing was written.\n{}",
                faults.join("\n")
            )
            .into()
        }
        Err(error) => format!("{name} was not imported, and nothing was written: {error}").into(),
    }
}
