//! Time in proportion to the length of a case: what takes more is as wrong as what fails.

use std::time::{Duration, Instant};

/// Whatever the case.
const ONCE: Duration = Duration::from_millis(20);
/// For each byte of it.
const BYTE: Duration = Duration::from_micros(4);

/// Runs a case, and fails if it takes longer than its length allows.
pub fn within(bytes: usize, case: impl Fn()) {
    let bound = ONCE + BYTE * u32::try_from(bytes).unwrap_or(u32::MAX);
    let begun = Instant::now();
    case();
    // On a busy machine a case may have waited: then it counts what the processor did.
    if begun.elapsed() > bound {
        let before = processor();
        case();
        let took = processor() - before;
        assert!(
            took <= bound,
            "{bytes} bytes took {took:?}, more than {bound:?}"
        );
    }
}

/// What the processor has done for this thread (Linux).
fn processor() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanoseconds = told.split(' ').next().and_then(|told| told.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}
