//! Tells a file from another one that has taken its path, by device and inode, without opening it.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// A path and the identity of the file that was there.
#[derive(Debug)]
pub(super) struct FileReplacementCheck {
    path: PathBuf,
    identity: FileIdentity,
}

#[cfg(unix)]
type FileIdentity = (u64, u64);
#[cfg(not(unix))]
type FileIdentity = ();

impl FileReplacementCheck {
    /// Remembers the file that is there now.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: file_identity(path)?,
        })
    }

    /// Whether the same file is still there; false where that cannot be found out.
    pub(super) fn is_still_same_file(&self) -> bool {
        file_identity(&self.path).is_ok_and(|now| now == self.identity)
    }
}

impl fmt::Display for FileReplacementCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

#[cfg(unix)]
fn file_identity(path: &Path) -> io::Result<FileIdentity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_identity(path: &Path) -> io::Result<FileIdentity> {
    fs::metadata(path).map(|_| ())
}
