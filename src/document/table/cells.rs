//! Writes the cells of a touchpoint's row, each by the type of what it shows.

use std::io;

use crate::{
    document::part_field::EvidenceItem,
    sheet::{CsvWriter, ITEM_SEPARATOR, escape_item},
};

/// A table that is being written.
pub(super) struct TouchpointTableWriter(pub CsvWriter<Vec<u8>>);

impl TouchpointTableWriter {
    pub(super) fn write_text(&mut self, text: Option<&str>) -> io::Result<()> {
        self.0.text(text.unwrap_or_default())
    }

    pub(super) fn write_word(&mut self, word: Option<&str>) -> io::Result<()> {
        self.0.plain(word.unwrap_or_default())
    }

    pub(super) fn write_integer(&mut self, number: Option<i32>) -> io::Result<()> {
        let text = number.map(|number| number.to_string());
        self.write_word(text.as_deref())
    }

    pub(super) fn write_number(&mut self, number: Option<f64>) -> io::Result<()> {
        match number {
            Some(number) => self.0.number(number),
            None => self.0.empty(),
        }
    }

    /// Excel writes TRUE and FALSE in the language that it is set up in; these words stay as they are.
    pub(super) fn write_flag(&mut self, flag: bool) -> io::Result<()> {
        self.0.plain(if flag { "yes" } else { "no" })
    }

    /// A list, its items escaped and separated by bars.
    pub(super) fn write_list(&mut self, items: &[String]) -> io::Result<()> {
        let items: Vec<String> = items.iter().map(|item| escape_item(item)).collect();
        self.0.text(&items.join(ITEM_SEPARATOR))
    }

    /// A list of labels, those with a link followed by it in angle brackets.
    pub(super) fn write_evidence(&mut self, evidence: &[EvidenceItem]) -> io::Result<()> {
        let items = evidence.iter().map(|item| {
            let label = escape_item(&item.label);
            item.link.as_ref().map_or_else(
                || label.clone(),
                |link| format!("{label} <{}>", escape_item(link)),
            )
        });
        let items: Vec<String> = items.collect();
        self.0.text(&items.join(ITEM_SEPARATOR))
    }
}
