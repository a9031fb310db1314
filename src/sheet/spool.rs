//! A sheet on its way in, kept in a temporary file without a name: it is never in memory as a whole, and the system
//! removes it when its client goes away.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
};

use flate2::read::MultiGzDecoder;

use super::{bounds::SheetBounds, dialect::Dialect, read::SheetReader};
use crate::error::{Error, Result};

/// Bytes that are read from the file at once.
const AT_ONCE: usize = 64 << 10;

/// A sheet that is still being sent.
#[derive(Debug)]
pub struct SheetSpool {
    file: File,
    left: u64,
}

impl SheetSpool {
    /// A spool for a sheet of at most `most` bytes, in the system's directory for temporary files (`TMPDIR`).
    pub fn new(most: u64) -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        Ok(Self { file, left: most })
    }

    /// Takes the next bytes; `false` where there are more than allowed.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<bool> {
        // Counted here, since the announced length is only the client's word.
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            return Ok(false);
        };
        self.left = left;
        self.file.write_all(bytes)?;
        Ok(true)
    }

    /// Takes all of a source; `false` where it has more than allowed.
    pub fn copy_all(&mut self, mut source: impl Read) -> io::Result<bool> {
        let mut bytes = vec![0; AT_ONCE];
        loop {
            match source.read(&mut bytes)? {
                0 => return Ok(true),
                length if !self.write(&bytes[..length])? => return Ok(false),
                _ => {}
            }
        }
    }

    /// What was compressed with gzip on its way, as it was before, in a spool for at most `most` bytes; nothing where
    /// it has more.
    ///
    /// # Errors
    /// `InvalidData`, `InvalidInput` or `UnexpectedEof` where it is not gzip from beginning to end.
    pub fn decompress(mut self, most: u64) -> io::Result<Option<Self>> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut plain = Self::new(most)?;
        let is_all = plain.copy_all(MultiGzDecoder::new(BufReader::new(self.file)))?;
        Ok(is_all.then_some(plain))
    }

    /// The sheet, once all of it has come.
    #[must_use]
    pub fn finish(self, dialect: Option<Dialect>) -> SpooledSheet {
        SpooledSheet {
            file: self.file,
            dialect,
        }
    }
}

/// A sheet that has come, to be read as often as it takes.
#[derive(Debug)]
pub struct SpooledSheet {
    file: File,
    dialect: Option<Dialect>,
}

impl SpooledSheet {
    /// A sheet in a file that is there already.
    #[must_use]
    pub fn new(file: File) -> Self {
        Self {
            file,
            dialect: None,
        }
    }

    /// Reads it from its beginning. One reader at a time: all of them share the position in the file.
    pub fn read(&self, bounds: SheetBounds) -> Result<SheetReader<BufReader<&File>>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).map_err(Error::internal)?;
        SheetReader::open_as(
            BufReader::with_capacity(AT_ONCE, file),
            bounds,
            self.dialect,
        )
    }
}
