//! What a verb fails with: a sentence on standard error, and an exit status that is not zero.

use cx_blueprint::error::Error;

/// A sentence that says what went wrong and what to do.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The failure of an import of a file: every fault on a line of its own, with its place in the document.
pub(crate) fn import_failure(name: &str, error: Error) -> Failure {
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
