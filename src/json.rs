//! Writes JSON into a buffer, key by key and value by value, without a tree in between. It checks no commas and no
//! brackets: whoever writes knows what it writes.

use entity::id::Id;
use serde::Serialize;
use uuid::Uuid;

/// JSON that is being written.
#[derive(Debug, Default)]
pub struct JsonWriter {
    bytes: Vec<u8>,
    /// The first value that could not be written, so that [`finish`](Self::finish) can say so.
    failure: Option<serde_json::Error>,
}

impl JsonWriter {
    /// Goes on after what is written.
    #[must_use]
    pub fn appending_to(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            failure: None,
        }
    }

    /// Bytes that are written and not yet taken.
    #[must_use]
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// JSON as it is.
    pub fn raw(&mut self, json: &str) {
        self.bytes.extend_from_slice(json.as_bytes());
    }

    /// Any value; a number in the shortest form that reads back the same.
    pub fn value<V: Serialize + ?Sized>(&mut self, value: &V) {
        if let Err(error) = serde_json::to_writer(&mut self.bytes, value) {
            self.failure.get_or_insert(error);
        }
    }

    /// An id, byte for byte as [`Display`](std::fmt::Display) shows it; written here because there are thousands.
    pub fn id<I: Id>(&mut self, id: I) {
        self.bytes.push(b'"');
        write_unquoted_id(&mut self.bytes, I::PREFIX, id.uuid());
        self.bytes.push(b'"');
    }

    /// A list or an object: the items between brackets, with commas.
    pub fn list<T>(
        &mut self,
        open: char,
        items: impl IntoIterator<Item = T>,
        close: char,
        write: impl Fn(T, &mut Self),
    ) {
        let mut before = open;
        for item in items {
            self.bytes.push(before as u8);
            write(item, self);
            before = ',';
        }
        if before == open {
            self.bytes.push(open as u8);
        }
        self.bytes.push(close as u8);
    }

    /// What is written.
    ///
    /// # Errors
    /// A value could not be written as JSON.
    pub fn finish(self) -> serde_json::Result<Vec<u8>> {
        self.failure.map_or(Ok(self.bytes), Err)
    }
}

/// An id as every face shows it, `kpi_0190…`, without quotation marks.
pub fn write_unquoted_id(out: &mut Vec<u8>, prefix: &str, id: Uuid) {
    let mut hex = Uuid::encode_buffer();
    out.extend_from_slice(prefix.as_bytes());
    out.push(b'_');
    out.extend_from_slice(id.simple().encode_lower(&mut hex).as_bytes());
}
