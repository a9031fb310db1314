//! A sheet on its way in, kept in a file without a name until it has been read: as long as it may be, it never stands in
//! memory, and whoever goes away leaves nothing.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
};

use super::{bounds::Bounds, dialect::Dialect, read::Reader};
use crate::error::{Error, Result};

/// Bytes that are read from the file at once.
const AT_ONCE: usize = 64 << 10;

/// A sheet that is still being sent.
#[derive(Debug)]
pub struct Spool {
    file: File,
    left: u64,
}

impl Spool {
    /// A spool for a sheet of at most so many bytes. It lies where the system keeps what is temporary (`TMPDIR`).
    pub fn new(most: u64) -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        Ok(Self { file, left: most })
    }

    /// Takes the next bytes; says no where they are more than there may be.
    pub fn take(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            return Ok(false);
        };
        self.left = left;
        self.file.write_all(bytes)?;
        Ok(true)
    }

    /// Takes all that comes from a source; says no where that is more than there may be.
    pub fn take_all(&mut self, mut source: impl Read) -> io::Result<bool> {
        let mut bytes = vec![0; AT_ONCE];
        loop {
            match source.read(&mut bytes)? {
                0 => return Ok(true),
                length if !self.take(&bytes[..length])? => return Ok(false),
                _ => {}
            }
        }
    }

    /// The sheet, now that all of it has come.
    #[must_use]
    pub fn whole(self, dialect: Option<Dialect>) -> Spooled {
        Spooled {
            file: self.file,
            dialect,
        }
    }
}

/// A sheet that has come, to be read as often as it takes.
#[derive(Debug)]
pub struct Spooled {
    file: File,
    dialect: Option<Dialect>,
}

impl Spooled {
    /// A sheet in a file that is there already.
    #[must_use]
    pub fn of(file: File) -> Self {
        Self {
            file,
            dialect: None,
        }
    }

    /// Reads it from its beginning; one at a time, as all readers stand at the same place of the file.
    pub fn read(&self, bounds: Bounds) -> Result<Reader<BufReader<&File>>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).map_err(Error::internal)?;
        Reader::open_as(
            BufReader::with_capacity(AT_ONCE, file),
            bounds,
            self.dialect,
        )
    }
}
