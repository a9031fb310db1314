//! How many files the process may have open: the usual soft limit of 1,024 is less than a server needs, and a process
//! may raise it by itself.

/// Raises the limit as far as is needed and allowed. Returns what it is then.
#[cfg(unix)]
#[must_use]
pub fn raise_open_files_limit(needed: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let now = getrlimit(Resource::Nofile);
    let soft = now.current.unwrap_or(u64::MAX);
    let wanted = needed.min(now.maximum.unwrap_or(u64::MAX));
    if wanted <= soft {
        return soft;
    }
    let raised = Rlimit {
        current: Some(wanted),
        ..now
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(%error, soft, "the limit of open files could not be raised");
            soft
        }
    }
}

/// There is no such limit here.
#[cfg(not(unix))]
#[must_use]
pub fn raise_open_files_limit(_needed: u64) -> u64 {
    u64::MAX
}
